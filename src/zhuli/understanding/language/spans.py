"""What a rule finds in a text: a value and where it stands. Knows nothing of what it means."""

from bisect import bisect_left, bisect_right
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
    starts: list[int] = []
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start - span.end):
        place = bisect_right(starts, span.start)
        if (place == 0 or kept[place - 1].end <= span.start) and (place == len(kept) or span.end <= kept[place].start):
            starts.insert(place, span.start)
            kept.insert(place, span)
    return kept


def outside(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """The spans that share no character with one that is taken."""
    starts: list[int] = []
    ends: list[int] = []
    for other in sorted(taken, key=lambda other: other.start):
        if ends and other.start < ends[-1]:
            ends[-1] = max(ends[-1], other.end)
        else:
            starts.append(other.start)
            ends.append(other.end)
    return [span for span in spans if (place := bisect_left(starts, span.end)) == 0 or ends[place - 1] <= span.start]
