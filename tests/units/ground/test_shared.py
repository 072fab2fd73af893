"""Shared: made once for all who ask meanwhile, and nobody who leaves stops it for the others."""

import asyncio

import pytest

from zhuli.core.errors import BackendError, Unavailable
from zhuli.core.shared import Shared


class Workshop:
    """Makes numbers when it is told to."""

    def __init__(self) -> None:
        self.begun = 0
        self.go = asyncio.Event()
        self.fails = False
        self.shared = Shared(self._make)

    async def _make(self) -> int:
        self.begun += 1
        await self.go.wait()
        if self.fails:
            raise BackendError("broken")
        return self.begun


async def test_it_is_made_once_for_all_who_ask_meanwhile() -> None:
    shop = Workshop()
    asking = [asyncio.create_task(shop.shared.made()) for _ in range(3)]
    await asyncio.sleep(0)
    shop.go.set()
    assert await asyncio.gather(*asking) == [1, 1, 1]


async def test_who_leaves_does_not_stop_it_and_who_comes_later_finds_it_begun() -> None:
    shop = Workshop()
    leaving = asyncio.create_task(shop.shared.made())
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    staying = asyncio.create_task(shop.shared.made())
    await asyncio.sleep(0)
    shop.go.set()
    assert await staying == 1


async def test_a_failure_is_told_to_all_and_the_next_one_tries_again() -> None:
    shop = Workshop()
    shop.fails = True
    shop.go.set()
    with pytest.raises(BackendError):
        await shop.shared.made()
    shop.fails = False
    assert await shop.shared.made() == 2


async def test_stopping_it_is_no_cancellation_of_who_waits() -> None:
    shop = Workshop()
    asking = asyncio.create_task(shop.shared.made())
    await asyncio.sleep(0)
    await shop.shared.stop()
    with pytest.raises(Unavailable):
        await asking
