"""Slots that names are for, by what they are called: places, people, titles and kinds. Other texts are taken as they are said."""

import re
from functools import lru_cache
from typing import Literal

from zhuli.types.understanding.domain import Slot

NameKind = Literal["place", "person", "title", "kind"]

_KINDS: dict[NameKind, frozenset[str]] = {
    "place": frozenset(
        "city town village place location origin destination area region state country airport neighborhood neighbourhood "
        "district where".split()
    ),
    "person": frozenset(
        "artist singer band actor actors actress starring cast director author writer composer performer player person "
        "stylist barber doctor dentist therapist recipient payee".split()
    ),
    "title": frozenset(("title",)),
    "kind": frozenset("genre category cuisine style".split()),
}
_TITLED = re.compile(r"(?:movie|film|song|track|album|book|show|event|restaurant|hotel|theater|theatre|venue)_?name")


@lru_cache(maxsize=4096)
def _kind(words: str) -> NameKind | None:
    said = re.split(r"[\W_]+", words.lower())
    for kind, names in _KINDS.items():
        if names.intersection(said):
            return kind
    return "title" if _TITLED.search(words.lower()) else None


def kind_of(slot: Slot) -> NameKind | None:
    """What the slot's name says that it holds; None for any other text."""
    return _kind(slot.name.rpartition(".")[2]) if slot.type == "text" else None


def nouns_of(slot: Slot) -> frozenset[str]:
    """What a slot for kinds has kinds of, by its description: "movie" of "genre of the movie"."""
    said = re.findall(r"[a-z]{4,}", f"{slot.description or ''} {slot.name.rpartition('.')[2]}".lower())
    return frozenset(word.removesuffix("s") for word in said)
