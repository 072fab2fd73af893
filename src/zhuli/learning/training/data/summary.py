"""The report on data that has been read and split."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median_low
from typing import Any

from zhuli.core.tokens import estimate
from zhuli.learning.neural.language_models.instructions import language_of
from zhuli.learning.training.data import checking
from zhuli.learning.training.data.checking import Labelled
from zhuli.learning.training.data.finding import Finding
from zhuli.learning.training.data.overlap import Overlap
from zhuli.learning.training.data.report import DataReport, Leakage, Lengths, Part, Warned
from zhuli.ports import Task
from zhuli.types.learning.example import Example
from zhuli.types.learning.tuning import Spec

TOLD = 20
"""Warnings that the report names."""

LOOKED_AT = 500
"""Examples from which the language is seen."""


@dataclass
class Found:
    """What loading has found so far. split: the parts that came out of the training file."""

    parts: dict[Part, list[Labelled]]
    split: list[Part] = field(default_factory=list)
    duplicates: int = 0
    warned: list[tuple[Part, Finding]] = field(default_factory=list)

    def warn(self, part: Part, findings: Iterable[Finding]) -> None:
        self.warned += [(part, finding) for finding in findings]


def summary(spec: Spec, task: Task, found: Found, window: int | None) -> DataReport:
    """window: tokens that the base reads at once, if that is known."""
    training = found.parts["train"]
    leakage = _leakage(found)
    lengths = _lengths(training, window)
    if lengths.too_long:
        found.warn("train", [_too_long(lengths)])
    labels = {part: checking.label_counts(examples) for part, examples in found.parts.items()}
    texts = list(_answers(training[:LOOKED_AT]) if task.generates else (one.text for one in training[:LOOKED_AT]))
    return DataReport(
        counts={part: len(examples) for part, examples in found.parts.items()},
        split=found.split,
        labels=labels["train"],
        held_out_labels={part: counts for part, counts in labels.items() if part != "train" and counts},
        duplicates=found.duplicates,
        leakage=leakage,
        lengths=lengths,
        language=spec.language or language_of(texts),
        problems=[
            Warned(part=part, line=finding.line, message=finding.message) for part, finding in found.warned[:TOLD]
        ],
        warnings=len(found.warned),
    )


def _leakage(found: Found) -> dict[str, Leakage]:
    held_out = {part: examples for part, examples in found.parts.items() if part != "train" and examples}
    if not held_out:
        return {}
    overlap = Overlap(found.parts["train"])
    leakage: dict[str, Leakage] = {}
    for part, examples in held_out.items():
        leakage[part], findings = overlap.leakage(examples)
        found.warn(part, findings)
    return leakage


def _lengths(examples: list[Labelled], window: int | None) -> Lengths:
    characters = [len(one.text) for one in examples]
    tokens = [estimate(one.text) for one in examples]
    return Lengths(
        median_characters=median_low(characters),
        longest_characters=max(characters),
        median_tokens=median_low(tokens),
        longest_tokens=max(tokens),
        window=window,
        too_long=sum(count > window for count in tokens) if window else 0,
    )


def _too_long(lengths: Lengths) -> Finding:
    return Finding(
        0,
        f"About {lengths.too_long} texts are longer than the {lengths.window} tokens that the model reads at once. What does "
        "not fit is cut off, except in tasks that read long texts piece by piece.",
        level="warning",
    )


def _answers(examples: Iterable[Labelled]) -> Iterator[str]:
    """Texts that the model is to write: the language of the answers is what measuring goes by."""
    for one in examples:
        example: Example = one.example
        yield from _texts(example.target if example.target is not None else example.input)


def _texts(value: Any) -> Iterator[str]:
    """All texts in a target: itself, those of lists and objects, of messages the contents."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts(value["content"] if "content" in value else list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
