"""Dates by rules: a pattern, and the day that a match of it means. Which rules there are: dates, chinese_dates, english_dates."""

import re
from collections.abc import Callable, Iterator
from datetime import date

from zhuli.understanding.language.spans import Span

Read = Callable[[re.Match[str], date], date | None]
"""The day that a match means, seen from today; None where there is no such day."""


def days_in(text: str, pattern: re.Pattern[str], read: Read, today: date, *, certain: bool = True) -> Iterator[Span]:
    """Every match that means a day, whose value is "YYYY-MM-DD"."""
    for match in pattern.finditer(text):
        found = read(match, today)
        if found is not None:
            yield Span(match.start(), match.end(), found.isoformat(), certain)
