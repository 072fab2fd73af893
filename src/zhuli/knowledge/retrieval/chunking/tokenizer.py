"""Tokens by OpenAI's tokenizer o200k_base, which comes with a package: nothing is downloaded.

It measures how long texts are. Models of ours have tokenizers of their own, and nothing here is for them.
"""

import re
from array import array
from bisect import bisect_left, bisect_right
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import Any

from zhuli.core.errors import ConfigurationError

TOKENIZER = "o200k_base"

_PIECE = 128
"""Characters between two marks of a ruler, at least: few enough to be counted again in some microseconds."""

# o200k_base first splits a text by a regular expression and then merges bytes within each part. No part reaches over
# these places, whatever stands around them: before the space behind a word, where a line begins with anything but a
# space or "/" (which can join punctuation before the line's end), and before CJK punctuation behind a CJK letter.
_SEAM = re.compile(
    r"(?<=\S)(?= )|(?<=\n)(?=[^\s/])"
    r"|(?<=[\u4e00-\u9fff\u3041-\u3096\u30a1-\u30fa])(?=[\u3001\u3002\uff0c\uff01\uff1f\uff1b\uff1a])"
)


def count(text: str) -> int:
    """How many tokens the text has."""
    tokens: int = _encoding().count(text)
    return tokens


class Ruler:
    """Counts the tokens of any piece of one text, exactly, without reading the whole piece each time."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._marks = array("q", [0])
        self._counts = array("q", [0])
        while self._marks[-1] < len(text):
            seam = _SEAM.search(text, self._marks[-1] + _PIECE)
            mark = seam.start() if seam else len(text)
            self._counts.append(self._counts[-1] + count(text[self._marks[-1] : mark]))
            self._marks.append(mark)

    @property
    def tokens(self) -> int:
        """Of the whole text."""
        return self._counts[-1]

    def between(self, start: int, end: int) -> int:
        """Tokens of text[start:end]."""
        first, last = bisect_left(self._marks, start), bisect_right(self._marks, end) - 1
        if first >= last:
            return count(self._text[start:end])
        inside = self._counts[last] - self._counts[first]
        before, after = self._text[start : self._marks[first]], self._text[self._marks[last] : end]
        return inside + (count(before) if before else 0) + (count(after) if after else 0)

    def reach(self, start: int, most: int) -> int:
        """An end such that text[start:end] has at most `most` tokens, and a few characters more would be too many."""
        near, end = self._mark_before_limit(start, most), len(self._text)
        step, far = _PIECE, min(end, near + _PIECE)
        while far < end and self.between(start, far) <= most:
            step *= 2
            near, far = far, min(end, far + step)
        if self.between(start, far) <= most:
            return far
        while far - near > 1:
            middle = (near + far) // 2
            fits = self.between(start, middle) <= most
            near, far = (middle, far) if fits else (near, middle)
        return near

    def reach_back(self, end: int, most: int, *, after: int) -> int:
        """A start beyond `after`, which is too far, such that text[start:end] has at most `most` tokens."""
        near = max(self._mark_behind_limit(end, most), after + 1)
        step, far = _PIECE, max(after, near - _PIECE)
        while far > after and self.between(far, end) <= most:
            step *= 2
            near, far = far, max(after, far - step)
        while near - far > 1:
            middle = (near + far) // 2
            fits = self.between(middle, end) <= most
            near, far = (middle, far) if fits else (near, middle)
        return near

    def _mark_before_limit(self, start: int, most: int) -> int:
        """The last mark that `most` tokens from `start` reach; `start` itself if there is none, or the next one is far."""
        first = bisect_left(self._marks, start)
        if self._marks[first] - start > 4 * _PIECE:
            return start
        room = self._counts[first] + most - count(self._text[start : self._marks[first]])
        return max(start, self._marks[max(0, bisect_right(self._counts, room) - 1)])

    def _mark_behind_limit(self, end: int, most: int) -> int:
        """The first mark from which it is at most `most` tokens to `end`; or `end` itself, likewise."""
        last = bisect_right(self._marks, end) - 1
        if end - self._marks[last] > 4 * _PIECE:
            return end
        room = self._counts[last] - most + count(self._text[self._marks[last] : end])
        found = bisect_left(self._counts, room)
        return min(end, self._marks[found]) if found < len(self._marks) else end


def _encoding() -> Any:
    return encoding(TOKENIZER)


@cache
def encoding(name: str) -> Any:
    """One of the tokenizers of the package, by OpenAI's name."""
    # The package's own front loads all its tables a second time, as Python objects: three seconds, in which no other thread runs,
    # and 100 MB. Importing anything of the package by its name would load that front.
    package = find_spec("bpe_openai")
    found = package and PathFinder.find_spec("_bindings", package.submodule_search_locations)
    if not (found and found.loader):
        raise ConfigurationError("Cutting files needs the extra 'knowledge': pip install 'zhuli[knowledge]'.")
    bindings = module_from_spec(found)
    found.loader.exec_module(bindings)
    return bindings.tokenizer_for_encoding(name)
