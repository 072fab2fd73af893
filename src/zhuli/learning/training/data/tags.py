"""Tags of tokens in every common scheme (IOB1, IO, BIOES, BILOU, BMES) as BIO: B- begins an entity, I- goes on with it."""

import re
from collections.abc import Sequence

_PREFIXED = re.compile(r"([BIESLMU])[-_](.+)", re.DOTALL)

BEGINS = frozenset("BSU")
ENDS = frozenset("ESLU")


def bio(tags: Sequence[str]) -> list[str]:
    """A tag without a prefix is taken as inside (IO): neighbours of the same kind are one entity."""
    converted: list[str] = []
    open_kind = ""
    for tag in tags:
        if tag in ("O", "o", ""):
            converted.append("O")
            open_kind = ""
            continue
        prefix, kind = match.groups() if (match := _PREFIXED.fullmatch(tag)) else ("I", tag)
        goes_on = prefix not in BEGINS and kind == open_kind
        converted.append(f"{'I' if goes_on else 'B'}-{kind}")
        open_kind = "" if prefix in ENDS else kind
    return converted


def is_tag(text: str) -> bool:
    """Whether this is surely a tag: O, or a kind with a prefix."""
    return text == "O" or _PREFIXED.fullmatch(text) is not None
