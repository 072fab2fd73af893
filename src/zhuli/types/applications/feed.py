"""What a feed brings beside items: faults with their places. And a line of JSON as an item. Pure."""

from typing import Any, NamedTuple

import orjson


class FeedFault(NamedTuple):
    """Something of a feed that is no item. place: where it stands; why: what is wrong with it."""

    place: str
    why: str


def item_of(place: str, line: bytes) -> dict[str, Any] | FeedFault:
    """The object that a line holds; whether it is an item the server says."""
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return FeedFault(place, f"not JSON: {error}")
    return found if isinstance(found, dict) else FeedFault(place, "an item is an object with id, text and published_at")
