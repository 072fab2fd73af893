"""Numbers that a state gives to a person: Chinese resident ids (GB 11643-1999) and US social security numbers."""

import re
from collections.abc import Iterator
from datetime import date

from zhuli.safety.recognisers.found import Found

_RESIDENT = re.compile(r"(?<![A-Za-z0-9])\d{6}(?:18|19|20)\d{2}[01]\d[0-3]\d{4}[\dXx](?![A-Za-z0-9])")
_SSN = re.compile(r"(?<![\d-])(\d{3})-(\d{2})-(\d{4})(?![\d-])")
_SSN_NAMED = re.compile(
    r"(?:\bssn\b|social security(?: number| no\.?)?)\D{0,8}(\d{3})[ -]?(\d{2})[ -]?(\d{4})(?!\d)", re.IGNORECASE
)

PROVINCES = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83".split()
)
"""First two digits of GB/T 2260 codes; 83: residence permits for people from Taiwan."""

_FACTORS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def resident_ids(text: str, _: str | None) -> Iterator[Found]:
    """18 digits with a province, a day of birth and a check digit that are right."""
    yield from (Found("resident_id", *found.span()) for found in _RESIDENT.finditer(text) if is_resident_id(found[0]))


def is_resident_id(number: str) -> bool:
    """Whether the province exists, the day exists, and the last sign is right by ISO 7064, mod 11-2."""
    if number[:2] not in PROVINCES:
        return False
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(factor * int(digit) for factor, digit in zip(_FACTORS, number, strict=False))
    return born.year >= 1880 and number[-1].upper() == "10X98765432"[total % 11]


def social_security_numbers(text: str, _: str | None) -> Iterator[Found]:
    """With dashes, or named as such; numbers that were never given to anybody are none."""
    for pattern in (_SSN, _SSN_NAMED):
        for found in pattern.finditer(text):
            area, group, serial = found.groups()
            if area not in ("000", "666") and area < "900" and group != "00" and serial != "0000":
                yield Found("ssn", found.start(1), found.end(3))
