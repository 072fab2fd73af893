"""What tasks take and give: examples to learn from, records of a data file, and the numbers of an evaluation."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

Prediction = Any
"""A task's answer to one input, in the JSON shape of the Hugging Face pipeline for that task."""

Feature = dict[str, Any]
"""One row of a batch before padding: lists of integers, at least "input_ids"."""

Metrics = dict[str, Any]
"""Numbers by name at the top; what is not one number (per class, confusion, bins) lies in nested values."""


class Judgement(NamedTuple):
    """How right one answer is: the measure of several is the sum of their parts over the sum of their wholes, 0 to 1.

    Right or wrong is 1 of 1, or 0 of 1; the F1 of found spans has the hits of both sides over the spans of both.
    """

    part: float
    whole: float = 1.0


@dataclass(frozen=True, slots=True)
class Judged:
    """A labelled record beside a model's answer to it. text: what is shown of it. labels: those that it has."""

    text: str
    labels: list[str]
    part: float
    whole: float = 1.0


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of a data file: its fields by name, and the line where it begins, counted from 1."""

    line: int
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Example:
    """An input, as POST /v1/predictions takes it, and what should be answered, None where nobody has said.

    extra: what only measuring needs, such as the words a text was labelled by. group: examples of one group (a dialogue,
    an article) are never split over training and held-out parts. line: where it stands in its file.
    """

    input: Any
    target: Any = None
    extra: dict[str, Any] = field(default_factory=dict)
    group: str = ""
    line: int = 0


class BadExample(ValueError):
    """A record that is no example of the task; the message says what is wrong and what would be right."""
