"""How large a regular expression is once its counts are written out, and whether that is too large to be compiled here.

The library `regex` can stop a search, but neither compiling nor what it prepares for the first search: `(?:a?b…){20000}` of a
thousand characters took it 53 seconds, `(?:(?:a|bc…){140}){140}` the process, and a thousand equal letters in a row 1.3 seconds.
"""

import math
import re
from collections.abc import Iterator
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

MOST_PARTS = 10_000
"""Characters, classes and groups, each as often as it is counted: a tenth of a second to compile, a quarter at worst."""

MOST_IN_A_ROW = 250
"""Characters that stand for themselves: what is prepared for them grows with their third power, 14 ms here."""

_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT)

_COUNTS = re.compile(r"\{(?:[0-9]*,)?([0-9]+),?\}")

_PLAIN = re.compile(r"[^\\\[\](){}.*+?|^$]+")


class BadPattern(ValueError):
    """Not a regular expression, or one that is too large; the message says why."""


def refuse_large(pattern: str) -> None:
    """BadPattern for an expression that would stop everything else while it is compiled."""
    parts, row = _size(pattern)
    if parts > MOST_PARTS:
        raise BadPattern(f"with its counted repetitions written out it has more than {MOST_PARTS:,} parts")
    if row > MOST_IN_A_ROW:
        raise BadPattern(f"more than {MOST_IN_A_ROW} characters stand in a row in it. List long values as a lookup")


def _size(pattern: str) -> tuple[int, int]:
    """Parts, and the longest row of characters; of what only the library `regex` can read, no less than that."""
    try:
        parsed = _parser.parse(pattern)
    except (re.error, RecursionError, OverflowError, Warning):
        counts = math.prod(max(int(count[:9]), 1) for count in _COUNTS.findall(pattern))
        return counts * len(pattern), max(map(len, _PLAIN.findall(pattern)), default=0)
    return _parts(parsed), _longest_row(parsed)


def _parts(part: Any) -> int:
    """Of a parsed pattern, or of an argument that may have some in it."""
    if not isinstance(part, _parser.SubPattern):
        return sum(map(_parts, part)) if isinstance(part, list | tuple) else 0
    count = 0
    for operator, argument in part:
        if operator in _REPEATS:
            least, most, inner = argument
            count += max(1, least if most is _constants.MAXREPEAT else most) * _parts(inner)
        else:
            count += 1 + _parts(argument)
    return count


def _longest_row(parsed: Any) -> int:
    """Groups do not end a row: the library joins what stands in them."""
    longest = row = 0
    for is_character in _characters(parsed):
        row = row + 1 if is_character else 0
        longest = max(longest, row)
    return longest


def _characters(part: Any) -> Iterator[bool]:
    """What stands for itself is true, what ends a row is false."""
    if not isinstance(part, _parser.SubPattern):
        for inner in part if isinstance(part, list | tuple) else ():
            yield from (False, *_characters(inner), False)
        return
    for operator, argument in part:
        if operator is _constants.SUBPATTERN:
            yield from _characters(argument[-1])
        elif operator is _constants.LITERAL:
            yield True
        else:
            yield from _characters(argument)
            yield False
