"""JSON Lines: an object a line, the fields of an example. Blank lines are passed by."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zhuli.core import json_limits
from zhuli.learning.training.data.finding import Entry, Finding
from zhuli.learning.training.data.text_file import opened
from zhuli.types.learning.example import Record


def read(path: Path) -> Iterator[Entry]:
    with opened(path) as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield _entry(number, line)


def _entry(number: int, line: str) -> Entry:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        return Finding(
            number,
            f"This is not JSON: {error.msg} at column {error.colno}. Each line must be one whole JSON object, like "
            '{"text": "…", "label": "…"}.',
        )
    except (ValueError, RecursionError):
        return Finding(number, "This JSON has too large a number or too many levels.")
    return entry(number, value)


def entry(number: int, value: Any) -> Entry:
    """A value of a JSON file as a record, if it is an object whose texts are Unicode."""
    if not isinstance(value, dict):
        kind = {list: "an array", str: "a string", bool: "true or false", type(None): "null"}.get(
            type(value), "a number"
        )
        return Finding(number, f"This is {kind}, but each entry must be a JSON object with the fields of an example.")
    if json_limits.is_too_deep(value):
        return Finding(
            number, f"This JSON has too many levels: at most {json_limits.MOST_LEVELS} may stand in each other."
        )
    if not _is_unicode(value):
        return Finding(number, "A text has half of a surrogate pair (\\ud800 to \\udfff alone), which is no character.")
    return Record(line=number, fields=value)


def _is_unicode(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
