"""What this process may take of one limit: all of it where it is the database's only process, else leased parts.

A lease is a four-hundredth of the limit, or what one request wants if that is more. So a limit costs a few hundred
transactions a minute however many requests there are, and what lies in a process unused is a quarter of a percent.
Nothing here waits: whoever is refused is told for how long.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from zhuli.core.clock import Clock
from zhuli.core.limit_window import LimitName, Window
from zhuli.store.limits import Lease, Wanted

LeaseFrom = Callable[[Sequence[Wanted]], Awaitable[list[Lease]]]

_PARTS = 400
_LOOK_AGAIN = 0.25
"""Seconds for which a refusal by the database stands: others may give back what they took."""


@dataclass(frozen=True, slots=True)
class Standing:
    """limit: in all. left: what may still be taken. reset: seconds until nothing that was taken counts."""

    limit: int
    left: int
    reset: float


class Share(Protocol):
    """Of a limit of one subject. Units are requests or tokens."""

    subject: str
    name: LimitName
    limit: int

    async def take(self, amount: int) -> float:
        """Take so much; 0, or for how many seconds there is not enough, and then nothing is taken."""

    @property
    def slot(self) -> int:
        """To which counts what is taken now."""

    def correct(self, amount: int, slot: int) -> None:
        """Of what was taken then, so much more was used, which counts now and is never refused; below 0: less."""

    def standing(self) -> Standing: ...


class OwnShare:
    """All of a limit, in memory."""

    def __init__(self, subject: str, name: LimitName, limit: int, clock: Clock, window: Window) -> None:
        self.subject = subject
        self.name = name
        self.limit = limit
        self.window = window
        self.changed = False
        self._clock = clock

    async def take(self, amount: int) -> float:
        now = self._clock.now()
        if self.window.used(now) + amount > self.limit:
            return self.window.wait(now, limit=self.limit, wanted=amount) or _LOOK_AGAIN
        self.window.add(self.window.slot(now), amount)
        self.changed = True
        return 0.0

    @property
    def slot(self) -> int:
        return self.window.slot(self._clock.now())

    def correct(self, amount: int, slot: int) -> None:
        self.window.add(self.slot if amount > 0 else slot, amount)
        self.changed = True

    def standing(self) -> Standing:
        now = self._clock.now()
        return Standing(self.limit, max(0, self.limit - self.window.used(now)), self.window.reset(now))


class LeasedShare:
    """Parts of a limit that processes share, leased from the database; a part of a minute's is for the slot it is got in."""

    def __init__(self, subject: str, name: LimitName, limit: int, clock: Clock, lease: LeaseFrom) -> None:
        self.subject = subject
        self.name = name
        self.limit = limit
        self._clock = clock
        self._lease = lease
        self._slots = Window(name)
        self._turn = asyncio.Lock()
        self._held = 0
        self._slot = 0
        self._left = limit
        self._reset_at = 0.0
        self._refused = 0.0, 0.0, 0
        self._changes: Counter[int] = Counter()

    async def take(self, amount: int) -> float:
        if wait := self._settled(amount):
            return wait
        if amount <= self._held:
            self._held -= amount
            return 0.0
        async with self._turn:  # who waits here may find enough in what the one before got
            if wait := self._settled(amount):
                return wait
            if amount > self._held:
                least = amount - self._held
                lease = await self._got(self.wanted(least, max(least, self.limit // _PARTS)))
                if not lease.granted:
                    wait = lease.wait or _LOOK_AGAIN
                    now = self._clock.now()
                    self._refused = now + min(wait, _LOOK_AGAIN), now + wait, amount
                    return wait
            self._held -= amount
            return 0.0

    async def _got(self, wanted: Wanted) -> Lease:
        try:
            (lease,) = await self._lease([wanted])
        except BaseException:
            self.failed(wanted)
            raise
        self.got(lease)
        return lease

    @property
    def slot(self) -> int:
        return self._slots.slot(self._clock.now())

    def correct(self, amount: int, slot: int) -> None:
        self._give_up_old()
        if amount > 0:
            self._changes[self.slot] += amount
            return
        self._refused = 0.0, 0.0, 0
        if slot == self._slot == self.slot:
            self._held -= amount
        else:
            self._changes[slot] += amount

    def standing(self) -> Standing:
        left = self._left + self._held - sum(self._changes.values())
        return Standing(self.limit, min(self.limit, max(0, left)), max(0.0, self._reset_at - self._clock.now()))

    @property
    def owes(self) -> bool:
        """Whether the database is to be told something: corrections, or a part that nobody took in its second."""
        self._give_up_old()
        return bool(self._changes)

    def wanted(self, least: int = 0, most: int = 0) -> Wanted:
        """What the database is asked and told; whoever makes it must tell it, and then got()."""
        changes, self._changes = self._changes, Counter()
        return Wanted(self.subject, self.name, self.limit, least, most, changes)

    def failed(self, wanted: Wanted) -> None:
        """The database was not reached; it is told another time."""
        self._changes.update(wanted.changes)

    def got(self, lease: Lease) -> None:
        """The database's answer."""
        if lease.granted:
            if self._held and lease.slot != self._slot:
                self._changes[self._slot] -= self._held
                self._changes[lease.slot] += self._held
            self._held += lease.granted
            self._slot = lease.slot
        self._left = lease.left
        self._reset_at = self._clock.now() + lease.reset

    def close(self) -> None:
        """Give back what is held."""
        if self._held:
            self._changes[self._slot] -= self._held
            self._held = 0

    def _settled(self, amount: int) -> float:
        """How long a refusal of as much still stands."""
        self._give_up_old()
        look_at, until, refused = self._refused
        now = self._clock.now()
        return max(until - now, 0.01) if now < look_at and amount >= refused else 0.0

    def _give_up_old(self) -> None:
        if self._held and self.slot > self._slot:
            self.close()
