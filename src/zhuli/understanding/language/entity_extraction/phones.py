"""Telephone numbers in a text, as "+" and digits with the country's code.

Known forms: any country's with "+" or "00", the United States' and Canada's (ten digits), China's mobile, landline and 400
numbers. A number of another country without its code, or a local one of seven or eight digits, is not found.
"""

import re
from collections.abc import Callable, Iterator

from zhuli.understanding.language.spans import Span, apart

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


def find_phones(text: str, *, chinese: bool) -> list[Span]:
    """Numbers of a plain text, in order. chinese: 400 and 800 with seven digits are China's, and not America's."""
    return apart(_found(text, chinese=chinese))


def _found(text: str, *, chinese: bool) -> Iterator[Span]:
    if chinese:
        yield from _each(_SERVICE, text, lambda digits: f"+86{digits}")
    yield from _each(_INTERNATIONAL, text, _international)
    yield from _each(_MOBILE, text, lambda digits: f"+86{digits[-11:]}")
    yield from _each(_LANDLINE, text, lambda digits: f"+86{digits[1:]}")
    yield from _each(_AMERICAN, text, lambda digits: f"+1{digits[-10:]}")


def _each(pattern: re.Pattern[str], text: str, read: Callable[[str], str]) -> Iterator[Span]:
    for match in pattern.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        yield Span(match.start(), match.end(), read(digits))


def _international(digits: str) -> str:
    """Without the international prefix, and without the nought of "+86 (0)10"."""
    digits = digits.removeprefix("00")
    return "+" + re.sub("^(86|44|49|33|39)0", r"\1", digits)
