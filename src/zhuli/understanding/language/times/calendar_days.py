"""Days seen from today: what "Tuesday", "the 6th" or "March 5th" mean. None where there is no such day.

A day without a year is the next one to come, today included. A weekday by itself is the next one after today; with "this" it
may be today; with "next" it is the one in the week after this, and weeks begin on Mondays.
"""

from datetime import date, timedelta

_FARTHEST = 36_600
"""Days; a century. What is farther is no appointment."""


def day_of(year: int, month: int, day: int) -> date | None:
    """That day; two digits of a year are of this century."""
    try:
        return date(year + 2000 if year < 100 else year, month, day)
    except ValueError:
        return None


def shifted(today: date, days: float) -> date | None:
    """So many days after today."""
    return today + timedelta(days=int(days)) if abs(days) <= _FARTHEST else None


def in_months(today: date, months: int) -> tuple[int, int]:
    """Year and month, so many months after today's."""
    years, month = divmod(today.month - 1 + months, 12)
    return today.year + years, month + 1


def coming(today: date, month: int, day: int) -> date | None:
    """The next such day of a year, up to eight years on, for the 29th of February."""
    days = (day_of(today.year + years, month, day) for years in range(9))
    return next((found for found in days if found is not None and found >= today), None)


def coming_day(today: date, day: int) -> date | None:
    """The next such day of a month."""
    days = (day_of(*in_months(today, months), day) for months in range(12))
    return next((found for found in days if found is not None and found >= today), None)


def coming_weekday(today: date, weekday: int) -> date:
    """The next such weekday after today; Monday is 0."""
    return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)


def weekday_in(today: date, weekday: int, *, weeks: int) -> date | None:
    """The weekday of the week that is so many weeks after this."""
    return shifted(today, weekday - today.weekday() + 7 * weeks)


def this_weekday(today: date, weekday: int) -> date:
    """The next such weekday, today included."""
    return today + timedelta(days=(weekday - today.weekday()) % 7)


def weekend(today: date, *, weeks: int) -> date | None:
    """The Saturday of a week; of this one, when it is Sunday, today."""
    return today if weeks == 0 and today.weekday() == 6 else weekday_in(today, 5, weeks=weeks)
