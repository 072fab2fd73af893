"""Listed values in a text, by their names and synonyms, also in the plural and with typing errors.

The longest name wins. English names match whole words; Chinese ones anywhere, as there are no spaces.

Typing errors: a name of one word needs at least 5 letters, the first of them right; one wrong, missing, doubled or swapped letter
is forgiven, from 8 letters on two (distances by rapidfuzz's OSA). Of several words, so many in all. Ordinary words (common_words)
are never errors. Chinese names need at least 4 characters, of which one may be wrong: at 3, 红烧鱼 would be 红烧肉.
"""

import functools
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from zhuli.types.understanding.domain import EntityValue
from zhuli.understanding.language.entity_extraction.common_words import COMMON_WORDS
from zhuli.understanding.language.entity_extraction.listed_words import Word, singular, words_of
from zhuli.understanding.language.plain_text import plain
from zhuli.understanding.language.spans import Span, apart, outside

_SHORTEST = 5
"""Letters of a name that may be mistyped."""

_TWO_FROM = 8
"""Letters from which on two errors are forgiven."""

_SHORTEST_CHINESE = 4

_LOOSENED = 3
"""Characters from which on 个 may stand behind the first: 换个机油 is 换机油."""


_PARTS_OF_DAY = {"morning": ("am", "a.m."), "afternoon": ("pm", "p.m.")}

_WITHOUT = re.compile(r"(?:no|without) (?P<what>[a-z ]{2,20})|[不免无](?:要|放|加)?(?P<chinese>[\u3400-\u9fff]{1,3})")
_DENYING = ("no", "without", "without any", "hold the", "skip the", "leave out the", "don't put", "not any")
_DENYING_CHINESE = ("不", "不要", "不要放", "不放", "不加", "别", "别放", "别加", "免", "无", "不用放")
"""How a value is said that is for leaving something out."""


@dataclass
class _Names:
    """Names ready to be looked up.

    tree: by words, the value under None. near: English names by number of words and first letter. halves: Chinese names with
    their values by each of their halves, and where in the name it stands.
    """

    tree: dict[Any, Any] = field(default_factory=dict)
    near: dict[tuple[int, str], dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    halves: dict[str, list[tuple[str, int, str]]] = field(default_factory=lambda: defaultdict(list))
    half_lengths: set[int] = field(default_factory=set)
    most_words: int = 0


class _Listed:
    """A list of values as a key: the same list is the same at once, an equal one after a comparison."""

    def __init__(self, values: Sequence[EntityValue]) -> None:
        self.values = values

    def __hash__(self) -> int:
        return hash((len(self.values), *(value.value for value in self.values[:3])))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Listed) and (self.values is other.values or self.values == other.values)


def find_listed(text: str, values: Sequence[EntityValue]) -> list[tuple[Span, float | None]]:
    """The values that a plain text names, each with how like its name the words are; None where they are the same."""
    names = _names(_Listed(values))
    words = words_of(text)
    exact = list(_exact(words, names.tree))
    taken = {place for span in exact for place in range(span.start, span.end)}
    rest = [word for word in words if word.start not in taken]
    near = [*_mistyped(rest, names), *_mistyped_chinese(text, names)]
    likeness = {(span.start, span.end): like for span, like in near}
    guesses = apart(outside([span for span, _ in near], exact))
    found = [*((span, None) for span in exact), *((span, likeness[span.start, span.end]) for span in guesses)]
    return sorted(found, key=lambda each: each[0].start)


@functools.lru_cache(maxsize=256)
def _names(listed: _Listed) -> _Names:
    """The first value that has a name keeps it."""
    names = _Names()
    for value in listed.values:
        for name in (value.value, *value.synonyms, *_also_called(value)):
            words = words_of(plain(name))
            _add(names, words, value.value)
            if _is_chinese(words) and len(words) >= _LOOSENED:
                _add(names, [words[0], Word("个", 0, 0), *words[1:]], value.value)
    return names


