"""BM25 (Robertson and Zaragoza 2009) over answers: the yardstick of a match by words alone. Pure."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zhuli.knowledge.retrieval.indexing.segmentation import words

OFTEN, LENGTH = 1.2, 0.75


class Bm25:
    """Statistics are of the answers that were learned from; what is scored may be others."""

    def __init__(self, known: Sequence[str]) -> None:
        counted = [words(text) for text in known]
        self._seen = Counter(word for one in counted for word in set(one))
        self._count = len(counted)
        self._mean = sum(map(len, counted)) / max(1, len(counted))

    def scores(self, question: str, answers: Sequence[Counter[str]]) -> NDArray[np.float64]:
        """One for each answer, given by its counted words."""
        asked = set(words(question))
        return np.array([self._score(asked, one) for one in answers])

    def _score(self, asked: set[str], answer: Counter[str]) -> float:
        long = OFTEN * (1 - LENGTH + LENGTH * answer.total() / self._mean)
        return sum(
            self._rare(word) * answer[word] * (OFTEN + 1) / (answer[word] + long) for word in asked if word in answer
        )

    def _rare(self, word: str) -> float:
        seen = self._seen[word]
        return math.log(1 + (self._count - seen + 0.5) / (seen + 0.5))
