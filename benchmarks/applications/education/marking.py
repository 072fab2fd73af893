"""An answer is marked and the mark explained: right, wrong with the mistake behind it, or not sure, which a teacher looks at.

Numbers are read and compared exactly. Words are compared, by vectors of the server's embedder, with examples of right answers
and of known mistakes; the nearest decides, if it is near enough, and nearer than the nearest of the other kind.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.applications.education.sample import Exercise, Language, Mistake

Verdict = Literal["right", "wrong", "unsure"]

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""Vectors of length 1 of texts, a row a text."""

NEAR, APART = 0.86, 0.02
"""Cosines below which nothing is near, and how much nearer one kind must be than the other: of e5-small, whose cosines are
high. Chosen on the examples themselves, each left out in turn (`story --choose`), not on the answers that are reported."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A verdict, and why, in words for the learner."""

    verdict: Verdict
    explanation: str


def marked(exercise: Exercise, given: str, language: Language, embed: Embed) -> Mark:
    """The mark of an answer."""
    if exercise.answer is not None:
        return _number(exercise, given, language)
    found = nearest(exercise, given, embed)
    if found.near < NEAR or abs(found.right - found.wrong) < APART:
        return Mark("unsure", _UNSURE[language])
    if found.right > found.wrong:
        return Mark("right", exercise.explains[language])
    return Mark("wrong", f"{found.mistake.says[language]} {exercise.explains[language]}")


_UNSURE = {"en": "This needs a teacher's eye.", "zh": "这个答案要请老师看一看。"}
_NONE = {"en": "There is no number in this answer. ", "zh": "答案里没有数。"}
_OTHER = {"en": "This is another number than the right one. ", "zh": "结果不对。"}


def _number(exercise: Exercise, given: str, language: Language) -> Mark:
    number = read_number(given)
    if number == exercise.answer:
        return Mark("right", exercise.explains[language])
    why = _NONE[language] if number is None else _OTHER[language]
    for mistake in exercise.mistakes:
        if number is not None and mistake.answer == number:
            why = f"{mistake.says[language]} "
    return Mark("wrong", why + exercise.explains[language])


@dataclass(frozen=True, slots=True)
class Nearest:
    """Cosines with the nearest right example and the nearest of a mistake, and whose that is."""

    right: float
    wrong: float
    mistake: Mistake

    @property
    def near(self) -> float:
        return max(self.right, self.wrong)


def nearest(exercise: Exercise, given: str, embed: Embed, *, without: str | None = None) -> Nearest:
    """without: an example that is left out, for trying."""
    right = [text for text in exercise.right if text != without]
    of_mistakes = [(text, one) for one in exercise.mistakes for text in one.like if text != without]
    vectors = embed([given, *right, *(text for text, _ in of_mistakes)])
    alike = vectors[1:] @ vectors[0]
    wrong = alike[len(right) :]
    return Nearest(float(alike[: len(right)].max()), float(wrong.max()), of_mistakes[int(wrong.argmax())][1])


_DIGITS = {character: number for number, character in enumerate("零一二三四五六七八九")} | {"两": 2}
_CHINESE = "[零一二两三四五六七八九十百]+"
_MIXED = re.compile(r"([-−]?\d+)\s+(\d+)\s*/\s*(\d+)")
_SLASHED = re.compile(r"([-−]?\d+)\s*/\s*(\d+)")
_PLAIN = re.compile(r"([-−]?\d+(?:[.,]\d+)?)\s*(%?)")
_OF = re.compile(rf"(负?)({_CHINESE}|\d+)分之({_CHINESE}|\d+)")
_WORDS = re.compile(rf"(负?)({_CHINESE})")


def read_number(text: str) -> Fraction | None:
    """The last number of an answer: 5/6, 1 1/4, -3, 0.5, 20%, 六分之五, 负三; None where there is none. x = 7 is 7."""
    text = text.replace("−", "-").replace("，", " ")
    text = re.sub(r"(?<=\d)(?=\s*(?:元|米|厘米|平方|cm|m\b|m²|cm²))", " ", text)
    if found := list(_MIXED.finditer(text)):
        whole, top, bottom = (int(part) for part in found[-1].groups())
        return None if bottom == 0 else (1 if whole >= 0 else -1) * (abs(whole) + Fraction(top, bottom))
    if found := list(_SLASHED.finditer(text)):
        top, bottom = (int(part) for part in found[-1].groups())
        return None if bottom == 0 else Fraction(top, bottom)
    if found := list(_OF.finditer(text)):
        sign, bottom_, top_ = found[-1].groups()
        below = _counted(bottom_)
        return None if not below else (-1 if sign else 1) * Fraction(_counted(top_), below)
    if found := list(_PLAIN.finditer(text)):
        number = Fraction(found[-1].group(1).replace(",", "."))
        return number / 100 if found[-1].group(2) else number
    if found := list(_WORDS.finditer(text)):
        return (-1 if found[-1].group(1) else 1) * Fraction(_counted(found[-1].group(2)))
    return None


def _counted(text: str) -> int:
    """A Chinese numeral below a thousand, or digits."""
    if text.isdigit() and text.isascii():
        return int(text)
    total = digit = 0
    for character in text:
        if character in "十百":
            total, digit = total + (digit or 1) * (10 if character == "十" else 100), 0
        else:
            digit = _DIGITS[character]
    return total + digit
