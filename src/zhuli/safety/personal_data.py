"""Finds personal data in a text, and puts a word for it in its place: what can be told by its form or by how it is introduced.

It does not find names that nobody introduces, addresses of streets, or what somebody can be known by without being named: a
masked text is not an anonymous text. Presidio was looked at and left: its package can't be imported without spaCy, its names
need a model, and it knows no Chinese resident id. What remains of it here is `phonenumbers`, which it uses too, and check digits.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from zhuli.safety.recognisers import addresses, identity_numbers, names, numbers, phones
from zhuli.safety.recognisers.found import Found, Kind

Recogniser = Callable[[str, str | None], Iterable[Found]]

RECOGNISERS: Final[tuple[Recogniser, ...]] = (
    addresses.credentials,
    addresses.emails,
    identity_numbers.resident_ids,
    numbers.ibans,
    numbers.cards,
    identity_numbers.social_security_numbers,
    addresses.ip_addresses,
    phones.phones,
    addresses.accounts,
    names.names,
)
"""Where two find the same stretch, the one that is named first has it."""

WORDS: Final[dict[Kind, str]] = {
    "credentials": "[CREDENTIALS]",
    "email": "[EMAIL]",
    "resident_id": "[ID_NUMBER]",
    "iban": "[IBAN]",
    "card": "[CARD_NUMBER]",
    "ssn": "[SSN]",
    "ip": "[IP_ADDRESS]",
    "phone": "[PHONE]",
    "account": "[ACCOUNT]",
    "person": "[NAME]",
}
"""What stands in the place of each kind."""

_NARROW: Final = {0x3000: 0x20, **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}}
"""Wide forms of letters and digits, as Chinese keyboards write them, one for one: places stay."""


@dataclass(frozen=True, slots=True)
class Masked:
    """text: with a word in place of what was found. found: in order, with places in the text as it was given."""

    text: str
    found: tuple[Found, ...]


def mask(text: str, language: str | None = None) -> Masked:
    """The text without the personal data that is found. language: "en" or "zh"; None: told by its letters."""
    found = tuple(find(text, language))
    return Masked("".join(_pieces(text, found)), found)


def find(text: str, language: str | None = None) -> list[Found]:
    """Personal data in the text, in order; no two overlap. language: as for mask()."""
    narrow = text.translate(_NARROW)
    taken: list[Found] = []
    for recognise in RECOGNISERS:
        for one in recognise(narrow, language):
            if not any(one.overlaps(other) for other in taken):
                taken.append(one)
    return sorted(taken, key=lambda one: one.start)


def _pieces(text: str, found: Iterable[Found]) -> Iterator[str]:
    end = 0
    for one in found:
        yield text[end : one.start]
        yield WORDS[one.kind]
        end = one.end
    yield text[end:]