def _also_called(value: EntityValue) -> Iterator[str]:
    """What is said for the same in other words: "pm" for the afternoon, 别放辣 for 不辣, "without nuts" for "no nuts"."""
    for name in (value.value, *value.synonyms):
        read = plain(name).strip()
        yield from _PARTS_OF_DAY.get(read, ())
        if without := _WITHOUT.fullmatch(read):
            denying = _DENYING_CHINESE if without["chinese"] else _DENYING
            yield from (f"{word}{without['chinese'] or ' ' + without['what']}" for word in denying)


def _is_chinese(words: list[Word]) -> bool:
    return all(len(word.text) == 1 and word.text > "\u33ff" for word in words)


def _add(names: _Names, words: list[Word], value: str) -> None:
    if not words:
        return
    branch = names.tree
    for word in words:
        branch = branch.setdefault(word.text, {})
    branch.setdefault(None, value)
    joined = " ".join(word.text for word in words)
    if joined.isascii() and _errors(joined):
        names.near[len(words), joined[0]].setdefault(joined, value)
        names.most_words = max(names.most_words, len(words))
    elif len(words) >= _SHORTEST_CHINESE and _is_chinese(words):
        name = "".join(word.text for word in words)
        half = len(name) // 2
        names.halves[name[:half]].append((name, 0, value))
        names.halves[name[half:]].append((name, half, value))
        names.half_lengths |= {half, len(name) - half}


def _exact(words: list[Word], tree: dict[Any, Any]) -> Iterator[Span]:
    start = 0
    while start < len(words):
        value, stop = _longest(words, start, tree)
        if stop > start:
            yield Span(words[start].start, words[stop - 1].end, value)
        start = max(stop, start + 1)


def _longest(words: list[Word], start: int, tree: dict[Any, Any]) -> tuple[Any, int]:
    """The value of the longest name from a word on, and the word behind it; that word itself if there is no name."""
    value, stop, branch = None, start, tree
    for place in range(start, len(words)):
        said = words[place].text
        spelled = next((form for form in (said, *singular(said), said + "s") if form in branch), None)
        if spelled is None:
            break
        branch = branch[spelled]
        if None in branch:
            value, stop = branch[None], place + 1
    return value, stop


def _errors(name: str, *, missing: int = 0) -> int:
    """How many are forgiven of a name with these letters, and so many more."""
    letters = sum(map(str.isalpha, name)) + missing
    return 0 if letters < _SHORTEST else 1 if letters < _TWO_FROM else 2


def _mistyped(words: list[Word], names: _Names) -> Iterator[tuple[Span, float]]:
    taken = -1
    for start in range(len(words)):
        for count in range(min(names.most_words, len(words) - start), 0, -1):
            those = words[start : start + count]
            found = _nearest(" ".join(word.text for word in those), count, names) if start > taken else None
            if found is not None:
                taken = start + count - 1
                yield Span(those[0].start, those[-1].end, found[0]), found[1]
                break


def _nearest(said: str, count: int, names: _Names) -> tuple[str, float] | None:
    """The value whose name is meant, and the share of its letters that is right."""
    candidates = names.near.get((count, said[0]))
    most = _errors(said, missing=1)
    if not candidates or not most or said in COMMON_WORDS:
        return None
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    found = process.extractOne(said, candidates.keys(), scorer=OSA.distance, score_cutoff=most)
    if found is None or found[1] > _errors(found[0]) or found[1] == 0:
        return None
    return candidates[found[0]], round(1 - found[1] / len(found[0]), 3)


def _mistyped_chinese(text: str, names: _Names) -> Iterator[tuple[Span, float]]:
    """One wrong character leaves one half of the name right."""
    for length in names.half_lengths:
        for place in range(len(text) - length + 1):
            for name, offset, value in names.halves.get(text[place : place + length], ()):
                start = place - offset
                said = text[start : start + len(name)] if start >= 0 else ""
                if len(said) == len(name) and sum(a != b for a, b in zip(said, name, strict=True)) == 1:
                    yield Span(start, start + len(name), value), round(1 - 1 / len(name), 3)
