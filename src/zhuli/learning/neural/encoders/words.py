"""Texts cut into the words that are labelled: runs of letters and digits, marks alone, Chinese and Japanese characters alone.

Pure; says where each word stands in its text.
"""

import re
from collections.abc import Collection, Sequence
from itertools import pairwise

Span = tuple[int, int]

_ALONE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Kana and Chinese characters, which are written without spaces."""

_WORD = re.compile(rf"[{_ALONE}]|(?:(?![{_ALONE}])\w)+|[^\w\s]")


def words(text: str, *, cuts: Collection[int] = ()) -> list[Span]:
    """Where the words are. cuts: places that are within no word, such as the ends of labelled spans."""
    found: list[Span] = []
    for match in _WORD.finditer(text):
        start, end = match.span()
        places = [start, *sorted(cut for cut in cuts if start < cut < end), end]
        found += pairwise(places)
    return found


def joined(tokens: Sequence[str]) -> tuple[str, list[Span]]:
    """The text of tokens that somebody else has cut, and where each is in it; a space between, but not next to Chinese."""
    text, spans = "", []
    for token in tokens:
        if text and not (_is_alone(text[-1]) or _is_alone(token[:1])):
            text += " "
        spans.append((len(text), len(text) + len(token)))
        text += token
    return text, spans


def _is_alone(letter: str) -> bool:
    return bool(re.match(rf"[{_ALONE}，。！？、；：“”《》（）]", letter))
