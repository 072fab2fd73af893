"""Listed values in a text, by their names and synonyms, also in the plural and with typing errors.

The longest name wins. English names match whole words; Chinese ones anywhere, as there are no spaces.

Typing errors: a name of one word needs at least 5 letters, the first of them right; one wrong, missing, doubled or swapped letter
is forgiven, from 8 letters on two (distances by rapidfuzz's OSA). Of several words, so many in all. Ordinary words (common_words)
are never errors. Chinese names need at least 4 characters, of which one may be wrong: at 3, 红烧鱼 would be 红烧肉.
"""

import functools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from zhuli.language.common_words import COMMON_WORDS
from zhuli.language.listed_words import Word, singular, words_of
from zhuli.language.plain_text import plain
from zhuli.language.spans import Span, outside
from zhuli.types.domain import EntityValue

_SHORTEST = 5
"""Letters of a name that may be mistyped."""

_TWO_FROM = 8
"""Letters from which on two errors are forgiven."""

_SHORTEST_CHINESE = 4


@dataclass
class _Names:
    """Names ready to be looked up. tree: by words, the value under None; near: by number of words and first letter."""

    tree: dict[Any, Any] = field(default_factory=dict)
    near: dict[tuple[int, str], dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    chinese: list[tuple[str, str]] = field(default_factory=list)
    most_words: int = 0


def find_listed(text: str, values: Sequence[EntityValue]) -> list[tuple[Span, float | None]]:
    """The values that a plain text names, each with how like its name the words are; None where they are the same."""
    names = _names(tuple((value.value, *value.synonyms) for value in values))
    words = words_of(text)
    exact = list(_exact(words, names.tree))
    rest = [word for word in words if outside([Span(word.start, word.end, None)], exact)]
    near = [*_mistyped(rest, names), *_mistyped_chinese(text, names)]
    guesses = {span: likeness for span, likeness in near if outside([span], exact)}
    return sorted([*((span, None) for span in exact), *guesses.items()], key=lambda found: found[0].start)


@functools.lru_cache(maxsize=256)
def _names(values: tuple[tuple[str, ...], ...]) -> _Names:
    """Names of (value, synonyms …); the first value that has a name keeps it."""
    names = _Names()
    for value, *synonyms in values:
        for name in (value, *synonyms):
            _add(names, words_of(plain(name)), value)
    return names


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
    elif len(words) >= _SHORTEST_CHINESE and all(len(word.text) == 1 and word.text > "\u33ff" for word in words):
        names.chinese.append(("".join(word.text for word in words), value))


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
    for name, value in names.chinese:
        half = len(name) // 2
        for part, offset in ((name[:half], 0), (name[half:], half)):
            start = text.find(part) - offset
            said = text[start : start + len(name)] if start >= 0 else ""
            if len(said) == len(name) and sum(a != b for a, b in zip(said, name, strict=True)) == 1:
                yield Span(start, start + len(name), value), round(1 - 1 / len(name), 3)
                break
