"""The baseline: a message has the intent of the example that BM25 finds for it, which takes nothing but counting words.

Words are the language room's tokens in lower case (Chinese: characters and pairs of them). Robertson and Zaragoza 2009, The
Probabilistic Relevance Framework, with the usual k1 = 1.2 and b = 0.75.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from zhuli.understanding.language.tokens import tokens, unspaced

K1, B = 1.2, 0.75
AT_ONCE = 200


def words(text: str) -> list[str]:
    found = [token.text.lower() for token in tokens(text) if token.text[0].isalnum()]
    pairs = [first + second for first, second in pairwise(found) if unspaced(first) and unspaced(second)]
    return [*found, *pairs]


class Nearest:
    """Finds the example that is most like a text."""

    def __init__(self, examples: Sequence[str]) -> None:
        self._counter = CountVectorizer(analyzer=words)
        counts = self._counter.fit_transform(examples).tocoo()
        lengths = np.bincount(counts.row, weights=counts.data, minlength=len(examples))
        holds = np.bincount(counts.col, minlength=counts.shape[1])
        rarity = np.log(1 + (len(examples) - holds + 0.5) / (holds + 0.5))
        longer = 1 - B + B * lengths[counts.row] / lengths.mean()
        counts = counts.astype(np.float64)
        counts.data = rarity[counts.col] * counts.data * (K1 + 1) / (counts.data + K1 * longer)
        self._weights = counts.tocsr()

    def find(self, texts: Sequence[str]) -> list[tuple[int, float]]:
        """For each text the number of the example and its score, of several the first; 0 and no score without a common word."""
        found: list[tuple[int, float]] = []
        for start in range(0, len(texts), AT_ONCE):
            asked = self._counter.transform(texts[start : start + AT_ONCE])
            scores = (asked @ self._weights.T).toarray()
            best = scores.argmax(axis=1)
            found += [(int(number), float(row[number])) for number, row in zip(best, scores, strict=True)]
        return found
