"""Times of day as they are said in English. Works on plain text; day_parts tells morning from evening."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache

from zhuli.understanding.language.numbers.english_numbers import CARDINAL, cardinal, whole
from zhuli.understanding.language.spans import Span
from zhuli.understanding.language.times.day_parts import Part, clock, part_named

_HOURS = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_HOUR = rf"(?P<hour>[0-9]{{1,2}}|{_HOURS})"
_UNITS = "one|two|three|four|five|six|seven|eight|nine"
_SPOKEN = (
    rf"(?:(?:twenty|thirty|forty|fifty)(?:[ -](?:{_UNITS}))?|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|"
    rf"eighteen|nineteen|oh (?:{_UNITS}))"
)
_AMPM = r"(?P<ampm>[ap])(?:\.m\.|\.?m\b)"
_PART = r"(?: (?:in the |at |this )(?P<part>morning|afternoon|evening|night))"
_AROUND = r"(?:at|around|about|by|before|after|until|till|from|@|say|like|near) ?"
_DAYS = r"(?:to(?:night|nite|day|morrow)|2nite|tmrw|tmw|(?:mon|tues|wednes|thurs|fri|satur|sun)day)"
_NO_NOUN = (
    r"(?= *(?:$|[.,!?;:)]|(?:on|for|in the|at night|tonight|tomorrow|today|please|pls|or|and|instead|this|next|works|"
    r"would|is|if|with|in|at|"
    r"to|until|till|but|thanks|thank|then|sharp|though|also|mon|tue|wed|thu|fri|sat|sun)\b|[^\x00-\x7f]))"
)
"""Behind a bare hour when it is one: not "at 7 places"."""


def find_english_times(text: str, now: datetime, part: Part | None) -> Iterator[Span]:
    """Every reading of every rule; they may overlap. part: of the day, that the text is about. Values are "HH:MM"."""
    yield from _ranges(text)
    yield from _later(text, now)
    for pattern, certain in _FORMS:
        for match in _form(pattern).finditer(text):
            found = _time(match, part)
            if found is not None:
                yield Span(match.start("begin"), match.end(), found, certain)
    for match in _form(_PAST).finditer(text):
        found = _past(match, part)
        if found is not None:
            yield Span(match.start(), match.end(), found)
    for match in _NAMED.finditer(text):
        yield Span(match.start(), match.end(), "00:00" if match[0].endswith("night") else "12:00")


def find_answers(text: str, part: Part | None) -> Iterator[Span]:
    """What is a time where one is asked for, and may be anything else elsewhere: "7.30", "seven thirty", "half seven"."""
    for match in _form(_ANSWERS).finditer(text):
        groups = match.groupdict()
        hour, minute = groups["hour"], groups["minute"] or groups["spoken"]
        found = clock(whole(hour), _minutes(minute), _part(groups, part, by_24=hour[0] == "0" and len(hour) == 2))
        if found is not None:
            yield Span(match.start(), match.end(), found, certain=False)
    for match in _form(_HALF).finditer(text):
        found = clock(whole(match["hour"]), 30, _part(match.groupdict(), part))
        if found is not None:
            yield Span(match.start(), match.end(), found, certain=False)


def _time(match: re.Match[str], part: Part | None) -> str | None:
    groups = match.groupdict()
    minute = groups.get("minute") or "0"
    hour = groups["hour"]
    return clock(whole(hour), _minutes(minute), _part(groups, part, by_24=hour[0] == "0" and len(hour) == 2))


def _part(groups: dict[str, str | None], part: Part | None, *, by_24: bool = False) -> Part | None:
    if groups.get("ampm"):
        return "morning" if groups["ampm"] == "a" else "afternoon"
    named = groups.get("part")
    if named:
        return part_named(named)
    return "morning" if by_24 else part


def _minutes(said: str) -> int:
    return int(said) if said.isdigit() else cardinal(said.removeprefix("oh "))


def _past(match: re.Match[str], part: Part | None) -> str | None:
    """Half past seven, quarter to eight, ten past six."""
    said = match["minutes"]
    minutes = 30 if said.startswith("half") else 15 if "quarter" in said else whole(said)
    start = clock(whole(match["hour"]), 0, _part(match.groupdict(), part))
    if start is None or minutes > 59:
        return None
    minutes = minutes if match["way"] in ("past", "after") else -minutes
    return f"{datetime(2000, 1, 2, int(start[:2])) + timedelta(minutes=minutes):%H:%M}"


def _ranges(text: str) -> Iterator[Span]:
    """The first time of "7-9pm", which the second tells the half of the day, unless it is the greater: "11 to 1pm"."""
    for match in _form(_RANGE).finditer(text):
        hour, last = whole(match["hour"]), whole(match["last"])
        half: Part = "morning" if match["ampm"] == "a" or (last % 12 < hour % 12) else "afternoon"
        found = clock(hour, _minutes(match["minute"] or "0"), half)
        if found is not None:
            yield Span(match.start("begin"), match.end("begin"), found)


def _later(text: str, now: datetime) -> Iterator[Span]:
    for match in _form(_IN).finditer(text):
        said = match["count"]
        count = 0.5 if said.startswith("half") else whole(said)
        minutes = count * (60 if match["unit"].startswith("h") else 1)
        if minutes <= 24 * 60:
            yield Span(match.start(), match.end(), f"{now + timedelta(minutes=minutes):%H:%M}")


@cache
def _form(pattern: str) -> re.Pattern[str]:
    """Compiled when first searched: it takes long, and not every server is told of times."""
    return re.compile(rf"(?<![a-z0-9.:/$])(?:{pattern})(?![a-z0-9]|[.:/-][0-9])", re.ASCII)


_FORMS = [
    (rf"(?P<begin>{_HOUR})(?:(?:[:.h]| (?=[0-9]{{2}} ?[ap]\.?m))(?P<minute>[0-9]{{2}}))? ?{_AMPM}", True),
    (rf"(?P<begin>{_HOUR})(?:[ -](?P<minute>{_SPOKEN}))? {_AMPM}", True),
    (rf"(?P<begin>{_HOUR}):(?P<minute>[0-5][0-9])(?::[0-5][0-9])?{_PART}?", True),
    (r"(?P<begin>(?P<hour>[0-9]{1,2})h(?P<minute>[0-5][0-9]))", True),
    (rf"(?P<begin>{_HOUR}) ?o['\"]? ?clock{_PART}?", True),
    (
        rf"(?P<part>morning|afternoon|evening|night) (?:at |around )?(?P<begin>{_HOUR})(?::(?P<minute>[0-5][0-9]))?",
        True,
    ),
    (rf"(?P<begin>{_HOUR}){_PART}", True),
    (r"(?P<begin>(?P<hour>[01][0-9]|2[0-3])(?P<minute>[0-5][0-9])) ?(?:hours|hrs)", True),
    (rf"{_AROUND}(?P<begin>{_HOUR})(?:[ -](?P<minute>{_SPOKEN})|\.(?P<m>[0-5][0-9]))(?: {_PART})?", True),
    (rf"{_DAYS},? (?P<begin>{_HOUR})\.(?P<minute>[0-5][0-9])", True),
    (rf"{_AROUND}(?P<begin>{_HOUR})(?:ish)?{_NO_NOUN}", False),
    (rf"(?P<begin>{_HOUR})(?:-?ish)", False),
    (rf"(?P<begin>{_HOUR})(?= (?:tonight|tomorrow (?:morning|afternoon|evening|night)))", True),
]
_ANSWERS = rf"(?P<begin>{_HOUR})(?:\.(?P<minute>[0-5][0-9])|[ -](?P<spoken>{_SPOKEN}))(?: {_PART})?"
_HALF = rf"half (?P<hour>[0-9]{{1,2}}|{_HOURS})(?: ?{_AMPM})?{_PART}?"
_MINUTES = "(?:twenty[ -])?five|ten|twenty"
_PAST = (rf"(?P<minutes>half|(?:an? )?quarter|(?:{_MINUTES}|[0-9]{{1,2}})(?= minutes| past| after)|"
              rf"(?<!from )(?<!between )(?:{_MINUTES}))"
              rf"(?: minutes)? (?P<way>past|after|to|before|till) {_HOUR}(?: ?{_AMPM})?{_PART}?")  # fmt: skip
_NAMED = re.compile(r"\b(?:12 )?(?:noon|midday|midnight)\b(?! ?time)", re.ASCII)
_RANGE = (rf"(?P<begin>{_HOUR}(?::(?P<minute>[0-5][0-9]))?) ?(?:-|to|and|till|until|or) ?"
               rf"(?P<last>[0-9]{{1,2}}|{_HOURS})(?:[:.][0-9]{{2}})?"
               rf" ?{_AMPM}")  # fmt: skip
_IN = rf"in (?P<count>half an?|an?|[0-9]{{1,3}}|{CARDINAL}) (?P<unit>hour|hr|minute|min)s?"
