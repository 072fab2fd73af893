"""A model that matches answers to questions, learned from pairs: two low-rank maps of a text's numbers into one space. Pure.

The numbers of a text are its sentence vector and its words (word_features), so that both what is meant and which rare words
stand there count. The maps begin as the strongest directions in which questions and their answers vary together (a singular value
decomposition of their covariance), and learn by the answers of other questions in a batch as wrong ones (Henderson et al.
2017), with Adam. numpy alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from zhuli.understanding.language.intent_classification.word_features import WordFeatures

Floats = NDArray[np.float32]

RANK = 128
EPOCHS = 6
"""More learn the pairs by heart: on CrossWOZ's development part, 12 are three points worse than 6."""

BATCH = 256
SHARPNESS = 12.0
"""By which cosines are multiplied before the softmax."""

STEP = 3e-3
DECAY = 1e-4
WORDS = 0.7
"""What a text's words weigh beside its sentence vector."""

NEAREST = 20.0
"""How sharply like questions are preferred to others, where their answers vote."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """Scores answers for questions. middle: of vectors of questions, and of answers."""

    words: WordFeatures
    middle: tuple[Floats, Floats]
    maps: tuple[Floats, Floats]
    asked: Floats
    said: Floats

    @classmethod
    def learned(
        cls, questions: Sequence[str], answers: Sequence[str], vectors: tuple[Floats, Floats], *, seed: int = 0
    ) -> Self:
        """vectors: a row a pair, of its question and of its answer. The same pairs teach the same."""
        words = WordFeatures.of([*questions, *answers])
        middle = vectors[0].mean(axis=0), vectors[1].mean(axis=0)
        asked = _numbers(vectors[0] - middle[0], words.rows(questions))
        said = _numbers(vectors[1] - middle[1], words.rows(answers))
        return cls(words, middle, _fitted(asked, said, np.random.default_rng(seed)), asked, said)

    def scores(
        self, questions: Sequence[str], asked: Floats, answers: Sequence[str], said: Floats, *, votes: float = 1.0
    ) -> Floats:
        """questions × answers: higher is likelier. asked, said: their vectors. votes: what like questions' answers count."""
        given = _numbers(asked - self.middle[0], self.words.rows(questions))
        offered = _numbers(said - self.middle[1], self.words.rows(answers))
        matched = _unit(given @ self.maps[0]) @ _unit(offered @ self.maps[1]).T
        if votes == 0.0:
            return _standard(matched)
        near = np.exp(NEAREST * (given @ self.asked.T) / (1 + WORDS**2))
        near /= near.sum(axis=1, keepdims=True)
        voted = (near @ self.said) @ offered.T
        summed: Floats = _standard(matched) + np.float32(votes) * _standard(voted)
        return summed


def _numbers(vectors: Floats, words: Floats) -> Floats:
    return np.hstack([_unit(vectors), words * np.float32(WORDS)]).astype(np.float32)


def _fitted(asked: Floats, said: Floats, dice: np.random.Generator) -> tuple[Floats, Floats]:
    """The maps of questions and of answers."""
    left, strength, right = np.linalg.svd(asked.T @ said / len(asked), full_matrices=False)
    rank = min(RANK, len(strength))
    maps = [
        np.ascontiguousarray(left[:, :rank] * np.sqrt(strength[:rank])).astype(np.float32),
        np.ascontiguousarray(right[:rank].T * np.sqrt(strength[:rank])).astype(np.float32),
    ]
    for rows, one in zip((asked, said), maps, strict=True):
        one /= np.sqrt(np.mean(np.sum((rows @ one) ** 2, axis=1))) + np.float32(1e-9)
    first, second = [np.zeros_like(one) for one in maps], [np.zeros_like(one) for one in maps]
    done, batch = 0, min(BATCH, len(asked))
    for _ in range(EPOCHS):
        order = dice.permutation(len(asked))
        for start in range(0, len(order) - batch + 1, batch):
            rows = order[start : start + batch]
            done += 1
            for place, slope in enumerate(_slopes(asked[rows], said[rows], maps)):
                first[place] = 0.9 * first[place] + 0.1 * slope
                second[place] = 0.999 * second[place] + 0.001 * slope * slope
                moved = (first[place] / (1 - 0.9**done)) / (np.sqrt(second[place] / (1 - 0.999**done)) + 1e-8)
                maps[place] -= np.float32(STEP) * moved
    return maps[0], maps[1]


def _slopes(asked: Floats, said: Floats, maps: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Of the mean of both directions' log losses, each question's own answer among all of the batch."""
    given, offered = asked @ maps[0], said @ maps[1]
    lengths = np.linalg.norm(given, axis=1, keepdims=True) + 1e-9, np.linalg.norm(offered, axis=1, keepdims=True) + 1e-9
    placed, theirs = given / lengths[0], offered / lengths[1]
    cosines = np.float32(SHARPNESS) * placed @ theirs.T
    right = np.eye(len(asked), dtype=np.float32)
    wrong = ((_softmax(cosines) - right) + (_softmax(cosines.T) - right).T) * np.float32(SHARPNESS / len(asked) / 2)
    back, forth = wrong @ theirs, wrong.T @ placed
    back = (back - placed * (back * placed).sum(axis=1, keepdims=True)) / lengths[0]
    forth = (forth - theirs * (forth * theirs).sum(axis=1, keepdims=True)) / lengths[1]
    return asked.T @ back + DECAY * maps[0], said.T @ forth + DECAY * maps[1]


def _softmax(rows: Floats) -> Floats:
    raised = np.exp(rows - rows.max(axis=1, keepdims=True))
    shares: Floats = raised / raised.sum(axis=1, keepdims=True)
    return shares


def _standard(rows: Floats) -> Floats:
    """Each row around its mean, in its own spread, so that two kinds of scores can be added."""
    made: Floats = (rows - rows.mean(axis=1, keepdims=True)) / (rows.std(axis=1, keepdims=True) + np.float32(1e-9))
    return made


def _unit(rows: Floats) -> Floats:
    made: Floats = (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)).astype(np.float32)
    return made
