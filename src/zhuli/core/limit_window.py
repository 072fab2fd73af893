"""What was taken of a limit, by when: the last minute in quarters of seconds, or the day or month that it is (UTC). Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, get_args

LimitName = Literal[
    "requests_per_minute",
    "tokens_per_minute",
    "requests_per_day",
    "tokens_per_day",
    "requests_per_month",
    "tokens_per_month",
]
"""Those of a minute are rate limits, which are waited for; those of a day and a month are quotas, which are not."""

LIMIT_NAMES: tuple[LimitName, ...] = get_args(LimitName)

_MINUTE = 60
_DAY = 86_400

_SLOTS = 4
"""Slots of a second, of a minute's window."""


class Window:
    """Amounts by slot. Of a minute's window a slot counts until a minute after its end: no minute has more than the limit.

    Whoever takes all that they may so gets the limit in 60.25 seconds.
    """

    def __init__(self, name: LimitName, slots: Mapping[int, int] = {}) -> None:
        self._of_minute = name.endswith("_minute")
        self._of_day = name.endswith("_day")
        self.slots = dict(sorted(slots.items()))
        self._total = sum(self.slots.values())

    def slot(self, now: float) -> int:
        """The slot of this time: quarters of seconds or days since 1970, or months since the year 0."""
        if self._of_minute:
            return int(now * _SLOTS)
        if self._of_day:
            return int(now) // _DAY
        day = datetime.fromtimestamp(now, UTC)
        return day.year * 12 + day.month - 1

    def used(self, now: float) -> int:
        """What counts at this time; what no longer does is forgotten."""
        oldest = self.slot(now) - (_MINUTE * _SLOTS if self._of_minute else 0)
        while self.slots and (first := next(iter(self.slots))) < oldest:
            self._total -= self.slots.pop(first)
        return self._total

    def add(self, slot: int, amount: int) -> None:
        """Take so much, or give it back where it is below 0. Of a slot that counts no longer nothing is left to change."""
        if amount < 0 and slot not in self.slots:
            return
        late = slot not in self.slots and bool(self.slots) and slot < next(reversed(self.slots))
        self.slots[slot] = self.slots.get(slot, 0) + amount
        self._total += amount
        if late:
            self.slots = dict(sorted(self.slots.items()))

    def wait(self, now: float, *, limit: int, wanted: int) -> float:
        """Seconds until so much fits, if nobody takes anything meanwhile; more than the limit fits when nothing is taken."""
        excess = self.used(now) + min(wanted, limit) - limit
        for slot, amount in self.slots.items():
            if excess <= 0:
                break
            excess -= amount
            if excess <= 0:
                return max(0.0, self._ends(slot) - now)
        return 0.0 if excess <= 0 else self.reset(now)

    def reset(self, now: float) -> float:
        """Seconds until nothing of what was taken counts."""
        return max(0.0, self._ends(next(reversed(self.slots))) - now) if self.used(now) and self.slots else 0.0

    def _ends(self, slot: int) -> float:
        if self._of_minute:
            return (slot + 1) / _SLOTS + _MINUTE
        if self._of_day:
            return (slot + 1) * _DAY
        year, month = divmod(slot + 1, 12)
        return datetime(year, month + 1, 1, tzinfo=UTC).timestamp()
