"""Cuts a text into words with their places, the same way for English and Chinese; nothing is changed or left out but space.

Words are runs of letters or of digits; what follows an apostrophe stands alone ("John", "'s"), so that a name can be told
from its ending. Scripts without spaces give a word for each character: no dictionary decides where a name ends. Numbers
keep their points and colons (3.5, 10:30). Anything else is a word for each character.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from zhuli.understanding.language.plain_text import MOST_CHARACTERS

_UNSPACED = "\u2e80-\u2fdf\u3005-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
"""Han characters with their radicals, kana and bopomofo, as in retrieval's segmentation."""

_TOKEN = re.compile(
    rf"[{_UNSPACED}]"
    r"|\d+(?:[.,:]\d+)*"
    rf"|(?:(?![{_UNSPACED}])[^\W\d_])+"
    rf"|['’](?:(?![{_UNSPACED}])[^\W\d_])+"
    r"|[^\s]"
)
_HAN = re.compile(rf"[{_UNSPACED}]")


@dataclass(frozen=True, slots=True)
class Token:
    """text is what stands at [start, end) of the text that it is cut from, in characters."""

    text: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """The words of `text` in their order."""
    return list(_kept(text)) if len(text) <= MOST_CHARACTERS else _cut(text)


@lru_cache(1024)
def _kept(text: str) -> tuple[Token, ...]:
    """Every rule asks for the same message anew."""
    return tuple(_cut(text))


def _cut(text: str) -> list[Token]:
    return [Token(found.group(), found.start(), found.end()) for found in _TOKEN.finditer(text)]


def unspaced(word: str) -> bool:
    """Whether the word is a character of a script that is written without spaces."""
    return _HAN.match(word) is not None
