"""Which slots a message calls by name: "the time should be 8", "时间改成八点", "returning on Friday", "from Monday to Friday"."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from zhuli.types.understanding.domain import FromEntity, Slot
from zhuli.understanding.dialogue.responses.responses import spoken
from zhuli.understanding.language.plain_text import plain

Side = Literal["from", "to"]

_TYPE_WORDS: dict[str, tuple[str, ...]] = {
    "date": ("date", "day", "日期", "日子"),
    "time": ("time", "hour", "时间"),
    "number": ("number", "人数", "数量"),
}
_SIDE_OF_NAME: dict[Side, frozenset[str]] = {
    "from": frozenset(
        "from origin departure depart departing leaving source start begin pickup checkin in 出发 起点 开始 入住".split()
    ),
    "to": frozenset(
        "to destination return returning arrival arrive end dropoff checkout out 目的 到达 返回 终点 结束 离店".split()
    ),
}
_CUES: dict[Side, re.Pattern[str]] = {
    "from": re.compile(r"(?:\b(?:from|leaving|departing|starting|begin\w*|between)(?: on| at| in)?\s*|从|自|由)$"),
    "to": re.compile(
        r"(?:\b(?:to|until|till|through|return\w*|(?:com|go)ing back|back|arriv\w*|ending)(?: on| at| in| to)?\s*"
        r"|-\s*|到|至|去|往|回)$"
    ),
}
_NAME_REACH = 24
"""Characters between a slot's name and its value: "the time should really be 8"."""


def side_of_slot(slot: Slot, mapping: FromEntity) -> Side | None:
    """Which end of a way or a span of time the slot is, by its name or its role."""
    return side_of_name(f"{slot.name} {mapping.role or ''}")


def side_of_name(name: str) -> Side | None:
    """Which end a name or role speaks of."""
    joined = name.lower().replace("check_", "check")
    words = set(re.split(r"[\s_.\-]+", joined))
    for side, names in _SIDE_OF_NAME.items():
        if words & names or any(name in joined for name in names if not name.isascii()):
            return side
    return None


def side_of_mention(text: str, start: int) -> Side | None:
    """Which end the words before it make of a value."""
    before = plain(text[max(0, start - 16) : start])
    return next((side for side, cue in _CUES.items() if cue.search(before)), None)


def names_in(text: str, slots: Sequence[Slot]) -> list[tuple[int, int, str]]:
    """[start, end) of each slot's name in the text, with the slot, in their order.

    A slot is called by its name, by its description if that is short, and by a word for its type if no other has that type.
    """
    read = plain(text)
    found: list[tuple[int, int, str]] = []
    for slot in slots:
        alone = sum(other.type == slot.type for other in slots) == 1
        for word in _called(slot, alone=alone):
            found += [(match.start(), match.end(), slot.name) for match in _whole(word).finditer(read)]
    longest = [one for one in found if not any(_inside(one, other) for other in found)]
    return sorted(set(longest))


def named_at(names: Sequence[tuple[int, int, str]], start: int, end: int) -> str | None:
    """The slot whose name stands right behind a value ("4 people"), or closest before it, near enough to mean it."""
    behind = [name for at, _, name in names if 0 <= at - end <= 1]
    before = [name for _, to, name in names if 0 <= start - to <= _NAME_REACH]
    return behind[0] if behind else before[-1] if before else None


def _called(slot: Slot, *, alone: bool) -> list[str]:
    described = [slot.description] if slot.description and len(slot.description) <= 20 else []
    kinds = _TYPE_WORDS.get(slot.type, ()) if alone else ()
    return [plain(word) for word in (spoken(slot.name), *described, *kinds) if len(word) > 1]


@lru_cache(maxsize=4096)
def _whole(word: str) -> re.Pattern[str]:
    """Kept, for every message looks for the names of all slots, and `re` keeps few."""
    inner = re.escape(word).replace(r"\ ", r"\s+")
    return re.compile(rf"\b{inner}s?\b" if word.isascii() else inner)


def _inside(one: tuple[int, int, str], other: tuple[int, int, str]) -> bool:
    return other[0] <= one[0] and one[1] <= other[1] and other[1] - other[0] > one[1] - one[0]
