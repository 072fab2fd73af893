"""Telephone numbers in a text, as "+" and digits with the country's code.

Known forms: any country's with "+" or "00", the United States' and Canada's (ten digits), China's mobile, landline and 400
numbers. A number of another country that begins with a nought (07700 900123) is found as its digits, and so is, where a number is
asked for, any of seven digits or more; without its country's code nobody can tell more of it.
"""

import re
from collections.abc import Callable, Iterator

from zhuli.understanding.language.spans import Span, apart, outside

_GAP = "[ -]?"
_BEFORE, _BEHIND = r"(?<![0-9a-z.])(?<![0-9][ -])", r"(?![0-9a-z]|[.-][0-9])"
_INTERNATIONAL = re.compile(
    rf"(?<![0-9a-z])(?:\+|00)(?P<number>[1-9](?:{_GAP}\(?0?[0-9]\)?|{_GAP}[0-9]){{6,14}}){_BEHIND}", re.ASCII
)
_AMERICAN = re.compile(
    rf"{_BEFORE}(?:1[ .-]?)?(?:\([2-9][0-9]{{2}}\) ?|[2-9][0-9]{{2}}[ .-]?)[2-9][0-9]{{2}}[ .-]?[0-9]{{4}}{_BEHIND}",
    re.ASCII,
)
_MOBILE = re.compile(rf"{_BEFORE}(?:86[ -]?)?1[3-9][0-9](?:{_GAP}[0-9]{{4}}){{2}}{_BEHIND}", re.ASCII)
_LANDLINE = re.compile(
    rf"{_BEFORE}\(?0(?:10|2[0-9]|[3-9][0-9]{{2}})\)?{_GAP}[2-9][0-9]{{3}}{_GAP}[0-9]{{3,4}}{_BEHIND}", re.ASCII
)
_SERVICE = re.compile(rf"{_BEFORE}[48]00{_GAP}[0-9]{{3}}{_GAP}[0-9]{{4}}{_BEHIND}", re.ASCII)


_NATIONAL = re.compile(rf"{_BEFORE}\(?0[1-9][0-9]{{1,4}}\)?(?:{_GAP}[0-9]{{2,8}}){{1,4}}{_BEHIND}", re.ASCII)
_ANY = re.compile(rf"{_BEFORE}\(?[0-9]{{2,}}\)?(?:{_GAP}[0-9]{{2,}})*{_BEHIND}", re.ASCII)
_READ_OUT = re.compile(
    "(?<![零〇一二三四五六七八九幺])[一幺][三四五六七八九][零〇一二三四五六七八九幺]{9}(?![零〇一二三四五六七八九幺百千万])"
)
_FIGURES = str.maketrans("零〇一二三四五六七八九幺", "001234567891")
_FEWEST, _MOST = 7, 15


def find_phones(text: str, *, chinese: bool, asked: bool = False) -> list[Span]:
    """Numbers of a plain text, in order. chinese: 400 and 800 with seven digits are China's, and not America's.

    asked: one is waited for, so that what has the length of one is one.
    """
    found = apart(_found(text, chinese=chinese))
    return apart([*found, *outside(_each_of_length(_ANY, text, _FEWEST), found)]) if asked else found


def _each_of_length(pattern: re.Pattern[str], text: str, fewest: int) -> Iterator[Span]:
    found = _each(pattern, text, lambda digits: digits)
    return (span for span in found if fewest <= len(span.value) <= _MOST)


def _found(text: str, *, chinese: bool) -> Iterator[Span]:
    if chinese:
        yield from _each(_SERVICE, text, lambda digits: f"+86{digits}")
    yield from _each(_INTERNATIONAL, text, _international)
    yield from _each(_MOBILE, text, lambda digits: f"+86{digits[-11:]}")
    yield from _each(_LANDLINE, text, lambda digits: f"+86{digits[1:]}")
    yield from _each(_AMERICAN, text, lambda digits: f"+1{digits[-10:]}")
    yield from _each_of_length(_NATIONAL, text, 10)
    for match in _READ_OUT.finditer(text):
        yield Span(match.start(), match.end(), "+86" + match[0].translate(_FIGURES))


def _each(pattern: re.Pattern[str], text: str, read: Callable[[str], str]) -> Iterator[Span]:
    for match in pattern.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        yield Span(match.start(), match.end(), read(digits))


def _international(digits: str) -> str:
    """Without the international prefix, and without the nought of "+86 (0)10"."""
    digits = digits.removeprefix("00")
    return "+" + re.sub("^(86|44|49|33|39)0", r"\1", digits)
