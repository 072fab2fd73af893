"""Dates as they are said in English. Works on plain text; days are reckoned by calendar_days.

Not found: spans without a day ("next week", "in March") and feasts that move (Easter).
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache

from zhuli.understanding.language.numbers.english_numbers import CARDINAL, ORDINAL, ordinal, whole
from zhuli.understanding.language.spans import Span
from zhuli.understanding.language.times import calendar_days as days
from zhuli.understanding.language.times.date_rules import Read, days_in

_MONTHS = ["jan(?:uary)?", "feb(?:r?uary)?", "mar(?:ch)?", "apr(?:il)?", "may", "june?", "july?", "aug(?:ust)?",
           "sept?(?:ember)?", "oct(?:ober)?", "nov(?:ember)?", "dec(?:ember)?"]  # fmt: skip
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})\.?"
_WEEKDAY = (
    r"(?:(?:mon|tues|wednes|wendes|wedns|wens|thurs|thrus|fri|satur|sun)day|"
    r"(?<!of )(?<=(?:on|xt|is|by|or|to|ng) )(?:mon|tues?|weds?|thu(?:rs?)?|fri|sat|sun)|(?<![^(])(?:mon|tues?|wed|"
    r"thu(?:rs)?|fri|sat|sun)(?![^.,!?])|"
    r"(?:mon|tues?|weds?|thu(?:rs?)?|fri|sat|sun)(?= (?:at )?[0-9]{1,2}(?:[:.][0-9]{2})? ?[ap]m))"
)
_TH = r"(?:st|nd|rd|th)"
_DAY = rf"(?P<day>[0-9]{{1,2}}{_TH}?|{ORDINAL})"
_YEAR = r"(?:,? (?P<year>(?:19|20)[0-9]{2})\b(?! ?h(?:ou)?rs))?"
_WHEN = rf"(?:{_WEEKDAY},? (?:the )?)?"
_NO_LIST = (
    r"(?= *(?:$|[.,!?;:)-]|(?:at|to|until|till|thru|through|for|and|or|but|please|in the|if|instead|from|with|around|"
    r"about|thanks|"
    r"thank|would|will|works?|is|by|after|before|not|then|i|we|that)\b|[^\x00-\x7f]))"
)
"""Behind "the 6th" when it is a day and not the sixth of something."""

_AHEAD = {
    "today": 0,
    "2day": 0,
    "tonight": 0,
    "tonite": 0,
    "2nite": 0,
    "this morning": 0,
    "this afternoon": 0,
    "this evening": 0,
    "yesterday": -1,
}
_FEASTS = {r"(?:christmas|xmas) eve": (12, 24), r"(?:christmas|xmas)(?: day)?": (12, 25), r"boxing day": (12, 26),
           r"new year'?s eve": (12, 31), r"new year'?s(?: day)?": (1, 1), r"valentine'?s(?: day)?": (2, 14),
           r"halloween": (10, 31), r"independence day|(?:the )?(?:4th|fourth) of july": (7, 4)}  # fmt: skip

_PLACES = {"1st": "first", "2nd": "second", "3rd": "third", "4th": "fourth"}

_Rule = tuple[str, Read, bool]


def find_english_dates(text: str, today: date) -> Iterator[Span]:
    """Every reading of every rule; they may overlap. Values are "YYYY-MM-DD"."""
    yield from _ranges(text, today)
    for pattern, read, certain in _RULES:
        yield from days_in(text, _compiled(pattern), read, today, certain=certain)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """When first searched: it takes long, and not every server is told of dates."""
    return re.compile(pattern, re.ASCII)


def _ranges(text: str, today: date) -> Iterator[Span]:
    """The second day of "March 5th to 8th" and "the 5th to the 8th of March"."""
    for match in _compiled(_UP_TO).finditer(text):
        first = _month_day(match, today)
        last = first and days.coming(first, first.month, int(match["last"]))
        if last:
            yield Span(match.start("last"), match.end(), last.isoformat())
    for match in _compiled(_FROM_OF).finditer(text):
        last = _month_day(match, today)
        first = last and days.day_of(last.year, last.month, int(match["first"]))
        if first and last and first <= last:
            yield Span(match.start("begin"), match.end("begin"), first.isoformat())


def _month_day(match: re.Match[str], today: date) -> date | None:
    month = next(number for number, name in enumerate(_MONTHS, start=1) if re.fullmatch(name, match["month"]))
    day = _day(match)
    return days.day_of(int(match["year"]), month, day) if match["year"] else days.coming(today, month, day)


def _day(match: re.Match[str]) -> int:
    said = match["day"]
    return int(re.sub(r"\D", "", said)) if said[0].isdigit() else ordinal(said)


def _bare_day(match: re.Match[str], today: date) -> date | None:
    return days.coming_day(today, _day(match))


def _day_of_month(match: re.Match[str], today: date) -> date | None:
    return days.day_of(*days.in_months(today, 1 if match["which"] == "next" else 0), _day(match))


def _weekday_number(said: str) -> int:
    short = {"we": 2, "th": 3, "tu": 1, "sa": 5, "su": 6, "mo": 0, "fr": 4}
    return short[said[:2]]


def _weekday(match: re.Match[str], today: date) -> date | None:
    weekday = _weekday_number(match["weekday"])
    which = match["which"] or match["week"]
    if which == "next":
        return days.weekday_in(today, weekday, weeks=1)
    if which in ("last", "past"):
        return days.coming_weekday(today - timedelta(days=8), weekday)
    return days.this_weekday(today, weekday) if which == "this" else days.coming_weekday(today, weekday)


def _week_later(match: re.Match[str], today: date) -> date | None:
    """ "Monday week", as it is said in Britain: a week after the coming Monday."""
    return days.shifted(days.coming_weekday(today, _weekday_number(match["weekday"])), 7)


def _weekday_of_month(match: re.Match[str], today: date) -> date | None:
    """ "The first Monday in January", which is still to come."""
    place = (
        ["first", "second", "third", "fourth"].index(_PLACES.get(match["place"], match["place"]))
        if (match["place"] != "last")
        else -1
    )
    weekday = _weekday_number(match["weekday"])
    for year, month in _months_meant(match, today):
        length = monthrange(year, month)[1]
        found = [day for day in range(1, length + 1) if date(year, month, day).weekday() == weekday][place]
        if match["year"] or date(year, month, found) >= today:
            return date(year, month, found)
    return None


def _months_meant(match: re.Match[str], today: date) -> list[tuple[int, int]]:
    if match["which"]:
        return [days.in_months(today, 1 if match["which"] == "next" else 0)]
    month = next(number for number, name in enumerate(_MONTHS, start=1) if re.fullmatch(name, match["month"]))
    return [(int(match["year"]), month)] if match["year"] else [(today.year, month), (today.year + 1, month)]


def _end_of_month(match: re.Match[str], today: date) -> date | None:
    year, month = days.in_months(today, 1 if match["which"] == "next" else 0)
    return days.day_of(year, month, monthrange(year, month)[1])


def _weekend(match: re.Match[str], today: date) -> date | None:
    return days.weekend(today, weeks=1 if match["which"] == "next" else 0)


def _after(match: re.Match[str], today: date) -> date | None:
    count = 2 if match["count"].startswith("a couple") else whole(match["count"])
    unit = match["unit"]
    if unit == "month":
        return _in_months(today, count)
    start = days.coming_weekday(today, _weekday_number(match["from"])) if match["from"] else today
    return days.shifted(start, count * (7 if unit == "week" else 1))


def _in_months(today: date, count: int) -> date | None:
    """The same day of a later month, or its last."""
    if count > 1200:
        return None
    year, month = days.in_months(today, count)
    return days.day_of(year, month, min(today.day, monthrange(year, month)[1]))


def _rules() -> Iterator[_Rule]:
    def rule(pattern: str, read: Read, *, certain: bool = True) -> _Rule:
        return rf"(?<![a-z0-9])(?:{pattern})(?![a-z0-9])", read, certain

    yield rule(rf"{_WHEN}{_MONTH} (?:the )?{_DAY}(?!:|[0-9]|(?: ?[ap]\.?m\b)){_YEAR}", _month_day)
    yield rule(rf"{_WHEN}(?:the )?{_DAY}(?: of)? {_MONTH}{_YEAR}", _month_day)
    yield rule(rf"(?:the )?{_DAY} of (?P<which>this|the|next)(?: current)? month", _day_of_month)
    yield rule(rf"{_WEEKDAY},? (?:the )?(?P<day>[0-9]{{1,2}}{_TH}|{ORDINAL})", _bare_day)
    yield rule(rf"the (?P<day>[0-9]{{1,2}}{_TH}|{ORDINAL}){_NO_LIST}", _bare_day, certain=False)
    yield rule(rf"(?:(?<=on )|(?<=from )|(?<=until )|(?<=till )|(?<=to )|(?<![^.,!?] )^)(?P<day>[0-9]{{1,2}}{_TH}){_NO_LIST}",
               _bare_day, certain=False)  # fmt: skip
    yield rule(rf"(?:(?P<which>this|next|last|past)(?: coming)? |(?:the )?coming )?(?P<weekday>{_WEEKDAY})"
               r"(?:,? (?:of )?(?P<week>this|next) week)?",
               _weekday)  # fmt: skip
    yield rule(rf"(?P<weekday>{_WEEKDAY}) week(?! on| off)", _week_later)
    yield rule(rf"(?:a )?week (?:on|from) (?P<weekday>{_WEEKDAY})", _week_later)
    yield rule(rf"(?:the )?(?P<place>first|second|third|fourth|last|1st|2nd|3rd|4th) (?P<weekday>{_WEEKDAY}) (?:in|of) "
               rf"(?:{_MONTH}|(?P<which>this|the|next) month){_YEAR}", _weekday_of_month)  # fmt: skip
    yield rule(r"(?:(?:at |by )?the )?end of (?P<which>this|the|next) month", _end_of_month)
    yield rule(rf"(?P<week>this|next) week(?: on)? (?P<weekday>{_WEEKDAY})(?P<which>)", _weekday)
    yield rule(r"(?:(?P<which>this|next) )?(?:the )?weekend", _weekend)
    yield rule(
        rf"(?:in (?P<count>an?|[0-9]{{1,4}}|a couple(?: of)?|{CARDINAL}) (?P<unit>day|week|month)s?(?:' time)?(?P<from>))",
        _after,
    )
    yield rule(rf"(?P<count>an?|[0-9]{{1,4}}|{CARDINAL}) (?P<unit>day|week|month)s? (?:from|after) "
               rf"(?:now|today|(?P<from>{_WEEKDAY}))",
               _after)  # fmt: skip
    yield rule(r"(?:the )?day after (?:tomm?orr?ow|tmrw?)", lambda match, today: days.shifted(today, 2))
    yield rule(r"(?:tomm?orr?ow|tommorow|tmrw?|tmw|tomoz|2morr?ow?)",
               lambda match, today: days.shifted(today, 1))  # fmt: skip
    for words, ahead in _AHEAD.items():
        yield rule(words, lambda match, today, ahead=ahead: days.shifted(today, ahead))  # type: ignore[misc]
    for words, (month, day) in _FEASTS.items():
        yield rule(words, lambda match, today, month=month, day=day: days.coming(today, month, day))  # type: ignore[misc]


_RULES = list(_rules())
_LAST = rf" ?(?:-|to|till|until|thru|through|and) ?(?:the )?(?P<last>[0-9]{{1,2}})(?:{_TH})?(?![0-9a-z:]| ?[ap]m)"
_UP_TO = rf"\b{_MONTH} (?:the )?{_DAY}{_YEAR}{_LAST}"
_FROM_OF = (
    rf"\b(?P<begin>(?:the )?(?P<first>[0-9]{{1,2}}){_TH}?) ?(?:-|to|till|until|thru|through|"
    rf"and) ?(?:the )?{_DAY}(?: of)? {_MONTH}{_YEAR}"
)
