"""What is in the data of a tuning: counts, labels, duplicates, lengths, and what its owner should look at."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, Field

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")

BAR = 30
"""Columns of the longest bar."""

SHOWN_LABELS = 60


class Warned(BaseModel):
    """line: of the part's file; 0: the file as a whole."""

    part: Part
    line: int
    message: str


class Leakage(BaseModel):
    """same, near: how many examples of a held-out part have a text that training has too, or has nearly."""

    same: int = 0
    near: int = 0


class Lengths(BaseModel):
    """Of the texts. tokens: estimated without the base's tokenizer. too_long: texts with more tokens than `window`."""

    median_characters: int = 0
    longest_characters: int = 0
    median_tokens: int = 0
    longest_tokens: int = 0
    window: int | None = None
    too_long: int = 0


class DataReport(BaseModel):
    """counts: examples of each part. split: the parts that were held out of the training file.

    labels: of the training part, examples of each, the most frequent first; held_out_labels: the same of the other parts.
    duplicates: training examples whose text another one before them has. problems: the first warnings; warnings: how many.
    """

    counts: dict[str, int] = Field(default_factory=dict)
    split: list[Part] = Field(default_factory=list)
    labels: dict[str, int] = Field(default_factory=dict)
    held_out_labels: dict[str, dict[str, int]] = Field(default_factory=dict)
    duplicates: int = 0
    leakage: dict[str, Leakage] = Field(default_factory=dict)
    lengths: Lengths = Field(default_factory=Lengths)
    language: str = ""
    problems: list[Warned] = Field(default_factory=list)
    warnings: int = 0


def text(report: DataReport) -> str:
    """For a terminal."""
    return "\n".join([*_counts(report), *_labels(report), *_numbers(report), *_warnings(report)]) + "\n"


def _counts(report: DataReport) -> list[str]:
    said = {part: " (held out of the training file)" if part in report.split else "" for part in PARTS}
    return [f"{part:<12}{report.counts.get(part, 0):>8} examples{said[part]}" for part in PARTS]


def _labels(report: DataReport) -> list[str]:
    if not report.labels:
        return []
    shown = list(report.labels.items())[:SHOWN_LABELS]
    most = shown[0][1] or 1
    width = max(len(label) for label, _ in shown)
    lines = [f"{label:<{width}}{count:>8} {'▇' * -(-count * BAR // most)}" for label, count in shown]
    more = len(report.labels) - len(shown)
    return ["", f"{len(report.labels)} labels", *lines, *([f"… and {more} more"] if more else [])]


def _numbers(report: DataReport) -> list[str]:
    lengths = report.lengths
    lines = [
        "",
        f"language    {report.language}",
        f"length      {lengths.median_tokens} tokens (median), {lengths.longest_tokens} (longest), estimated",
        f"duplicates  {report.duplicates}",
    ]
    for part, leak in report.leakage.items():
        lines.append(f"{part} texts that training has too: {leak.same} the same, {leak.near} nearly")
    return lines


def _warnings(report: DataReport) -> Sequence[str]:
    if not report.warnings:
        return ["", "Nothing to warn of."]
    lines = [f"{one.part}{f', line {one.line}' if one.line else ''}: {one.message}" for one in report.problems]
    more = report.warnings - len(lines)
    return ["", "Warnings", *lines, *([f"… and {more} more"] if more else [])]
