"""A JSON file with an array of objects, at its top or as the one array of objects in a top object ({"data": [...]}).

The file is read at once; each entry has the line on which it begins.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from zhuli.core.errors import Unreadable
from zhuli.learning.training.data import jsonl
from zhuli.learning.training.data.finding import Entry
from zhuli.learning.training.data.text_file import opened

_BETWEEN = " \t\n\r,"


def read(path: Path) -> Iterator[Entry]:
    """Unreadable when the file is no JSON, or has no array of examples."""
    with opened(path) as file:
        text = file.read()
    value = parsed(text)
    if isinstance(value, dict):
        start = _array_in(text, value)
    elif isinstance(value, list):
        start = text.index("[") + 1
    else:
        raise Unreadable("The file must be a JSON array of objects, one for each example.")
    yield from _entries(text, start)


def parsed(text: str) -> object:
    """The whole file; Unreadable says where it stops being JSON."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Unreadable(
            f"Line {error.lineno}: the file is not JSON: {error.msg} at column {error.colno}. It must be one JSON array of "
            "objects; a file with an object a line is JSON Lines (format jsonl)."
        ) from error
    except (ValueError, RecursionError) as error:
        raise Unreadable("The file's JSON has too large a number or too many levels.") from error


def _array_in(text: str, value: dict[str, object]) -> int:
    """Where the entries of the one array of objects begin."""
    arrays = [key for key, field in value.items() if isinstance(field, list) and field and isinstance(field[0], dict)]
    if len(arrays) != 1:
        raise Unreadable(
            f"The file is one JSON object with {len(arrays)} arrays of objects. Make it one array of objects, one for each "
            "example."
        )
    decoder = json.JSONDecoder()
    at = text.index("{") + 1
    while True:
        at = _past(text, at, _BETWEEN)
        key, at = decoder.raw_decode(text, at)
        at = _past(text, at, " \t\n\r:")
        if key == arrays[0]:
            return at + 1
        _, at = decoder.raw_decode(text, at)


def _entries(text: str, start: int) -> Iterator[Entry]:
    """The values from `start`, behind a bracket, to the bracket that closes it."""
    decoder = json.JSONDecoder()
    line, counted = 1, 0
    while True:
        start = _past(text, start, _BETWEEN)
        if text[start] == "]":
            return
        line += text.count("\n", counted, start)
        counted = start
        value, start = decoder.raw_decode(text, start)
        yield jsonl.entry(line, value)


def _past(text: str, at: int, passed: str) -> int:
    while text[at] in passed:
        at += 1
    return at
