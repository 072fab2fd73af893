"""Words as lists of values are compared: cut from a plain text, without apostrophes and without what separates them.

Han characters are words by themselves. So "New York", "new-york" and "NEW  YORK" are the same, and 北京(西直门) is 北京西直门.
"""

import re
from typing import NamedTuple

_WORD = re.compile(
    "[\u3400-\u9fff\U00020000-\U000323af]|(?:(?![\u3400-\u9fff\U00020000-\U000323af])[^\\W_])+(?:'[a-z]+)*|[+#]|"
    "[\U0001f000-\U0001faff☀-➿]"
)


class Word(NamedTuple):
    """text: without apostrophes; [start, end) in the text it is cut from."""

    text: str
    start: int
    end: int


def words_of(text: str) -> list[Word]:
    """The words of a plain text in their order."""
    return [Word(match[0].replace("'", ""), match.start(), match.end()) for match in _WORD.finditer(text)]


def singular(word: str) -> list[str]:
    """What an English word may be the plural or the genitive of: "sandwiches" of "sandwiche" and "sandwich"."""
    if len(word) < 4 or not word.isascii() or not word.endswith("s") or word.endswith("ss"):
        return []
    endings = [word[:-1]]
    if word.endswith("es"):
        endings.append(word[:-2])
    if word.endswith("ies"):
        endings.append(word[:-3] + "y")
    return endings
