"""JSON from outside, read within limits of depth and number: one check below all libraries, for each has a limit of its own.

What is stored must be read again, inside lists, steps and events: so a body may be less deep than what any of them takes.
"""

import re
from typing import Any

import orjson

from zhuli.core.errors import InvalidRequest

MOST_LEVELS = 100
"""Of arrays and objects in each other. pydantic and orjson end at 255 and 254, and what is sent is stored inside others."""

MOST_VALUES = 500_000
"""Of members and elements in a body: a million take a second of reading and checking."""

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)


def read(data: bytes) -> Any:
    """The value; InvalidRequest where it is too deep or has too many parts, json.JSONDecodeError where it is no JSON."""
    if data.count(b",") > MOST_VALUES:
        raise InvalidRequest(
            f"The JSON has more than {MOST_VALUES} values. Send them in several requests.", code="too_many_values"
        )
    if data.count(b"[") + data.count(b"{") > MOST_LEVELS and _nests_too_deeply(data):
        raise too_deep()
    return orjson.loads(data)


def is_too_deep(value: Any) -> bool:
    """By the same limit, a value that was read from something else than a body."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MOST_LEVELS):
        level = [part for one in level for part in _parts(one)]
        if not level:
            return False
    return True


def too_deep() -> InvalidRequest:
    return InvalidRequest(
        f"The JSON is nested too deeply: at most {MOST_LEVELS} arrays and objects may stand in each other.",
        code="nested_too_deeply",
    )


def _nests_too_deeply(data: bytes) -> bool:
    depth = 0
    for token in _TOKEN.finditer(data):
        first = token[0][0]
        if first in b"[{":
            depth += 1
            if depth > MOST_LEVELS:
                return True
        elif first in b"]}":
            depth -= 1
    return False


def _parts(value: Any) -> list[Any]:
    """Those that may have parts themselves."""
    parts = value.values() if isinstance(value, dict) else value
    return [part for part in parts if isinstance(part, dict | list)]
