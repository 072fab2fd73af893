"""Reads the pieces of tool calls that model servers stream: which piece belongs to which call, under which index and id.

Servers number every call 0, or none; give one id to several calls, or to each piece another; write arguments as objects.
What comes out has indexes without gaps, ids that differ, and names in the first piece.
"""

from typing import Any

import orjson

from zhuli.core.errors import BackendError
from zhuli.core.ids import new_id
from zhuli.models.engines.json_object import JsonObject
from zhuli.models.engines.whole_characters import WholeCharacters
from zhuli.types.models.generation import ToolCallDelta


class ToolCallReader:
    """Gives every call an index without gaps, and id and name in its first piece; holds pieces back until it can."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._emitted = 0
        self._ids: set[str] = set()

    def read(self, piece: dict[str, Any]) -> tuple[ToolCallDelta, ...]:
        """What the piece adds: to one call, or to two where it holds the end of one and the beginning of another."""
        function = piece.get("function") or piece.get("custom") or piece
        custom = piece.get("type") == "custom" or "custom" in piece
        name, arguments = function.get("name") or "", _arguments(function.get("input" if custom else "arguments"))
        key, given_id = _key(piece.get("index")), str(piece.get("id") or "")
        call = self._find(key, given_id, name)
        if call is not None and call.repeats(given_id, name, arguments):
            return ()
        if call is None or call.ends_before(name, arguments):
            name = name or (call.name if call else "")
            call = self._open(key)
        call.given_id = call.given_id or given_id
        call.custom = call.custom or custom
        rest = call.add(arguments)
        first = self._piece(call, name)
        return (*first, *self._glued(call, rest)) if rest else first

    def close(self) -> tuple[ToolCallDelta, ...]:
        """Arguments for calls that came without any: an empty object, as joined arguments must be a JSON text."""
        if any(call.index is None for call in self._calls):
            raise BackendError("The model server streamed a tool call without a name.")
        last = ((call.index, call.last()) for call in self._calls)
        return tuple(ToolCallDelta(index, arguments=said) for index, said in last if index is not None and said)

    def _find(self, key: int | None, given_id: str, name: str) -> "_Call | None":
        """The call that the piece goes on with, None if it starts one."""
        if key is None:
            return self._find_without_index(given_id, name)
        call = next((call for call in reversed(self._calls) if call.key == key), None)
        # Some servers number every call 0: another id with a name is another call. Others make up an id for each piece,
        # so an id alone is not.
        if call and name and given_id and call.given_id and call.given_id != given_id:
            return None
        return call

    def _find_without_index(self, given_id: str, name: str) -> "_Call | None":
        if given_id and (known := next((call for call in reversed(self._calls) if call.given_id == given_id), None)):
            return known
        last = self._calls[-1] if self._calls else None
        if last is None or not name:
            return last
        repeated = name == last.name and not (given_id and last.given_id) and not last.is_complete
        return last if repeated or not last.name else None

    def _open(self, key: int | None) -> "_Call":
        self._calls.append(_Call(key))
        return self._calls[-1]

    def _piece(self, call: "_Call", name: str) -> tuple[ToolCallDelta, ...]:
        if call.index is not None:
            arguments = call.take()
            return (ToolCallDelta(call.index, arguments=arguments, custom=call.custom),) if arguments else ()
        if not name:
            return ()
        call.index, call.name = self._emitted, name
        self._emitted += 1
        made = call.given_id if call.given_id and call.given_id not in self._ids else new_id("call")
        self._ids.add(made)
        return (ToolCallDelta(call.index, id=made, name=name, arguments=call.take(), custom=call.custom),)

    def _glued(self, call: "_Call", rest: str) -> tuple[ToolCallDelta, ...]:
        """Further objects behind the first: further calls of the same function."""
        read: tuple[ToolCallDelta, ...] = ()
        while rest:
            another = self._open(call.key)
            rest = another.add(rest)
            read += self._piece(another, call.name)
        return read


class _Call:
    __slots__ = ("_characters", "_object", "_said", "_unsent", "custom", "given_id", "index", "key", "name")

    def __init__(self, key: int | None) -> None:
        self.key = key
        self.given_id = ""
        self.name = ""
        self.custom = False  # its input is a text of any kind
        self.index: int | None = None
        self._said: list[str] = []
        self._unsent: list[str] = []
        self._object = JsonObject()
        self._characters = WholeCharacters()

    @property
    def is_complete(self) -> bool:
        """Whether its arguments are a whole object."""
        return self._object.complete

    def repeats(self, given_id: str, name: str, arguments: str) -> bool:
        """Whether a piece says the whole call once more, as some servers do at the end."""
        same = self.is_complete and given_id and given_id == self.given_id and name in ("", self.name)
        return bool(same and arguments.strip() and arguments == "".join(self._said))

    def ends_before(self, name: str, arguments: str) -> bool:
        """Whether a piece under its index or id begins another call: another function, or another object."""
        if name and self.name and name != self.name:
            return True
        return self.is_complete and not self.custom and arguments.lstrip().startswith("{")

    def add(self, arguments: str) -> str:
        """Take in a piece of arguments; what of it is the beginning of another call."""
        end = None if self.is_complete or self.custom else self._object.feed(arguments)
        rest = "" if end is None else arguments[end:].lstrip()
        own = arguments[:end] if rest.startswith("{") else arguments
        self._said.append(own)
        self._unsent.append(self._characters.feed(own))
        return rest if rest.startswith("{") else ""

    def take(self) -> str:
        """The arguments that were not passed on yet."""
        unsent, self._unsent = "".join(self._unsent), []
        return unsent

    def last(self) -> str:
        """What is missing at the end."""
        if not (self.custom or any(said.strip() for said in self._said)):
            return "{}"
        return self._characters.close()


def _key(index: Any) -> int | None:
    return None if index is None or index == "" else int(index)


def _arguments(arguments: Any) -> str:
    if arguments is None or isinstance(arguments, str):
        return arguments or ""
    return orjson.dumps(arguments).decode()
