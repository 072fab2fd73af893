"""Numbers of accounts that carry check digits: payment cards (ISO/IEC 7812, Luhn) and IBAN (ISO 13616, mod 97)."""

import re
from collections.abc import Iterator

from zhuli.safety.recognisers.found import Found

_CARD = re.compile(r"(?<![A-Za-z0-9_.-])[2-6](?:[ -]?\d){12,18}(?![A-Za-z0-9_-]|\.\d)")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])")
_APART = re.compile(r"[ -]")

_LENGTHS = {
    entry[:2]: int(entry[2:])
    for entry in (
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 "
        "FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 "
        "LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 "
        "ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20"
    ).split()
}
"""Characters of an IBAN by country: SWIFT's IBAN registry."""


def cards(text: str, _: str | None) -> Iterator[Found]:
    """Numbers of payment cards: 13 to 19 digits whose last one is right."""
    for found in _CARD.finditer(text):
        digits = _APART.sub("", found[0])
        if len(set(digits)) > 1 and luhn(digits):
            yield Found("card", *found.span())


def ibans(text: str, _: str | None) -> Iterator[Found]:
    """IBAN of the right length for their country, with right check digits."""
    for found in _IBAN.finditer(text):
        length = _LENGTHS.get(found[0][:2])
        end = None if length is None else _end(found[0], length)
        if end is not None and is_iban(_APART.sub("", found[0][:end])):
            yield Found("iban", found.start(), found.start() + end)


def luhn(digits: str) -> bool:
    """Whether the last digit is right by ISO/IEC 7812-1, annex B."""
    twice = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[::-2])) + sum(twice)) % 10 == 0


def is_iban(compact: str) -> bool:
    """Whether the check digits are right by ISO 7064, mod 97-10."""
    moved = compact[4:] + compact[:4]
    return int("".join(str(int(sign, 36)) for sign in moved)) % 97 == 1


def _end(written: str, length: int) -> int | None:
    """Where the first `length` letters and digits end; behind them a word must end."""
    seen = 0
    for at, sign in enumerate(written):
        seen += sign.isalnum()
        if seen == length:
            return at + 1 if at + 1 == len(written) or written[at + 1] in " -" else None
    return None
