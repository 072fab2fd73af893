"""The baseline: a message has the intent of the example that BM25 finds for it, which takes nothing but counting words.

Words are the language room's tokens in lower case (Chinese: characters and pairs of them). Robertson and Zaragoza 2009, The
Probabilistic Relevance Framework, with the usual k1 = 1.2 and b = 0.75.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

from zhuli.language.tokens import tokens, unspaced

K1, B = 1.2, 0.75


def words(text: str) -> list[str]:
    found = [token.text.lower() for token in tokens(text) if token.text[0].isalnum()]
    pairs = [first + second for first, second in pairwise(found) if unspaced(first) and unspaced(second)]
    return [*found, *pairs]


class Nearest:
    """Finds the example that is most like a text."""

    def __init__(self, texts: Sequence[str]) -> None:
        counted = [Counter(words(text)) for text in texts]
        lengths = [sum(counts.values()) for counts in counted]
        usual = sum(lengths) / len(lengths)
        holds = Counter(word for counts in counted for word in counts)
        rarity = {word: math.log(1 + (len(texts) - n + 0.5) / (n + 0.5)) for word, n in holds.items()}
        self._weights = defaultdict[str, list[tuple[int, float]]](list)
        for number, (counts, length) in enumerate(zip(counted, lengths, strict=True)):
            for word, times in counts.items():
                share = times * (K1 + 1) / (times + K1 * (1 - B + B * length / usual))
                self._weights[word].append((number, rarity[word] * share))

    def find(self, text: str) -> tuple[int, float]:
        """The number of the example and its score; of several the first, and the first example with score 0 of none."""
        scores = defaultdict[int, float](float)
        for word in words(text):
            for number, weight in self._weights.get(word, ()):
                scores[number] += weight
        best = max(scores, key=lambda number: (scores[number], -number), default=0)
        return best, scores.get(best, 0.0)
