"""Kinds that stand before what they are kinds of: "country" of "country songs", "Thai" of "a Thai restaurant". English."""

import re
from collections.abc import Collection

from zhuli.understanding.language.spans import Span

_SAME = (
    frozenset(("movie", "film", "flick")),
    frozenset(("song", "music", "track", "tune", "artist")),
    frozenset(("food", "cuisine", "restaurant", "dish", "place")),
    frozenset(("book", "novel")),
    frozenset(("event", "show", "concert")),
)
_NO_KIND = frozenset(
    "a an the any some other another more different new old good nice great best better cool popular cheap local nearby specific "
    "certain particular whole first second third last next same own few many several two three this that these those which what "
    "my your his her our their its like love want need find me us for of in on at by from with is are was and or no not all each "
    "every such right favorite favourite about hear watch see play get eat try have available interesting decent lovely amazing "
    "really very only just one it i main type kind sort find search looking please".split()
)
_BEFORE = re.compile(r"(?<![\w'])([^\W\d_][\w'\-]*)(?=[ ]+([a-z]{4,})\b)", re.IGNORECASE)


def find_kinds(text: str, nouns: Collection[str]) -> list[Span]:
    """The words before one of the nouns, or of a word for the same; nouns: in the singular."""
    wanted = {*nouns, *(word for group in _SAME if group & set(nouns) for word in group)}
    return [
        Span(match.start(1), match.end(1), match[1])
        for match in _BEFORE.finditer(text)
        if match[2].lower().removesuffix("s") in wanted and match[1].lower() not in _NO_KIND
    ]
