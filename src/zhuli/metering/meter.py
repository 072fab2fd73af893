"""Who may ask a model, and how much: the limits of the key and of the project for which work is done (core.origin).

Where there are no limits this costs a look into a dict. What was used is counted besides, whether there are limits or not.
"""

import asyncio
import logging
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Literal, get_args

from zhuli.core.clock import Clock
from zhuli.core.errors import RateLimited, Unavailable, ZhuliError
from zhuli.core.limit_window import LimitName
from zhuli.core.origin import Origin
from zhuli.metering.counting import Counting
from zhuli.metering.shares import LeasedShare, OwnShare, Share, Standing
from zhuli.settings import Settings
from zhuli.store import limits, usage
from zhuli.store.database import Database
from zhuli.store.limits import Lease, Limits, Wanted

log = logging.getLogger(__name__)

_REMEMBER_SECONDS = 5.0
"""How long limits hold that were changed meanwhile, as with keys."""

_SETTLE_SECONDS = 0.5
"""How often the database is told what was given back, or used beyond what was taken."""

Unit = Literal["requests", "tokens"]

UNITS: tuple[Unit, ...] = get_args(Unit)

patient: ContextVar[bool] = ContextVar("patient", default=True)
"""Whether a rate limit is waited for. Jobs do; requests do not, for their clients do; runs give up their place meanwhile."""


@dataclass(slots=True)
class Taken:
    """What was taken, and of which limits."""

    parts: list[tuple[Share, int, int]]
    """Each with the amount, and the slot to which it counts."""

    def settle(self, used: int) -> None:
        """So much was used in truth. To be called once."""
        for share, taken, slot in self.parts:
            if used != taken:
                share.correct(used - taken, slot)
        self.parts.clear()


class Meter:
    """Made once, by the ground."""

    def __init__(self, database: Database, clock: Clock, settings: Settings) -> None:
        self._database = database
        self._clock = clock
        self._defaults: dict[str, Limits] = {"key": settings.key_limits, "proj": settings.project_limits}
        self._set: Mapping[str, Limits] = {}
        self._until = 0.0
        self.counting = Counting(clock)
        self._shares: dict[tuple[str, LimitName], Share] = {}
        self._settling: asyncio.Task[None] | None = None

    async def take(self, asked: Origin | None, unit: Unit, amount: int, *, least: int = 1) -> Taken:
        """Take so much of every limit of who asks. RateLimited by the first that has not enough.

        least: of the amount, what is sure to be used; a limit below it is never enough. A rate limit is waited for where that
        is meant (`patient`).
        """
        while True:
            try:
                return await self._take(asked, unit, amount, least)
            except RateLimited as error:
                if error.wait is None or not patient.get():
                    raise
                await self._clock.sleep(error.wait)

    async def _take(self, asked: Origin | None, unit: Unit, amount: int, least: int) -> Taken:
        taken = Taken([])
        for share in await self.shares(asked, unit):
            if least > share.limit:
                taken.settle(0)
                raise _too_large(share, unit, least)
            part = min(amount, share.limit)
            if wait := await share.take(part):
                taken.settle(0)
                raise _refusal(share, unit, part, wait)
            taken.parts.append((share, part, share.slot))
        return taken

    async def shares(self, asked: Origin | None, unit: Unit) -> Sequence[Share]:
        """The limits of who asks that count these units."""
        if asked is None or asked.project is None:
            return ()
        if self._clock.now() >= self._until:
            await self._look_up()
        subjects = [subject for subject in (asked.key, asked.project) if subject is not None]
        return [
            await self._share(subject, name, amount)
            for subject in subjects
            for name, amount in self._limits_of(subject).items()
            if name.startswith(unit)
        ]

    async def standings(self, asked: Origin | None) -> dict[Unit, Standing]:
        """Of requests and tokens a minute: how the tighter of the limits of key and project stands."""
        found: dict[Unit, Standing] = {}
        for unit in UNITS:
            of_minute = [share for share in await self.shares(asked, unit) if share.name.endswith("_minute")]
            if of_minute:
                found[unit] = min((share.standing() for share in of_minute), key=lambda one: one.left / one.limit)
        return found

    def _limits_of(self, subject: str) -> Limits:
        own = self._set.get(subject)
        default = self._defaults[subject.partition("_")[0]]
        return default if own is None else {**default, **own}

    async def _look_up(self) -> None:
        """While the database is away, what it said last."""
        self._until = self._clock.now() + _REMEMBER_SECONDS
        with suppress(Unavailable):
            self._set = await self._database.run(limits.every)

    async def _share(self, subject: str, name: LimitName, limit: int) -> Share:
        share = self._shares.get((subject, name))
        if share is None:
            made: Share
            if self._database.shared:
                made = LeasedShare(subject, name, limit, self._clock, self._lease)
            else:
                window = await self._database.run(limits.window, subject, name)
                made = OwnShare(subject, name, limit, self._clock, window)
            share = self._shares.setdefault((subject, name), made)
        share.limit = limit
        return share

    async def _lease(self, wanted: Sequence[Wanted]) -> list[Lease]:
        return await self._database.run(limits.lease, wanted, now=self._clock.now())

    async def start(self) -> None:
        """Begin to tell the database what changed."""
        self._settling = asyncio.create_task(self._settle_forever())

    async def _settle_forever(self) -> None:
        while True:
            await asyncio.sleep(_SETTLE_SECONDS)
            try:
                await self.settle()
            except Exception as error:
                if not isinstance(error, ZhuliError):
                    log.exception("What was used can't be kept; trying again")

    async def settle(self) -> None:
        """Tell the database what changed."""
        if counted := self.counting.changed():
            written = {of: replace(counts) for of, counts in counted.items()}
            await self._database.run(usage.write, self.counting.process, written)
            self.counting.written({of: counts for of, counts in written.items() if counts == counted[of]})
        own = [share for share in self._shares.values() if isinstance(share, OwnShare) and share.changed]
        if own:
            windows = [(share.subject, share.name, share.window) for share in own]
            await self._database.run(limits.keep_windows, windows, now=self._clock.now())
            for share in own:
                share.changed = False
        leased = [share for share in self._shares.values() if isinstance(share, LeasedShare) and share.owes]
        if leased:
            wanted = [share.wanted() for share in leased]
            try:
                answers = await self._lease(wanted)
            except BaseException:
                for one, told in zip(leased, wanted, strict=True):
                    one.failed(told)
                raise
            for one, lease in zip(leased, answers, strict=True):
                one.got(lease)

    async def aclose(self) -> None:
        """Give back what is held."""
        if self._settling is None:
            return
        self._settling.cancel()
        await asyncio.wait([self._settling])
        for share in self._shares.values():
            if isinstance(share, LeasedShare):
                share.close()
        with suppress(ZhuliError):
            await self.settle()


