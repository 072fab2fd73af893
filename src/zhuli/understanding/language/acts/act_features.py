"""What the head for dialogue acts is told of a message beside its sentence vector: words, what patterns say, what was asked."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from zhuli.core.hashed_words import hashed
from zhuli.understanding.language.acts.dialogue_acts import act_of, correction, only_greets
from zhuli.understanding.language.plain_text import MOST_CHARACTERS, plain
from zhuli.understanding.language.tokens import tokens, unspaced

Floats = NDArray[np.float32]

Question = Literal["none", "value", "yes_no", "choice"]
"""What was open: nothing, a slot's value, a yes or no (also: is all of this right?), or which of the offered intents."""

QUESTIONS: Final[tuple[Question, ...]] = ("none", "value", "yes_no", "choice")

PATTERNS: Final = ("affirm", "deny", "cancel", "correct", "handover", "correction", "greeting")
"""What the patterns of English and Chinese words say: evidence beside other, no verdict."""

WORDS: Final = 2048
"""Places for words, pairs of them, and how the text begins and ends."""

SIZE: Final = WORDS + len(PATTERNS) + len(QUESTIONS)


def rows(texts: Sequence[str], questions: Sequence[Question | None]) -> Floats:
    """texts × SIZE. questions: what was open before each; None: not known."""
    made = np.zeros((len(texts), SIZE), np.float32)
    for row, text, question in zip(made, texts, questions, strict=True):
        _hash(row, text)
        for place, told in enumerate(_patterns(text)):
            row[WORDS + place] = told
        if question is not None:
            row[WORDS + len(PATTERNS) + QUESTIONS.index(question)] = 1
    return made


def _patterns(text: str) -> list[bool]:
    said = act_of(text)
    return [*(said == name for name in PATTERNS[:5]), correction(text), only_greets(text)]


def _hash(row: Floats, text: str) -> None:
    for place, weight in hashed(_grams(text), WORDS).items():
        row[place] = weight


def _grams(text: str) -> Iterator[str]:
    words = [one.text for one in tokens(plain(text[:MOST_CHARACTERS])) if one.text[0].isalnum() or unspaced(one.text)]
    edged = ["<", *words, ">"]
    yield from words
    yield from (f"{one} {other}" for one, other in pairwise(edged))
    yield from (" ".join(edged[start : start + 3]) for start in range(len(edged) - 2))
