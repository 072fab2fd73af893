"""Finds tool calls in the text of an answer, as it comes: between <tool_call> tags, or JSON alone or in a code fence.

Only calls of tools that were offered are calls, all else stays text. Text is held back only while it may still become a
call. Formats that a chat template declares are parsed by the engine and don't come by here.
"""

import json
import re
from collections.abc import Collection
from typing import Any

from zhuli.core.ids import new_id
from zhuli.models.engines.json_object import JsonObject
from zhuli.types.models.generation import Delta, ToolCallDelta

TAG = "<tool_call>"
_END = "</tool_call>"

_WRAPPING = re.compile(r"(?:\s|</?tool_call>|```(?:json|tool_call|xml)?(?![a-z]))*")
_PARTIAL_WRAPPING = re.compile(r"<(?:/?[a-z_]*)$|`{1,3}[a-z_]*$")
_CALL_KEYS = re.compile(r'\{\s*"(?:name|arguments|parameters|type|function)"')
_ENOUGH = 32
"""Letters after which an object that has none of these keys first is taken for text."""


class ToolCallText:
    """Feed it the text of one answer; it gives back text and calls. `names` are the tools that were offered."""

    def __init__(self, names: Collection[str]) -> None:
        self.stutters = False
        """Whether a call came again, which was dropped: small models go on like that."""
        self._names = names
        self._seen: list[tuple[str, str]] = []
        self._held = ""
        self._in_text = False
        self._object = JsonObject()
        self._waits = False  # for the object that _held ends in
        self._more: list[str] = []
        self._tail = ""

    @property
    def calls(self) -> int:
        """How many calls were found so far."""
        return len(self._seen)

    def feed(self, text: str) -> Delta:
        """What is certain by now: text that is none of a call, and calls that are whole."""
        if self._waits and self._goes_on(text):
            return Delta()
        self._held += self._gathered() or text
        return self._take(at_end=False)

    def close(self, *, cut_off: bool) -> Delta:
        """What was still held. A call that was cut off by the token limit is dropped: half of it helps nobody."""
        self._held += self._gathered()
        if cut_off and not self._in_text and TAG in self._held:
            return Delta()
        return self._take(at_end=True)

    def _take(self, *, at_end: bool) -> Delta:
        text, calls = "", []
        while self._held:
            spoken = self._spoken(at_end=at_end)
            text += spoken
            if self._in_text:
                break
            call = self._call(at_end=at_end)
            if isinstance(call, dict):
                calls += self._new(call)
            elif call is _UNDECIDED:
                break
            else:
                self._in_text = True
                text += self._release(1) if not self.calls else self._after_calls()
        return Delta(text, tool_calls=tuple(calls))

    def _spoken(self, *, at_end: bool) -> str:
        """The text before the next tag. A call may begin where the answer begins, and at each tag."""
        if not self._in_text:
            return ""
        at = self._held.find(TAG)
        if at >= 0:
            self._in_text = False
            return self._release(at)
        return self._release(len(self._held) - (0 if at_end else _overlap(self._held, TAG)))

    def _call(self, *, at_end: bool) -> Any:
        """The call that begins here, _UNDECIDED while that is open, None if there is none."""
        wrapping = _WRAPPING.match(self._held)
        start = wrapping.end() if wrapping else 0
        rest = self._held[start:]
        if not rest or _PARTIAL_WRAPPING.fullmatch(rest):
            if at_end and self.calls:
                self._held = ""
            return None if at_end and self._held else _UNDECIDED
        if not rest.startswith("{") or (len(rest) > _ENOUGH and not _CALL_KEYS.match(rest)):
            return None
        if not (self._is_whole(start) or at_end):
            return _UNDECIDED
        try:
            found, end = json.JSONDecoder().raw_decode(rest)
        except ValueError:
            return None
        call = _as_call(found, self._names)
        if call:
            self._release(start + end)
        return call

    def _is_whole(self, start: int) -> bool:
        """Whether the object that begins at `start` has ended, or a tag says that it does; if not, feed() waits for it."""
        self._object = JsonObject()
        self._object.feed(self._held[start:])
        self._waits = not (self._object.complete or _END in self._held[start:])
        return not self._waits

    def _goes_on(self, text: str) -> bool:
        """Whether the object is still open behind `text`; each letter is looked at once."""
        self._more.append(text)
        self._tail = (self._tail + text)[-len(text) - len(_END) :]
        self._waits = self._object.feed(text) is None and _END not in self._tail
        return self._waits

    def _gathered(self) -> str:
        more, self._more, self._tail, self._waits = "".join(self._more), [], "", False
        return more

    def _new(self, call: dict[str, Any]) -> list[ToolCallDelta]:
        name, arguments = call["name"], json.dumps(call["arguments"], ensure_ascii=False)
        if (name, arguments) in self._seen:
            self.stutters = True
            return []
        self._seen.append((name, arguments))
        return [ToolCallDelta(len(self._seen) - 1, id=new_id("call"), name=name, arguments=arguments)]

    def _after_calls(self) -> str:
        """The closing tag or fence of the last call belongs to no text."""
        wrapping = _WRAPPING.match(self._held)
        self._release(wrapping.end() if wrapping else 0)
        return self._release(1)

    def _release(self, length: int) -> str:
        released, self._held = self._held[:length], self._held[length:]
        return released


_UNDECIDED = object()


def _as_call(found: Any, names: Collection[str]) -> dict[str, Any] | None:
    if not isinstance(found, dict):
        return None
    function = found.get("function")
    call = function if isinstance(function, dict) else found
    arguments = call.get("arguments", call.get("parameters"))
    if call.get("name") not in names or not isinstance(arguments, dict):
        return None
    return {"name": call["name"], "arguments": arguments}


def _overlap(text: str, tag: str) -> int:
    """Letters at the end of `text` with which `tag` may begin."""
    return next((n for n in range(min(len(tag) - 1, len(text)), 0, -1) if text.endswith(tag[:n])), 0)
