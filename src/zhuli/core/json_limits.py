"""JSON from outside, read within limits of depth and number: one check below all libraries, for each has a limit of its own.

What is stored must be read again, inside lists, steps and events: so a body may be less deep than what any of them takes.
"""

import gc
from collections.abc import Iterator
from itertools import islice
from typing import Any

import orjson

from zhuli.core.errors import InvalidRequest

MOST_LEVELS = 100
"""Of arrays and objects in each other. pydantic and orjson end at 255 and 1024, and what is sent is stored inside others."""

MOST_VALUES = 500_000
"""Of members and elements in a body: a million take a second of reading and checking."""

MOST_CONTAINERS = 100_000
"""Of arrays and objects among them: reading and checking so many takes a tenth of a second, in which nobody else is served."""

_SMALL = 100_000
"""Bytes that are read without a thought for the time."""


def read(data: bytes) -> Any:
    """The value; InvalidRequest where it is too deep or has too many parts, json.JSONDecodeError where it is no JSON."""
    try:
        value = orjson.loads(data) if len(data) < _SMALL else _without_pauses(data)
    except orjson.JSONDecodeError as error:
        raise (too_deep() if "depth" in str(error) else error) from error
    _measure(value)
    return value


def is_too_deep(value: Any) -> bool:
    """By the same limit, a value that was read from something else than a body."""
    return next(islice(_levels(value), MOST_LEVELS, None), None) is not None


def too_deep() -> InvalidRequest:
    return InvalidRequest(
        f"The JSON is nested too deeply: at most {MOST_LEVELS} arrays and objects may stand in each other.",
        code="nested_too_deeply",
    )


def _too_many(most: int, what: str) -> InvalidRequest:
    return InvalidRequest(
        f"The JSON has more than {most} {what}. Send them in several requests.", code="too_many_values"
    )


def _without_pauses(data: bytes) -> Any:
    """Read without Python looking for garbage among half a million new objects, which takes six times as long."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        return orjson.loads(data)
    finally:
        if collecting:
            gc.enable()


def _measure(value: Any) -> None:
    values = containers = 0
    for depth, level in enumerate(_levels(value), 1):
        if depth > MOST_LEVELS:
            raise too_deep()
        values += sum(map(len, level))
        if values > MOST_VALUES:
            raise _too_many(MOST_VALUES, "values")
        containers += len(level)
        if containers > MOST_CONTAINERS:
            raise _too_many(MOST_CONTAINERS, "arrays and objects")


def _levels(value: Any) -> Iterator[list[Any]]:
    """The arrays and objects of each level, from the outermost: a level at a time, as wide as it is."""
    level = [value] if isinstance(value, dict | list) else []
    while level:
        yield level
        level = [
            part
            for one in level
            for part in (one.values() if type(one) is dict else one)
            if type(part) is dict or type(part) is list
        ]
