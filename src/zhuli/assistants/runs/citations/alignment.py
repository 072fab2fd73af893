"""Which passage a sentence was taken from, by what the two have in common. Pure, without a model.

A sentence and every stretch of two neighbouring sentences of a passage are sets of features: words, pairs of words, and for
Chinese pairs of characters. A sentence's support is the share of its features, by weight, that one stretch has. Rare
features weigh more (inverse document frequency over the stretches), numbers and names twice; words that say nothing weigh
next to nothing. docs/citations.md has what this gets right, measured by benchmarks/knowledge/citing.py.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from zhuli.assistants.runs.citations.sentences import has_substance, split

THRESHOLD = 0.45
"""Support from which a sentence counts as taken from a passage; chosen on benchmarks/knowledge/citing.py's tuning half."""

_PAIR = 0.5
"""Weight of a pair of words beside a word's."""

_SHARP = 2.0
"""Numbers and names: what they say is rarely there by chance."""

_DULL = 0.1
"""Words of no content."""

_QUOTE = 400
"""Most characters of a quote."""

_TOKEN = re.compile(r"[0-9]+(?:[.,:/%-][0-9]+)*%?|[^\W\d_⺀-鿿豈-﫿]+|[⺀-鿿豈-﫿]+", re.UNICODE)

_STOPWORDS = frozenset(
    "a an and are as at be been being but by can could did do does for from had has have he her his how i if in into is it "
    "its may might more most no not of on or our out over she should so some such than that the their them then there these "
    "they this those to under up was we were what when where which while who whom why will with would you your also about "
    "after all any before between both during each other only same very according document documents passage file".split()
)
_STOPCHARACTERS = frozenset("的了是在和与及或就也都而着被把对于这那其之为以因所有个们中上下不到来去说要会能可")


@dataclass(frozen=True, slots=True)
class Support:
    """The passage (its place in the list), how much of the sentence it has (0 to 1), and which words of it."""

    passage: int
    score: float
    quote: str


class Alignment:
    """Made from the passages of a search, once; find() takes a fraction of a millisecond for 20 of them."""

    def __init__(self, passages: Sequence[str]) -> None:
        self._stretches: list[tuple[int, str]] = []
        self._having: defaultdict[str, list[int]] = defaultdict(list)
        for number, passage in enumerate(passages):
            for stretch in _stretches(passage):
                for feature in features(stretch):
                    self._having[feature].append(len(self._stretches))
                self._stretches.append((number, stretch))

    def find(self, sentence: str) -> Support | None:
        """The stretch that supports the sentence best, of the first passage that has it; None where none does."""
        best = self.best(sentence)
        return best if best is not None and best.score >= THRESHOLD else None

    def best(self, sentence: str) -> Support | None:
        """The same whatever its score; None for a sentence that says too little."""
        if not self._stretches or not has_substance(sentence):
            return None
        scores: Counter[int] = Counter()
        total = 0.0
        for feature, weight in features(sentence).items():
            having = self._having.get(feature, ())
            value = weight * self._rarity(len(having))
            total += value
            for stretch in having:
                scores[stretch] += value  # type: ignore[assignment]
        if not scores or total <= 0:
            return None
        place = max(scores, key=lambda n: (round(scores[n], 6), -n))
        number, text = self._stretches[place]
        return Support(number, scores[place] / total, text[:_QUOTE])

    def _rarity(self, having: int) -> float:
        """Inverse document frequency, from 1 for what every stretch has; a feature that none has is the rarest."""
        return 1.0 + math.log((1 + len(self._stretches)) / (1 + having))


def features(text: str) -> dict[str, float]:
    """What a text consists of, each with its weight."""
    found: dict[str, float] = {}
    previous = ""
    for position, token in enumerate(_TOKEN.finditer(text)):
        word = token.group()
        if word[0] >= "⺀":
            _add_characters(found, word)
            previous = ""
            continue
        stem, weight = _word(word, first=position == 0)
        found[stem] = weight
        if previous and stem:
            found[f"{previous} {stem}"] = _PAIR * (weight if weight < 1 else 1.0)
        previous = stem if weight >= 1 else ""
    return found


def _word(word: str, *, first: bool) -> tuple[str, float]:
    lower = word.lower()
    if lower in _STOPWORDS:
        return lower, _DULL
    if word[0].isdigit():
        return lower, _SHARP
    return _stem(lower), _SHARP if word[0].isupper() and not first else 1.0


def _stem(word: str) -> str:
    """Without the endings that a rewording changes most; not a linguist's stem."""
    for ending in ("ing", "ied", "ies", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            return word[: -len(ending)]
    return word


def _add_characters(found: dict[str, float], run: str) -> None:
    for character in run:
        found.setdefault(character, _DULL if character in _STOPCHARACTERS else 0.3)
    for pair in pairwise(run):
        dull = sum(character in _STOPCHARACTERS for character in pair)
        found["".join(pair)] = (1.0, 0.4, _DULL)[dull]


def _stretches(passage: str) -> list[str]:
    """Every two neighbouring sentences, as they stand in the passage."""
    places: list[tuple[int, int]] = []
    end = 0
    for sentence in split(passage):
        start = passage.index(sentence, end)
        end = start + len(sentence)
        places.append((start, end))
    if len(places) == 1:
        return [passage[start:end] for start, end in places]
    return [passage[one:two] for (one, _), (_, two) in pairwise(places)]
