"""Scores of one text in every category: what heads and rules say of its pieces, the highest of each.

A long text is judged piece by piece, some sentences each, so that one bad sentence is not lost among good ones, and because the
heads learned from short texts.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from zhuli.safety.moderation import groups, heads, rules
from zhuli.safety.moderation.features import Language, cleaned, language_of
from zhuli.safety.moderation.heads import Floats
from zhuli.types.safety.moderation import CATEGORIES

LONGEST: Final = 280
"""Characters of a piece."""

_SENTENCE = re.compile(r"[^。！？!?；;\n.]+[。！？!?；;\n.]*")
_WORD = re.compile(r"[\u3400-\u9fff]{2}|[^\W_\u3400-\u9fff]{3,}")


@dataclass(slots=True)
class Scores:
    """by_category: 0 to 1; all of CATEGORIES. over: those at or above the default threshold of their language.

    words: what counted for each, where that was asked for.
    """

    by_category: dict[str, float] = field(default_factory=lambda: dict.fromkeys(CATEGORIES, 0.0))
    over: set[str] = field(default_factory=set)
    words: dict[str, list[str]] = field(default_factory=dict)


def default_threshold(language: Language, category: str) -> float:
    """From which score on a category is flagged: the head's own threshold, and half where a rule judges."""
    head = heads.packaged().get((language, category))
    if head is None and (language, category) == ("zh", "hate"):
        head = heads.packaged()["zh", "harassment"]
    return 0.5 if head is None else round(float(head.threshold), 3)


def pieces(text: str) -> list[str]:
    """The cleaned text in pieces of at most LONGEST characters, cut between sentences where it can be; none of a blank text."""
    made: list[str] = []
    for sentence in _SENTENCE.findall(cleaned_lines(text)):
        for start in range(0, len(sentence), LONGEST):
            part = sentence[start : start + LONGEST]
            if made and len(made[-1]) + len(part) <= LONGEST:
                made[-1] += part
            else:
                made.append(part)
    return [piece.strip() for piece in made if piece.strip()]


def cleaned_lines(text: str) -> str:
    """Each line cleaned, with a line's end between them."""
    return "\n".join(filter(None, map(cleaned, text.splitlines())))


def scores_of(parts: Sequence[str], vectors: Floats, *, explain: bool = False) -> Scores:
    """Of one text. vectors: pieces × numbers, of heads.EMBEDDER."""
    made = Scores()
    for part, vector in zip(parts, vectors, strict=True):
        language = language_of(part)
        for category, score in _piece(part, language, vector).items():
            if score >= default_threshold(language, category):
                made.over.add(category)
            if score > made.by_category[category]:
                made.by_category[category] = score
                if explain and score >= 0.2:
                    made.words[category] = _words(part, category)
    made.by_category = {name: round(score, 4) for name, score in made.by_category.items()}
    return made


def _piece(part: str, language: Language, vector: Floats) -> Mapping[str, float]:
    found = {
        category: float(head.probabilities(vector[np.newaxis], [part])[0])
        for (spoken, category), head in heads.packaged().items()
        if spoken == language
    }
    if language == "zh" and groups.named_in_chinese(part):
        found["hate"] = found["harassment"]
    for category, score in rules.scores(part).items():
        found[category] = max(score, found.get(category, 0.0))
    if "hate" in found and "harassment/threatening" in found:
        found["hate/threatening"] = min(found["hate"], found["harassment/threatening"])
    return found


def _words(part: str, category: str) -> list[str]:
    """What counted: the patterns' words, or else those that the head leans on."""
    if told := rules.words(part, category):
        return told
    language = language_of(part)
    head = heads.packaged().get((language, category)) or heads.packaged()[language, "harassment"]
    return head.strongest(part, _WORD.findall(part))
