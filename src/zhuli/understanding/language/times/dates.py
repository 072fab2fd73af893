"""Dates in a text, in figures and in English and Chinese words, as "YYYY-MM-DD".

Of figures, the year comes first (2026-03-05, 2026/3/5) or last (3/5/2026). Two numbers with a stroke are month and day in both
languages, as in the United States and in China; if the first can be no month, it is the day (13/3). With dots the day comes
first (5.3.2026), as only Europe writes it so.
"""

import re
from datetime import date
from itertools import pairwise

from zhuli.understanding.language.spans import Span, apart
from zhuli.understanding.language.times import calendar_days as days
from zhuli.understanding.language.times.chinese_dates import find_chinese_dates
from zhuli.understanding.language.times.date_rules import Read, days_in
from zhuli.understanding.language.times.english_dates import find_english_dates

_BEFORE, _BEHIND = r"(?<![0-9a-z/.-])", r"(?![0-9a-z]|[/.-][0-9])"
_YEAR_FIRST = re.compile(
    rf"{_BEFORE}([0-9]{{4}})([-/.])([0-9]{{1,2}})\2([0-9]{{1,2}})(?:{_BEHIND}|(?=t[0-9]))", re.ASCII
)
_YEAR_LAST = re.compile(rf"{_BEFORE}([0-9]{{1,2}})([-/])([0-9]{{1,2}})\2([0-9]{{4}}|[0-9]{{2}}){_BEHIND}", re.ASCII)
_UP_TO = re.compile(r" ?(?:-|to|till|until|thru|through|到|至) ?")
_WEEKDAY = re.compile(r"(?:mon|tue|wed|wen|thu|thr|fri|sat|sun)[a-z]*|(?:周|星期|礼拜)[一二三四五六日天]")
_DOTS = re.compile(rf"{_BEFORE}([0-9]{{1,2}})\.([0-9]{{1,2}})\.([0-9]{{4}}){_BEHIND}", re.ASCII)
_STROKE = re.compile(rf"{_BEFORE}(?!24/7\b)([0-9]{{1,2}})/([0-9]{{1,2}})(?! ?(?:stars?|分)){_BEHIND}", re.ASCII)


def find_dates(text: str, today: date) -> list[Span]:
    """Dates of a plain text, in order; of what can be read in several ways the longest.

    A weekday that ends a span is the first after its beginning: "from Monday to Friday", said on a Monday.
    """
    figures = (span for pattern, read in _FORMS for span in days_in(text, pattern, read, today))
    found = apart([*figures, *find_english_dates(text, today), *find_chinese_dates(text, today)])
    for place, (first, last) in enumerate(pairwise(found), start=1):
        if _UP_TO.fullmatch(text, first.end, last.start) and _WEEKDAY.fullmatch(text, last.start, last.end):
            began, weekday = date.fromisoformat(found[place - 1].value), date.fromisoformat(last.value).weekday()
            found[place] = last._replace(value=days.coming_weekday(began, weekday).isoformat())
    return found


def _year_first(match: re.Match[str], today: date) -> date | None:
    return days.day_of(int(match[1]), int(match[3]), int(match[4]))


def _year_last(match: re.Match[str], today: date) -> date | None:
    return days.day_of(int(match[4]), *_month_and_day(int(match[1]), int(match[3])))


def _dots(match: re.Match[str], today: date) -> date | None:
    return days.day_of(int(match[3]), int(match[2]), int(match[1]))


def _stroke(match: re.Match[str], today: date) -> date | None:
    return days.coming(today, *_month_and_day(int(match[1]), int(match[2])))


def _month_and_day(first: int, second: int) -> tuple[int, int]:
    return (second, first) if first > 12 else (first, second)


_FORMS: list[tuple[re.Pattern[str], Read]] = [
    (_YEAR_FIRST, _year_first),
    (_YEAR_LAST, _year_last),
    (_DOTS, _dots),
    (_STROKE, _stroke),
]
