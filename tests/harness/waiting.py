"""Waiting for what comes about behind a client's back, and who else has a turn meanwhile."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE = 30.0


def eventually(holds: Callable[[], object], *, patience: float = PATIENCE) -> None:
    """Wait until this is so. patience: in seconds."""
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline, f"It does not come about in {patience:.0f} s"
        time.sleep(0.05)


@contextmanager
def turns_of_others() -> Iterator[Callable[[], int]]:
    """How often another task has had its turn on the loop since the block began."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    waiting = asyncio.create_task(other())
    yield lambda: turns
    waiting.cancel()
