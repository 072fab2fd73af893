"""Telephone numbers in a text, as "+" and digits with the country's code.

Known forms: any country's with "+" or "00", the United States' and Canada's (ten digits), China's mobile, landline and 400
numbers, and where the country is known, the valid ones of its plan, by the library phonenumbers. Where it is not, a number that
begins with a nought (07700 900123) is found as its digits, and so is, where a number is asked for, any of seven digits or more.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files

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
_PART_OF_MORE = re.compile("[0-9a-z/]|[.-][0-9]", re.ASCII)
_WITHIN = re.compile("[0-9a-z/]", re.ASCII)
_FIGURES = str.maketrans("零〇一二三四五六七八九幺", "001234567891")
_FEWEST, _MOST = 7, 15


_NUMBER = re.compile(r"(?:[0-9][^0-9\n]{0,3}){6}[0-9]", re.ASCII)
"""Seven digits near each other: what the library is loaded for, which takes a quarter of a second."""


def find_phones(text: str, *, chinese: bool, country: str | None = None, asked: bool = False) -> list[Span]:
    """Numbers of a plain text, in order. chinese: 400 and 800 with seven digits are China's, and not America's.

    country: two letters; its own numbers come first. asked: one is waited for, so that what has the length of one is one.
    """
    ours = _found(text, chinese=chinese)
    if country is None or not _NUMBER.search(text):
        found = apart(ours)
    else:
        valid = apart(_of_country(text, country))
        found = apart([*valid, *outside((_with_code(span, country) for span in ours), valid)])
    if not asked:
        return found
    return apart([*found, *outside(_each_of_length(_ANY, text, _FEWEST), found)])


def _of_country(text: str, country: str) -> Iterator[Span]:
    """What is valid by the country's plan, stands alone, and has no more figures about it."""
    from phonenumbers import PhoneNumberFormat, PhoneNumberMatcher, format_number

    for one in PhoneNumberMatcher(text, country):
        if not _PART_OF_MORE.match(text, one.end) and not (one.start and _WITHIN.match(text, one.start - 1)):
            yield Span(one.start, one.end, format_number(one.number, PhoneNumberFormat.E164))


def _with_code(span: Span, country: str) -> Span:
    """A national number as it is called from elsewhere, if its length is right for the country."""
    from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, is_possible_number, parse

    if span.value.startswith("+"):
        return span
    try:
        number = parse(span.value, country)
    except NumberParseException:
        return span
    return span._replace(value=format_number(number, PhoneNumberFormat.E164)) if is_possible_number(number) else span


@cache
def _countries() -> dict[str, str]:
    """By time zone, where one country has it."""
    lines = files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8").splitlines()
    return {zone: country for country, _, zone, *_ in (line.split("\t") for line in lines if not line.startswith("#"))}


def country_of(zone: str | None) -> str | None:
    """The country of a time zone such as Europe/London; None for UTC and its like."""
    return _countries().get(zone) if zone else None


def zone_of(country: str) -> str:
    """A time zone of the country, the first by name; UTC for one that has none."""
    return min((zone for zone, of in _countries().items() if of == country), default="UTC")


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
