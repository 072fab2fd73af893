"""How right the answers to messages are: intents, spans of entities, and whole frames, with intervals by resampling messages.

Spans are compared as seqeval compares them in its strict mode, a character a word: the same label and the same characters. A
frame is right when its intent and all its spans are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import Any

from benchmarks.understanding.edits import Span
from benchmarks.understanding.intent_sets import Message
from zhuli.learning.metrics import entities
from zhuli.learning.metrics.intervals import interval, resampled
from zhuli.learning.metrics.measured import Measured, means


@dataclass(frozen=True, slots=True)
class Told:
    """What was said to a message. score: how likely it is that this intent is meant, of all that a message may be."""

    intent: str
    score: float
    spans: Sequence[Span] = field(default_factory=list)


def measured(messages: Sequence[Message], told: Sequence[Told]) -> Measured:
    """accuracy of intents; where messages have entities, slot_f1 and frame."""
    right = [float(one.intent == said.intent) for one, said in zip(messages, told, strict=True)]
    found = Measured([means(accuracy=right)])
    if not any(message.spans for message in messages):
        return found
    pairs = list(zip(messages, told, strict=True))
    spans = entities.scores(
        [_tags(one.text, one.spans) for one, _ in pairs], [_tags(one.text, said.spans) for one, said in pairs]
    )
    whole = [float(hit and set(one.spans) == set(said.spans)) for hit, (one, said) in zip(right, pairs, strict=True)]
    return found.joined(Measured([spans.sums[0]], slot_f1=spans["f1"])).joined(Measured([means(frame=whole)]))


def points(found: Measured) -> dict[str, float]:
    return {name: float(found[name]) for name in ("accuracy", "slot_f1", "frame") if name in found}


def intervals(found: Measured) -> dict[str, list[float]]:
    """Of 95 %, from 1,000 draws of as many messages."""
    drawn = resampled(found, seed=0)
    drawn["slot_f1"] = drawn.get("f1", drawn["accuracy"])
    return {name: interval(drawn[name]) for name in points(found)}


def averaged(runs: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """The mean over seeds of each number, and how far seeds are apart."""
    names = runs[0].keys()
    return {
        "measures": {name: fmean(run[name] for run in runs) for name in names},
        "deviation": {name: stdev(run[name] for run in runs) for name in names} if len(runs) > 1 else {},
    }


def at_threshold(
    messages: Sequence[Message], told: Sequence[Told], outside: Sequence[Told], threshold: float
) -> dict[str, float]:
    """accuracy: of messages in scope that are believed and told rightly; refused: of those out of scope that are not believed."""
    right = [one.intent == said.intent and said.score >= threshold for one, said in zip(messages, told, strict=True)]
    return {"accuracy": fmean(right), "refused": fmean(said.score < threshold for said in outside)}


def threshold_for(outside: Sequence[Told], recall: float) -> float:
    """The least one that refuses this share of them."""
    scores = sorted(said.score for said in outside)
    place = min(len(scores) - 1, round(recall * len(scores)))
    return scores[place]


def _tags(text: str, spans: Sequence[Span]) -> list[str]:
    """Of spans that overlap, the first counts."""
    tags = ["O"] * len(text)
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if all(tag == "O" for tag in tags[span.start : span.end]):
            tags[span.start : span.end] = [f"I-{span.label}"] * (span.end - span.start)
            tags[span.start] = f"B-{span.label}"
    return tags
