"""Exact match and F1 of answers that are cut out of a text, in English and in Chinese.

English as in SQuAD's script (Rajpurkar et al. 2016, 2018): lower case, without punctuation and articles, F1 over the bag of
words, the best of several answers. Chinese as in CMRC2018's (Cui et al. 2019): without punctuation, F1 by the longest run of
characters that both share. Numbers are 0 to 1 where those scripts give percents.
"""

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher

import numpy as np

from zhuli.learning.metrics.chinese import has_chinese, segments
from zhuli.learning.metrics.measured import Floats, Measured, Sums, ratio

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def scores(answers: Sequence[list[str]], predictions: Sequence[str]) -> Measured:
    """exact and f1; where some questions have no answer also answered_exact, answered_f1 and unanswered (accuracy).

    answers: those that count as right, [] where the text has none. predictions: "" for saying that there is none.
    """
    rows = [_row(known, said) for known, said in zip(answers, predictions, strict=True)]
    mixed = any(not known for known in answers)
    return Measured([Sums(np.array(rows, dtype=np.float64).reshape(-1, 6), _mixed if mixed else _plain)])


def exact(known: list[str], said: str) -> float:
    """1.0 or 0.0 for one question."""
    if not known:
        return float(not said.strip())
    return float(any(_normal(answer) == _normal(said) for answer in known))


def f1(known: list[str], said: str) -> float:
    """Of the best of the known answers."""
    if not known:
        return float(not said.strip())
    return max(_f1(answer, said) for answer in known)


def _row(known: list[str], said: str) -> list[float]:
    both = [exact(known, said), f1(known, said)]
    return [*both, 1.0, 0.0, 0.0, 0.0] if known else [0.0, 0.0, 0.0, *both, 1.0]


def _plain(sums: Floats) -> dict[str, Floats]:
    return {"exact": ratio(sums[:, 0], sums[:, 2]), "f1": ratio(sums[:, 1], sums[:, 2])}


def _mixed(sums: Floats) -> dict[str, Floats]:
    everything = _plain(sums[:, :3] + sums[:, 3:])
    answered = {f"answered_{name}": values for name, values in _plain(sums[:, :3]).items()}
    return {**everything, **answered, "unanswered": ratio(sums[:, 3], sums[:, 5])}


def _normal(text: str) -> str:
    if has_chinese(text):
        return "".join(segments(text))
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def _f1(answer: str, said: str) -> float:
    chinese = has_chinese(answer) or has_chinese(said)
    cut: Callable[[str], list[str]] = segments if chinese else _words
    wanted, found = cut(answer), cut(said)
    if not wanted or not found:
        return float(wanted == found)
    shared = _longest_run(wanted, found) if chinese else (Counter(wanted) & Counter(found)).total()
    return 2 * shared / (len(wanted) + len(found))


def _words(text: str) -> list[str]:
    return _normal(text).split()


def _longest_run(one: list[str], other: list[str]) -> int:
    return SequenceMatcher(None, one, other, autojunk=False).find_longest_match().size
