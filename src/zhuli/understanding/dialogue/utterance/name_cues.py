"""Which slot the words before a name speak of: "in London" is said of a place, "by Adele" of a person."""

import re

from zhuli.types.understanding.domain import Slot
from zhuli.understanding.dialogue.named_slots import NameKind, kind_of
from zhuli.understanding.dialogue.utterance.slot_names import side_of_mention, side_of_name
from zhuli.understanding.language.plain_text import plain

_CUES: dict[NameKind, re.Pattern[str]] = {
    "place": re.compile(
        r"\b(?:in|into|near|around|from|to|visit|visiting|leaving|departing|out of|within|at|towards?|for|of)(?: the)?"
        r"(?: city| town| area)?(?: of)? ?$"
    ),
    "person": re.compile(r"\b(?:by|starring|featuring|with|from|to|see|for|named|called) ?$"),
    "kind": re.compile(r"(?!)"),
    "title": re.compile(
        r"\b(?:called|named|titled|movie|film|song|track|album|book|show|event|watch|play|hear) ?$|[\"'“‘]$"
    ),
}
_ACTORS = frozenset("actor actors actress starring cast star".split())
_BY = re.compile(r"\bby ?$")
_OWN: tuple[tuple[frozenset[str], re.Pattern[str]], ...] = (
    (
        frozenset(("director",)),
        re.compile(r"\b(?:directed by|director(?: is| should be)?|film by|movie by|made by) ?$"),
    ),
    (
        _ACTORS,
        re.compile(r"\b(?:starring|featuring|with|cast|acted by|actor|actress|stars?) ?$"),
    ),
    (
        frozenset("artist singer band performer composer".split()),
        re.compile(
            r"\b(?:sung by|(?:song|songs|music|track|tracks|album|something|anything) (?:by|from)|artist|singer|band) ?$"
        ),
    ),
    (frozenset("author writer".split()), re.compile(r"\b(?:written by|author|book by) ?$")),
)
"""Words of a slot's name, and what is said of such a person only."""

_PLAYS_BEHIND = re.compile(r" (?:in it|in that|in the (?:movie|film|cast)|as (?:an )?act)")
_WEAK = re.compile(r"\b(?:for|of|with|from|see|watch|play|hear|at) ?$")
_REACH = 24


def speaks_of(slot: Slot, text: str, start: int) -> int:
    """1: the words before the name at `start` say that it is this slot's; -1: that it is another's; 0: nothing."""
    kind, before = kind_of(slot), plain(text[max(0, start - _REACH) : start])
    side, cue = side_of_name(slot.name), side_of_mention(text, start)
    if side is not None and cue is not None:
        return 1 if side == cue else -1
    if kind is None:
        return 0
    if kind == "kind":
        return -1
    if kind == "person" and (own := _of_person(slot, before, plain(text[start : start + 2 * _REACH]))) is not None:
        return own
    if _CUES[kind].search(before):
        return 1 if side is None else 0
    others = (other for other in _CUES if other != kind)
    return -1 if any(_CUES[other].search(before) for other in others) and not _WEAK.search(before) else 0


def _of_person(slot: Slot, before: str, behind: str) -> int | None:
    """By what is said of one kind of person only; None of a slot for others."""
    words = set(re.split(r"[\W_]+", slot.name.lower()))
    if not any(words & names for names, _ in _OWN):
        return None
    said = [names for names, cue in _OWN if cue.search(before)]
    if not said and _PLAYS_BEHIND.search(behind):
        said = [_ACTORS]
    if not said and _BY.search(before):
        said = [names for names, _ in _OWN if names is not _ACTORS]
    if not said:
        return 0
    return 1 if any(words & names for names in said) else -1
