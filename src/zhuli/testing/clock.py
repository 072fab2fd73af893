"""A clock that stands still until a test moves it: leases, expiry and retention in no time at all.

It owns what `core.clock` tells. What the event loop times by itself (a model's delay, a follower's patience) stays real.
"""

import asyncio

EPOCH = 1_750_000_000.0
"""When a manual clock begins, unless it is told otherwise; any time would do."""


class ManualClock:
    """now() stays the same until move(); sleep() ends when the clock has been moved that far."""

    def __init__(self, now: float = EPOCH) -> None:
        self._now = now
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self._now

    def move(self, seconds: float) -> None:
        """Let `seconds` pass. Who slept wakes as soon as the caller awaits something."""
        self._now += seconds
        for until, sleeper in self._sleepers:
            if until <= self._now and not sleeper.done():
                sleeper.set_result(None)
        self._sleepers = [(until, sleeper) for until, sleeper in self._sleepers if not sleeper.done()]

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was moved `seconds` on from now."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        sleeper = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._now + seconds, sleeper))
        await sleeper
