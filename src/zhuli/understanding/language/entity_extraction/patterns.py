"""Regular expressions of users: found in texts within a limit of time, so that a bad one costs milliseconds and not the server.

Searched with the library `regex`, which reads what `re` does and can stop; `re` cannot. An expression that is stopped finds
nothing in that text. Counted repetitions are unrolled when it compiles them, hence MOST_REPETITIONS.
"""

import functools
import math
import re
from collections.abc import Iterator
from typing import Any

from zhuli.understanding.language.plain_text import half_width
from zhuli.understanding.language.spans import Span

SECONDS = 0.05
"""For one expression on one text."""

MOST_REPETITIONS = 20_000
"""Of all counts of an expression multiplied: `a{100}` nested in `{100}` is 10,000, and takes milliseconds to compile."""

_COUNTS = re.compile(r"\{(?:[0-9]*,)?([0-9]+),?\}")


_CODE = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{1,4}[ -][0-9]{2,12}(?![A-Za-z0-9])")


class BadPattern(ValueError):
    """Not a regular expression, or one that is too large; the message says why."""


@functools.lru_cache(maxsize=1024)
def compiled(pattern: str) -> Any:
    """The expression, ready to be searched; BadPattern if it is none."""
    import regex

    if math.prod(max(int(count[:9]), 1) for count in _COUNTS.findall(pattern)) > MOST_REPETITIONS:
        raise BadPattern(f"its counted repetitions multiply to more than {MOST_REPETITIONS:,}")
    try:
        return regex.compile(pattern)
    except (regex.error, OverflowError, RecursionError) as error:
        raise BadPattern(str(error)) from error


def find_matches(text: str, pattern: str) -> list[Span]:
    """Where the expression matches; a group "value" is the value, and its place the place. Empty matches are none.

    Where it matches nothing it is tried as codes are typed in a hurry: in figures of full width, in small letters, in capitals.
    """
    try:
        readings = dict.fromkeys(
            (text, half := half_width(text), _of_length(half, half.upper()), _of_length(half, half.lower()))
        )
        whole = next((found for read in readings if (found := list(_matches(read, pattern)))), [])
        return whole or _spaced(half_width(text), pattern)
    except (BadPattern, TimeoutError):
        return []


def _spaced(text: str, pattern: str) -> list[Span]:
    """Codes with a blank or a stroke where the expression has none: "r 8810" for R8810."""
    found: list[Span] = []
    for match in _CODE.finditer(text):
        code = re.sub(r"[ -]", "", match[0])
        written = next((one for one in (code.upper(), code, code.lower()) if fits(pattern, one)), None)
        if written is not None:
            found.append(Span(match.start(), match.end(), written))
    return found


def _of_length(text: str, written: str) -> str:
    """The text in other letters, if every character stays where it is."""
    return written if len(written) == len(text) else text


def fits(pattern: str, text: str) -> bool:
    """Whether the whole text matches; False for what is no expression, or takes too long."""
    try:
        return compiled(pattern).fullmatch(text, timeout=SECONDS) is not None
    except (BadPattern, TimeoutError):
        return False


def _matches(text: str, pattern: str) -> Iterator[Span]:
    expression = compiled(pattern)
    group = "value" if "value" in expression.groupindex else 0
    for match in expression.finditer(text, timeout=SECONDS):
        if match[group]:
            yield Span(match.start(group), match.end(group), match[group])
