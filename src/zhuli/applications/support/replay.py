"""What replayed matters come to: recall, shares, the trade-off curve, beside the yardsticks. Pure; runs in a child.

What was really answered says what is right. Where the transcripts label it, that is the template of its label, or none where no
template has it; elsewhere the template that is nearest to it by vectors, if it is near enough, or none. Where none is right, to
hand over would have been. Vectors are no people: they call a good answer in other words wrong now and then.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zhuli.applications.support.lexical import Bm25
from zhuli.applications.support.outcome import Outcome
from zhuli.knowledge.retrieval.indexing.segmentation import words

Floats = NDArray[np.float32]

ALIKE = 0.5
"""Cosine, around the middle of all answers, from which on a real answer is one of a template."""

MOST_WRONG = 0.05
"""Of all matters: what may be wrong and sure at the point that is recommended."""


def report(
    matters: Sequence[Outcome],
    templates: Sequence[str],
    texts: Sequence[str],
    *,
    labelled: Sequence[str | None],
    questions: Floats,
    references: Floats,
    answers: Floats,
    cost_of_contact: float,
    seconds: float,
) -> dict[str, Any]:
    """templates, texts, answers: names, words, vectors. questions, references: a row a matter, of what was asked and answered.

    labelled: the template that is right by the matter's label, "" where none is; None for a matter without a label.
    """
    by_vectors = _truths(references, answers, templates)
    truths = [near if told is None else told or None for near, told in zip(by_vectors, labelled, strict=True)]
    known = [place for place, truth in enumerate(truths) if truth is not None]
    first = [matter.ranked[0] if matter.ranked else None for matter in matters]
    outcomes = Counter(matter.outcome for matter in matters)
    answered = [place for place, matter in enumerate(matters) if matter.outcome == "answered"]
    wrong = sum(first[place] != truths[place] for place in answered)
    count = max(1, len(matters))
    curve = _curve(matters, first, truths)
    allowed = [point for point in curve if point["wrong"] <= MOST_WRONG]
    handed = outcomes["handed_over"] / count
    return {
        "matters": len(matters),
        "with_a_template": len(known),
        "recall": {
            "desk": _recall([matters[place].ranked for place in known], [truths[place] for place in known]),
            "bm25": _recall(_by_words(matters, known, templates, texts), [truths[place] for place in known]),
            "untuned_vectors": _recall(
                _by_vectors(questions[known], answers, templates), [truths[place] for place in known]
            ),
        },
        "intent_accuracy": _mean([first[place] == truths[place] for place in known]),
        "shares": {name: round(outcomes[name] / count, 4) for name in ("answered", "asked", "searched", "handed_over")},
        "wrong_and_sure": round(wrong / count, 4),
        "always_handing_over": {"answered": 0.0, "wrong_and_sure": 0.0, "cost": cost_of_contact},
        "cost_per_contact": round(handed * cost_of_contact, 4),
        "seconds_per_contact": round(seconds / count, 4),
        "curve": curve,
        "recommended": max(allowed, key=lambda point: point["answered"], default=None),
    }


def _truths(references: Floats, answers: Floats, templates: Sequence[str]) -> list[str | None]:
    """The template of each real answer; None where it is none of them."""
    if not len(answers):
        return [None] * len(references)
    middle = np.vstack([references, answers]).mean(axis=0)
    near = _unit(references - middle) @ _unit(answers - middle).T
    best = near.argmax(axis=1)
    return [templates[one] if near[row, one] >= ALIKE else None for row, one in enumerate(best)]


def _curve(
    matters: Sequence[Outcome], first: Sequence[str | None], truths: Sequence[str | None]
) -> list[dict[str, float]]:
    """What is answered and wrong, of all matters, where so much certainty is asked for."""
    count, points = max(1, len(matters)), []
    for point in np.round(np.arange(0.0, 1.0001, 0.05), 2):
        some = [
            place
            for place, matter in enumerate(matters)
            if matter.free and first[place] is not None and matter.certainty >= point
        ]
        wrong = sum(first[place] != truths[place] for place in some)
        points.append(
            {"point": float(point), "answered": round(len(some) / count, 4), "wrong": round(wrong / count, 4)}
        )
    return points


def _by_words(
    matters: Sequence[Outcome], known: Sequence[int], templates: Sequence[str], texts: Sequence[str]
) -> list[list[str]]:
    counted, lexical = [Counter(words(text)) for text in texts], Bm25(texts)
    return [
        [templates[one] for one in np.argsort(-lexical.scores(matters[place].question, counted), kind="stable")]
        for place in known
    ]


def _by_vectors(questions: Floats, answers: Floats, templates: Sequence[str]) -> list[list[str]]:
    if not len(answers):
        return [[] for _ in questions]
    return [[templates[one] for one in np.argsort(-row, kind="stable")] for row in questions @ answers.T]


def _recall(ranked: Sequence[Sequence[str]], truths: Sequence[str | None]) -> dict[str, float | None]:
    pairs = list(zip(ranked, truths, strict=True))
    return {f"@{most}": _mean([truth in names[:most] for names, truth in pairs]) for most in (1, 5)}


def _mean(held: Sequence[bool]) -> float | None:
    return round(float(np.mean(held)), 4) if held else None


def _unit(rows: Floats) -> Floats:
    made: Floats = (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)).astype(np.float32)
    return made
