"""What the heads of moderation are told of a text beside its sentence vector: its words, hashed.

A change here asks for new heads (`make moderation-heads`).
"""

import html
import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import Final, Literal

from zhuli.core.hashed_words import hashed

Language = Literal["en", "zh"]

PLACES: Final = 16_384
"""Places for words, pairs of words, stretches inside words, and Chinese characters up to three."""

_LINK = re.compile(r"https?://\S+|www\.\S+")
_NAME = re.compile(r"@\w+:?")
_AGAIN = re.compile(r"^(?:\W*RT\b\s*)+")
_WORD = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+(?:'[^\W_\u3400-\u9fff]+)*|[!?]")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_LETTERS = re.compile(r"[^\W\d_]")


def cleaned(text: str) -> str:
    """The text in compatibility form, without links, marks of markup and names of accounts, on one line."""
    plain = unicodedata.normalize("NFKC", html.unescape(text))
    plain = _AGAIN.sub("", _NAME.sub(" ", _LINK.sub(" ", plain)))
    return " ".join(plain.split())


def language_of(text: str) -> Language:
    """Whose heads read the text: "zh" where at least a fifth of its letters are Chinese characters."""
    letters = len(_LETTERS.findall(text))
    return "zh" if letters and len(_CHINESE.findall(text)) * 5 >= letters else "en"


def places(text: str) -> dict[int, float]:
    """Places of a cleaned text, with weights of unit length together; none where it has no words."""
    return hashed(_grams(text.casefold()), PLACES)


def _grams(text: str) -> Iterator[str]:
    words = _WORD.findall(text)
    yield from words
    yield from (f"{one} {other}" for one, other in pairwise(["<", *words, ">"]))
    for at in range(len(words) - 2):
        if all(map(_CHINESE.match, words[at : at + 3])):
            yield "".join(words[at : at + 3])
    for word in words:
        if len(word) > 4 and word.isascii():
            yield from (f"_{word[at : at + 4]}" for at in range(len(word) - 3))
