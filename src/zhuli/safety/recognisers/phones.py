"""Phone numbers, by the library phonenumbers (Google's libphonenumber): valid ones, as the text's countries write them."""

import re
from collections.abc import Iterator

from zhuli.safety.recognisers.found import Found

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_NUMBER = re.compile(r"(?:\d[^\d\n]{0,3}){6}\d")
"""Seven digits near each other: what is looked for with the library, which takes its time."""

_INSIDE = re.compile(r"[A-Za-z0-9_/=]")
_NO_PHONE = re.compile(
    r"(?:order|tracking|invoice|ticket|reference|ref|case|account|booking|flight|serial|card|订单|单号|运单|快递|工单|发票|编号|流水)"
    r"(?:\s?(?:number|no\.?|id|号码?|号))?(?:\s+is|[\s#:：是])*\s*$",
    re.IGNORECASE,
)
"""What a number is called just before it: then it is that, although a phone could have it."""

COUNTRIES = {"en": ("US", "GB", "CN"), "zh": ("CN",)}
"""Whose national forms are read, by the text's language; with + and a country code those of all countries are."""


def phones(text: str, language: str | None) -> Iterator[Found]:
    """Phone numbers; a number that is a part of a word, or called something else, is none."""
    if not _NUMBER.search(text):
        return
    from phonenumbers import (
        Leniency,
        PhoneNumberMatcher,
    )  # a quarter of a second, which texts without numbers don't need

    countries = COUNTRIES.get(language or ("zh" if _CHINESE.search(text) else "en"), COUNTRIES["en"])
    seen: set[tuple[int, int]] = set()
    for country in countries:
        for found in PhoneNumberMatcher(text, country, Leniency.VALID):
            place = found.start, found.end
            if place not in seen and _stands_alone(text, *place) and not _NO_PHONE.search(text, 0, found.start):
                seen.add(place)
                yield Found("phone", *place)


def _stands_alone(text: str, start: int, end: int) -> bool:
    return not (_INSIDE.match(text, end) or (start and _INSIDE.match(text, start - 1)))
