"""JSON files of another format: read with limits, and looked into without trusting that anything has its type."""

import json
from typing import Any

from zhuli.core.errors import InvalidRequest

MOST_CHARACTERS = 4_000_000
"""Of a file."""

Data = dict[str, Any]


def read_json(name: str, text: str) -> Any:
    """What the file has; InvalidRequest names it."""
    if len(text) > MOST_CHARACTERS:
        message = f"{name}: at most {MOST_CHARACTERS} characters are taken; there are {len(text)}."
        raise InvalidRequest(message, param=f"files.{name}", code="invalid_json")
    try:
        return json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        message = f"{name}: this is not JSON: {error}."
        raise InvalidRequest(message, param=f"files.{name}", code="invalid_json") from error


def fields(found: Any) -> Data:
    """The members of an object; of anything else none."""
    return found if isinstance(found, dict) else {}


def dicts(found: Any) -> list[Data]:
    """The objects of a list."""
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def texts(found: Any) -> list[str]:
    """The texts of a list, or the one text, without empty ones."""
    given = found if isinstance(found, list) else [found]
    return [one for one in given if isinstance(one, str) and one.strip()]


def text(found: Any) -> str | None:
    """A text that has something in it."""
    return found if isinstance(found, str) and found.strip() else None


def whole(found: Any) -> int | None:
    """A whole number."""
    return found if isinstance(found, int) and not isinstance(found, bool) else None
