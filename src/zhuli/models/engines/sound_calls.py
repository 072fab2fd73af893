"""Tool calls of a history as the strictest model server takes them. Pure.

Mistral's servers take ids of nine letters and digits only; vLLM and llama-server parse the arguments of every call of a
history, and refuse the request where one is no JSON object.
"""

import re
from hashlib import blake2b
from string import ascii_letters, digits
from typing import Any

import orjson

from zhuli.models.engines.whole_characters import whole

_ID = re.compile(r"[a-zA-Z0-9]{9}")
_ALPHABET = digits + ascii_letters
_WRONG = re.compile(r"[^a-zA-Z0-9_-]")
_LONGEST_NAME = 64


class Numbered:
    """The calls of one request, which all get ids that differ. keep_ids: ids stay as they are where they differ."""

    def __init__(self, *, keep_ids: bool) -> None:
        self._keep = keep_ids
        self._taken: set[str] = set()

    def sound(self, call: dict[str, Any]) -> dict[str, Any]:
        """The call with an id of its own, a name that may be one, and arguments that are a JSON object."""
        given, function = str(call.get("id") or ""), call.get("function") or {}
        if call.get("type") == "custom":  # its input is a text of any kind
            return {**call, "id": self._id(given)}
        said = {"name": sound_name(function.get("name")), "arguments": sound_arguments(function.get("arguments"))}
        return {**call, "id": self._id(given), "type": "function", "function": said}

    def _id(self, given: str) -> str:
        fits = bool(given) if self._keep else bool(_ID.fullmatch(given))
        made, number = (given if fits else _short(given)), 0
        while made in self._taken:
            number += 1
            made = _short(f"{given} {number}")
        self._taken.add(made)
        return made


def sound_name(name: Any) -> str:
    """A function's name of letters, digits, _ and -, 64 at most."""
    return _WRONG.sub("_", str(name or ""))[:_LONGEST_NAME] or "unknown"


def sound_arguments(arguments: Any) -> str:
    """The arguments as they are if they are a JSON object; else an object that holds what was said."""
    if not isinstance(arguments, str):
        return orjson.dumps(arguments if isinstance(arguments, dict) else {}).decode()
    if not arguments.strip():
        return "{}"
    try:
        read = orjson.loads(arguments)
        if isinstance(read, str):  # an object that was written as a text once more
            arguments, read = read, orjson.loads(read)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        return _holding("malformed", whole(arguments).replace("\0", ""))
    return arguments if isinstance(read, dict) else _holding("value", read)


def _holding(name: str, value: Any) -> str:
    return orjson.dumps({name: value}).decode()


def _short(given: str) -> str:
    """Nine letters and digits that are always the same for `given`."""
    number = int.from_bytes(blake2b(given.encode(errors="replace"), digest_size=8).digest())
    found = []
    for _ in range(9):
        number, place = divmod(number, len(_ALPHABET))
        found.append(_ALPHABET[place])
    return "".join(found)
