"""What takes long to make, and is made once for all who ask meanwhile: none of them stops it for the others by leaving."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from zhuli.core.cancelling import being_cancelled
from zhuli.core.errors import Unavailable

T = TypeVar("T")


class Shared(Generic[T]):
    """One making at a time. Who asks while it goes on waits for it; who asks after its end has another one begun."""

    def __init__(self, make: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._make = make
        self._making: asyncio.Task[T] | None = None

    async def made(self) -> T:
        """What it makes, or its failure. Whoever is cancelled while it waits leaves the others their making."""
        if self._making is None or self._making.done():
            self._making = asyncio.create_task(self._make())
            self._making.add_done_callback(_look_at)
        return await shared(self._making, "The server is stopping.")

    async def stop(self) -> None:
        """End what is being made; who waits for it gets Unavailable."""
        if self._making is not None and not self._making.done():
            self._making.cancel()
            await asyncio.wait([self._making])


async def shared(making: asyncio.Task[T], stopped: str) -> T:
    """What a task gives to each who waits for it: one that goes away does not end it, its end is no cancellation of theirs.

    stopped: what Unavailable says to who waits for a task that was cancelled.
    """
    try:
        return await asyncio.shield(making)
    except asyncio.CancelledError:
        if making.cancelled() and not being_cancelled():
            raise Unavailable(stopped) from None
        raise


def _look_at(making: "asyncio.Task[Any]") -> None:
    """All who wanted it may have left, and a failure that nobody looks at would be a traceback in the log."""
    if not making.cancelled():
        making.exception()
