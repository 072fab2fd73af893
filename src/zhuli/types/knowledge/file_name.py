"""What a file may be called: one line, no path, no longer than file systems take; its extension survives. Pure."""

import unicodedata

LONGEST_NAME = 255
"""Characters."""

_LONGEST_EXTENSION = 32

UNNAMED = "upload"


def clean(name: str) -> str:
    """The last part of a path, without control characters and marks that turn the direction of reading."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    shown = "".join(sign for sign in last if not _hidden(sign)).strip()
    if not shown.strip("."):
        return UNNAMED
    if len(shown) <= LONGEST_NAME:
        return shown
    stem, dot, extension = shown.rpartition(".")
    if not stem or len(extension) > _LONGEST_EXTENSION:
        return shown[:LONGEST_NAME]
    return f"{stem[: LONGEST_NAME - len(extension) - 1]}{dot}{extension}"


def _hidden(sign: str) -> bool:
    """A right-to-left override makes gpj.exe of exe.jpg; a lone surrogate is no character."""
    return (
        unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp")
        or "\u202a" <= sign <= "\u202e"
        or "\u2066" <= sign <= "\u2069"
    )
