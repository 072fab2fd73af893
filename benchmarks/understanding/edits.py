"""Changes of a text that has entities, and where the entities are afterwards. What is changed is perturbations' matter."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """Characters [start, end) that are an entity."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Edit:
    """What stands at [start, end) becomes `text`."""

    start: int
    end: int
    text: str


def applied(text: str, edits: Sequence[Edit], spans: Sequence[Span]) -> tuple[str, list[Span]]:
    """Edits in order that do not overlap. What is put in where an entity begins or ends is outside of it."""
    pieces, at = [], 0
    for edit in edits:
        pieces += [text[at : edit.start], edit.text]
        at = edit.end
    made = "".join([*pieces, text[at:]])
    moved = (Span(_start(span, edits), _end(span, edits), span.label) for span in spans)
    return made, [shrunk for span in moved if (shrunk := _shrunk(made, span))]


def _start(span: Span, edits: Sequence[Edit]) -> int:
    """An edit that reaches over the start counts with all of its text."""
    start = next((edit.start for edit in edits if edit.start < span.start < edit.end), span.start)
    return start + sum(len(edit.text) - (edit.end - edit.start) for edit in edits if edit.end <= span.start)


def _end(span: Span, edits: Sequence[Edit]) -> int:
    """An edit that reaches over the end counts with all of its text."""
    end = span.end
    for edit in edits:
        if edit.end <= span.end and not edit.start == edit.end == span.end:
            end += len(edit.text) - (edit.end - edit.start)
        elif edit.start < span.end:
            end += len(edit.text) - (span.end - edit.start)
    return end


def _shrunk(text: str, span: Span) -> Span | None:
    """Without space at its ends; None if nothing is left."""
    piece = text[span.start : span.end]
    start = span.start + len(piece) - len(piece.lstrip())
    return Span(start, start + len(piece.strip()), span.label) if piece.strip() else None
