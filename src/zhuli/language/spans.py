"""What a rule finds in a text: a value and where it stands. Knows nothing of what it means."""

from collections.abc import Iterable
from typing import Any, NamedTuple


class Span(NamedTuple):
    """A value at [start, end). certain: it is nothing else ("7pm"), unlike what needs a domain that expects it ("the 6th")."""

    start: int
    end: int
    value: Any
    certain: bool = True


def apart(spans: Iterable[Span]) -> list[Span]:
    """The spans in order, without overlaps: of those that overlap the longest, then the first given."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start - span.end):
        if all(span.end <= other.start or other.end <= span.start for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda span: span.start)


def outside(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """The spans that share no character with one that is taken."""
    others = list(taken)
    return [span for span in spans if all(span.end <= other.start or other.end <= span.start for other in others)]
