"""What is wrong with a regular expression that a domain brings. Searching is entity_extraction's."""

import re
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any, Literal

from zhuli.understanding.language.entity_extraction.pattern_size import BadPattern
from zhuli.understanding.language.entity_extraction.patterns import CHECK_SECONDS, compiled, fits, search_time

_UNBOUNDED = (_constants.MAX_REPEAT, _constants.MIN_REPEAT)

Problem = tuple[Literal["error", "warning"], str, str]
"""Level, code and message of a finding."""


def problem(pattern: str) -> Problem | None:
    """The first thing that is wrong, if anything is."""
    try:
        with search_time().spent_on(pattern):
            compiled(pattern)
    except TimeoutError:
        text = f"The domain's expressions take more than {CHECK_SECONDS:g} s to compile. Have fewer or smaller ones."
        return "error", "slow_patterns", text
    except BadPattern as bad:
        return "error", "invalid_pattern", f"'{pattern}' is no regular expression that can be searched: {bad}."
    if fits(pattern, ""):
        return "warning", "empty_pattern", f"'{pattern}' also fits where there is nothing. Let it need a character."
    if _slow(pattern):
        text = (
            f"In '{pattern}' something that repeats without end repeats without end, which may take very long on some "
            "messages; what takes too long finds nothing. Bound one of them, as {1,20}, or make it possessive, as `++`."
        )
        return "warning", "slow_pattern", text
    return None


def _slow(pattern: str) -> bool:
    """False also for what only the library `regex` can read."""
    try:
        return _nested(_parser.parse(pattern), within=False)
    except (re.error, RecursionError, OverflowError, Warning):
        return False


def _nested(part: Any, *, within: bool) -> bool:
    """Whether an unbounded repeat is in another one; what is possessive or atomic is not tried again."""
    for operator, argument in part:
        endless = operator in _UNBOUNDED and argument[1] is _constants.MAXREPEAT
        if endless and within:
            return True
        if operator is _constants.ATOMIC_GROUP:
            continue
        if any(_nested(inner, within=within or endless) for inner in _parts(argument)):
            return True
    return False


def _parts(argument: Any) -> list[Any]:
    """The patterns in what an operator of the parsed pattern has."""
    if isinstance(argument, _parser.SubPattern):
        return [argument]
    found = argument if isinstance(argument, list | tuple) else ()
    return [part for item in found for part in _parts(item)]
