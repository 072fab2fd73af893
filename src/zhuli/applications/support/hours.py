"""Working hours of the people behind a desk. Pure."""

from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from zhuli.types.applications.support import Day, WorkingHours

_DAYS: Final[tuple[Day, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

CLOSED: Final = {
    "en": "Our colleagues are back at {opens}. Your question is kept for them, and they will answer you here.",
    "zh": "我们的同事将于{opens}回来。您的问题已经记下，他们会在这里答复您。",
}


def opens_at(hours: WorkingHours | None, now: float) -> float | None:
    """When people are back, in seconds since 1970; None where they are there now, or where nobody says when.

    Hours that end before they begin go on after midnight.
    """
    if hours is None or not hours.days:
        return None
    there = datetime.fromtimestamp(now, ZoneInfo(hours.timezone))
    spans = [span for day in range(-1, 8) if (span := _span(hours, there, day)) is not None]
    if any(start <= there < end for start, end in spans):
        return None
    return min((start.timestamp() for start, _ in spans if start > there), default=None)


def closed_text(hours: WorkingHours, opens: float, language: str | None) -> str:
    """What is said outside of the hours."""
    known = language or "en"
    wording = hours.message.get("zh" if known == "zh" else "en") or CLOSED["zh" if known == "zh" else "en"]
    back = datetime.fromtimestamp(opens, ZoneInfo(hours.timezone))
    return wording.replace("{opens}", f"{back:%Y-%m-%d %H:%M}")


def _span(hours: WorkingHours, there: datetime, days: int) -> tuple[datetime, datetime] | None:
    date = there.date() + timedelta(days=days)
    given = hours.days.get(_DAYS[date.weekday()])
    if given is None:
        return None
    start, end = (time.fromisoformat(one) for one in given)
    began = datetime.combine(date, start, there.tzinfo)
    ended = datetime.combine(date if end > start else date + timedelta(days=1), end, there.tzinfo)
    return began, ended
