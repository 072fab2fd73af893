"""A data file as text, whatever its encoding: UTF-8 as a stream, everything else (UTF-16, GB18030, Latin-1) at once.

Line ends of every system become one kind, so that lines are counted as editors count them.
"""

import codecs
import io
from pathlib import Path
from typing import TextIO

from zhuli.core.decoding import read_text

BLOCK = 1 << 20
"""Bytes that are looked at together."""


def opened(path: Path, *, newline: str | None = None) -> TextIO:
    """The text of `path`, to be closed. newline: as of open(). Unreadable when the encoding can't be told."""
    if _is_utf8(path):
        return path.open(encoding="utf-8-sig", newline=newline)
    return io.StringIO(read_text(path), newline=newline)


def beginning(path: Path, *, characters: int = 1 << 16) -> str:
    """The first characters, for a guess at what the file is."""
    with opened(path) as file:
        return file.read(characters)


def _is_utf8(path: Path) -> bool:
    """Zeros are valid UTF-8, but in a text they mean UTF-16."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                return False
            if 0 in block:
                return False
    return not decoder.getstate()[0]