def _refusal(share: Share, unit: Unit, wanted: int, wait: float) -> RateLimited:
    """In the API's words."""
    whose, period = _whose(share), share.name.rpartition("_")[2]
    if period != "minute":
        return RateLimited(
            f"You exceeded your current quota: {whose} may use {share.limit} {unit} a {period} (UTC), and they are used up. "
            f"More are there in {said_shortly(wait)}, or when the operator raises it (zhuli keys limit).",
            unit=unit,
            wait=None,
        )
    used = share.limit - share.standing().left
    return RateLimited(
        f"Rate limit reached for {whose} on {unit} per min: Limit {share.limit}, Used {used}, Requested {wanted}. "
        f"Please try again in {said_shortly(wait)}.",
        unit=unit,
        wait=wait,
    )


def _too_large(share: Share, unit: Unit, wanted: int) -> RateLimited:
    period = share.name.rpartition("_")[2]
    found = RateLimited(
        f"Request too large for {_whose(share)} on {unit} per {period}: Limit {share.limit}, Requested {wanted}. "
        "The input must be reduced in order to run successfully.",
        unit=unit,
        wait=None,
    )
    found.code, found.kind = "rate_limit_exceeded", unit
    return found


def _whose(share: Share) -> str:
    return f"{'key' if share.subject.startswith('key_') else 'project'} {share.subject}"


def said_shortly(seconds: float) -> str:
    """As the original's headers have durations: 250ms, 1.5s, 6m0s, 12h0m0s."""
    if seconds < 1:
        return f"{math.ceil(seconds * 1000)}ms"
    if seconds < 60:
        return f"{math.ceil(seconds * 1000) / 1000:g}s"
    minutes, rest = divmod(math.ceil(seconds), 60)
    return f"{minutes}m{rest}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60}m{rest}s"
