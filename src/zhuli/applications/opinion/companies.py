"""Companies that a text names, by a list of names: one pass of an automaton over the text, however many names there are. Pure.

A name of letters stands between what is no letter or digit; Chinese names stand anywhere. Tickers, and names of up to four
capitals, are found only as they are written; all others in small and large letters. Of names that overlap the longest counts,
of two as long the first one in the list.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from zhuli.types.applications.opinion import Company, Mention

_SHORT_CAPITALS = re.compile(r"[A-Z0-9&.]{1,4}")
_LETTER = re.compile(r"[^\W_]")
_CHINESE = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class _Name:
    text: str
    company: int
    exact: bool


class CompanyFinder:
    """Of a list of companies. Made once for a list; ahocorasick_rs is imported here."""

    def __init__(self, companies: Sequence[Company]) -> None:
        from ahocorasick_rs import AhoCorasick

        self._ids = [company.id for company in companies]
        self._names = list(_names(companies))
        patterns = [_lower(name.text) for name in self._names]
        self._automaton: Any = AhoCorasick(patterns) if patterns else None

    def find(self, text: str) -> dict[str, list[Mention]]:
        """Where each company is named, by its id, in the order of their first mentions."""
        if self._automaton is None:
            return {}
        matches = self._automaton.find_matches_as_indexes(_lower(text), overlapping=True)
        fitting = [(start, end, number) for number, start, end in matches if self._fits(text, start, end, number)]
        found: dict[str, list[Mention]] = {}
        last = 0
        for start, end, number in sorted(fitting, key=lambda each: (each[0], -each[1], each[2])):
            if start >= last:
                mention = Mention(start=start, end=end, text=text[start:end])
                found.setdefault(self._ids[self._names[number].company], []).append(mention)
                last = end
        return found

    def _fits(self, text: str, start: int, end: int, number: int) -> bool:
        name = self._names[number]
        if name.exact and text[start:end] != name.text:
            return False
        return not (_joined(text, start) or _joined(text, end))


def _names(companies: Sequence[Company]) -> list[_Name]:
    """All names, each once: the first company that has it keeps it."""
    known: dict[str, _Name] = {}
    for place, company in enumerate(companies):
        for ticker in company.tickers:
            known.setdefault(ticker.strip(), _Name(ticker.strip(), place, exact=True))
        for given in (company.name, *company.aliases, *company.names_zh):
            name = given.strip()
            known.setdefault(name, _Name(name, place, exact=bool(_SHORT_CAPITALS.fullmatch(name))))
    return [name for name in known.values() if name.text]


def _lower(text: str) -> str:
    """In small letters, each in its place: a few letters have small ones of another length, and stay."""
    small = text.lower()
    return small if len(small) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def _joined(text: str, place: int) -> bool:
    """Whether a word goes on at this place: letters or digits on both sides, and neither is Chinese."""
    if not 0 < place < len(text):
        return False
    sides = text[place - 1], text[place]
    return all(_LETTER.match(side) and not _CHINESE.match(side) for side in sides)
