"""One call of the model, seen from the log: its deltas become events of messages and steps. Pure, no I/O.

A turn makes a message step, a tool step, or the first and then the second. A message stands complete before the tool step
begins, for clients follow one message at a time. Adjacent pieces of text are joined until they are taken. Markers of
citations become annotations on the way (assistants/runs/citations/citing), each in the delta that has its marker.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from zhuli.assistants.runs.citations.citing import Citation, CitedPiece, Citer
from zhuli.core.ids import new_id
from zhuli.ports import Tool
from zhuli.types.assistants.event import STEP_CALLED, Change
from zhuli.types.assistants.run import Run
from zhuli.types.assistants.step import FunctionCallResult, FunctionToolCall, ServerCall, ToolCall, ToolCallsDetails
from zhuli.types.models.generation import Delta, ToolCallDelta, Usage

_NO_TOOLS: Mapping[str, Tool[Any]] = MappingProxyType({})
NO_USAGE = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


@dataclass(slots=True)
class _Call:
    """server: what it is to the tool of the server that answers it, before its arguments came."""

    id: str
    name: str
    server: ServerCall | None = None
    arguments: list[str] = field(default_factory=list)


class Turn:
    """Feed it deltas and take() changes to record; close_* gives the last ones.

    tools: those that run in the server, by the name of the function that the model calls. citer: of the run's passages.
    """

    def __init__(
        self, run: Run, now: int, *, tools: Mapping[str, Tool[Any]] = _NO_TOOLS, citer: Citer | None = None
    ) -> None:
        self._run = run
        self._now = now
        self._tools = tools
        self._citer = citer
        self._annotations: list[dict[str, Any]] = []
        self._new_annotations: list[dict[str, Any]] = []
        self._length = 0
        self._changes: list[Change] = []
        self._step: dict[str, Any] | None = None
        self._message: dict[str, Any] | None = None
        self._text: list[str] = []
        self._unsent: list[str] = []
        self._block = "text"
        self._refused: list[str] = []
        self._calls: dict[int, _Call] = {}

    @property
    def dirty(self) -> bool:
        """Whether there is something to take."""
        return bool(self._changes or self._unsent)

    @property
    def text(self) -> str:
        """What the model has said so far, with its markers as they are shown."""
        return "".join(self._text)

    @property
    def calls(self) -> list[ToolCall]:
        """What the model called, in order."""
        return [self._as_call(call) for _, call in sorted(self._calls.items())]

    @property
    def written_calls(self) -> str:
        """What the model wrote to call them, as text to be counted."""
        return "".join(call.name + "".join(call.arguments) for call in self._calls.values())

    def _as_call(self, call: _Call) -> ToolCall:
        arguments = "".join(call.arguments) or "{}"
        if call.server is not None:
            made: ServerCall = self._tools[call.name].called(call.id, call.name, arguments)
            return made
        return FunctionToolCall(id=call.id, function=FunctionCallResult(name=call.name, arguments=arguments))

    def feed(self, delta: Delta) -> bool:
        """Take in a piece; True when it opens a message or a step, which a follower should see at once."""
        opened = False
        for text, block in ((delta.text, "text"), (delta.refusal, "refusal")):
            if text:
                opened |= self._add_text(text, block)
        for piece in delta.tool_calls:
            opened |= self._add_call(piece)
        return opened

    def take(self) -> list[Change]:
        """What has come since the last time."""
        self._flush_text()
        changes, self._changes = self._changes, []
        return changes

    def close(self, usage: Usage, now: int) -> list[Change]:
        """The turn is over: what is open is completed, but for a tool step, which waits for its outputs."""
        self._now = now
        if not self._calls:
            if self._message is None:
                self._open_message()
            self._complete_message(wire_usage(usage))
        return self.take()

    def cut(self, usage: Usage, now: int) -> list[Change]:
        """The turn's budget ended it: the message is incomplete, its step done."""
        self._now = now
        if self._message is not None:
            details = {"reason": "max_tokens"}
            self._end_citing()
            self._flush_text()
            message = {**self._message, "content": self._content(), "incomplete_at": now, "incomplete_details": details}
            self._changes.append(Change("thread.message.incomplete", {**message, "status": "incomplete"}))
            self._message = None
            self._complete_step(wire_usage(usage))
        elif self._step is not None:
            self._complete_step(wire_usage(usage))
        return self.take()

    def _add_text(self, text: str, block: str) -> bool:
        if self._calls:
            return False  # text after a tool call has no place in the API's steps
        opened = self._message is None
        if opened:
            self._block = block
            self._open_message()
        if block == "refusal" and self._block == "text":
            self._refuse(text)
        elif self._citer is None or block == "refusal":
            self._say(text)
        else:
            self._say_cited(self._citer.feed(text))
        return opened

    def _refuse(self, text: str) -> None:
        """A guard stops an answer that has begun: the refusal is a block of its own behind what was shown."""
        assert self._message is not None
        self._end_citing()
        self._flush_text()
        self._refused.append(text)
        content = {"index": 1, "type": "refusal", "refusal": text}
        self._changes.append(_message_delta(self._message["id"], content))

    def _say(self, text: str) -> None:
        self._text.append(text)
        self._unsent.append(text)
        self._length += len(text)

    def _say_cited(self, pieces: list[CitedPiece]) -> None:
        for piece in pieces:
            if isinstance(piece, Citation):
                self._annotate(piece)
                self._say(piece.marker)
            else:
                self._say(piece)

    def _annotate(self, citation: Citation) -> None:
        """Note a marker that is about to be said; indexes count characters, as the text's do."""
        annotation = {
            "type": "file_citation",
            "text": citation.marker,
            "file_citation": {"file_id": citation.file_id, "quote": citation.quote},
            "start_index": self._length,
            "end_index": self._length + len(citation.marker),
        }
        self._new_annotations.append({"index": len(self._annotations), **annotation})
        self._annotations.append(annotation)

    def _end_citing(self) -> None:
        if self._citer is not None:
            citer, self._citer = self._citer, None
            self._say_cited(citer.close())

    def _open_message(self) -> None:
        message_id = new_id("msg")
        self._open_step({"type": "message_creation", "message_creation": {"message_id": message_id}})
        self._message = {
            "id": message_id,
            "object": "thread.message",
            "created_at": self._now,
            "thread_id": self._run.thread_id,
            "status": "in_progress",
            "incomplete_details": None,
            "completed_at": None,
            "incomplete_at": None,
            "role": "assistant",
            "content": [],
            "assistant_id": self._run.assistant_id,
            "run_id": self._run.id,
            "attachments": [],
            "metadata": {},
        }
        self._changes.append(Change("thread.message.created", self._message))
        self._changes.append(Change("thread.message.in_progress", self._message))

    def _open_step(self, details: dict[str, Any]) -> None:
        self._step = _new_step(self._run, details, self._now)
        self._changes.append(Change("thread.run.step.created", self._step))
        self._changes.append(Change("thread.run.step.in_progress", self._step))

    def _flush_text(self) -> None:
        if not self._unsent or self._message is None:
            return
        piece = "".join(self._unsent)
        first = len(self._unsent) == len(self._text)
        self._unsent.clear()
        if self._block == "refusal":
            content: dict[str, Any] = {"index": 0, "type": "refusal", "refusal": piece}
        else:
            text: dict[str, Any] = {"value": piece}
            if first or self._new_annotations:
                text["annotations"], self._new_annotations = self._new_annotations, []
            content = {"index": 0, "type": "text", "text": text}
        self._changes.append(_message_delta(self._message["id"], content))

    def _content(self) -> list[dict[str, Any]]:
        if self._block == "refusal":
            return [{"type": "refusal", "refusal": self.text}]
        said = {"type": "text", "text": {"value": self.text, "annotations": self._annotations}}
        return [said, {"type": "refusal", "refusal": "".join(self._refused)}] if self._refused else [said]

    def _complete_message(self, usage: dict[str, int]) -> None:
        assert self._message is not None
        self._end_citing()
        self._flush_text()
        message = {**self._message, "status": "completed", "content": self._content(), "completed_at": self._now}
        self._changes.append(Change("thread.message.completed", message))
        self._message = None
        self._complete_step(usage)

    def _complete_step(self, usage: dict[str, int]) -> None:
        assert self._step is not None
        step = {**self._step, "status": "completed", "completed_at": self._now, "usage": usage}
        if self._step["type"] == "tool_calls":
            step = with_calls(step, self.calls)
        self._changes.append(Change("thread.run.step.completed", step))
        self._step = None

    def _add_call(self, piece: ToolCallDelta) -> bool:
        opened = not self._calls
        if opened:
            if self._message is not None:
                self._complete_message(NO_USAGE)  # the turn's usage is the tool step's
            self._open_step({"type": "tool_calls", "tool_calls": []})
        assert self._step is not None
        known = self._calls.get(piece.index)
        call = known or self._new_call(piece.id or new_id("call"), piece.name or "")
        self._calls[piece.index] = call
        call.arguments.append(piece.arguments)
        delta = self._call_delta(piece, call, first=known is None)
        if delta is not None:
            self._changes.append(step_delta(self._step["id"], delta))
        return opened

    def _new_call(self, call_id: str, name: str) -> _Call:
        tool = self._tools.get(name)
        return _Call(call_id, name, None if tool is None else tool.called(call_id, name, ""))

    def _call_delta(self, piece: ToolCallDelta, call: _Call, *, first: bool) -> dict[str, Any] | None:
        """What followers see of it; of a call of the server's own tools what these show while they are called."""
        if call.server is not None:
            shown, kind = call.server.streamed(piece.arguments, first=first), call.server.type
            if shown is None:
                return None
            return {"index": piece.index, **({"id": call.id} if first else {}), "type": kind, kind: shown}
        delta: dict[str, Any] = {"index": piece.index, "type": "function", "function": {"arguments": piece.arguments}}
        if first:
            delta["id"] = call.id
            delta["function"] = {"name": call.name, "arguments": piece.arguments, "output": None}
        return delta

    def tool_step(self) -> dict[str, Any] | None:
        """The open tool step, with its calls filled in, as the client's outputs will find it."""
        if self._step is None or not self._calls:
            return None
        return with_calls(self._step, self.calls)


def opened_tool_step(run: Run, calls: list[ToolCall], now: int) -> list[Change]:
    """A tool step that the server begins by itself, with its calls; not a part of any turn."""
    step = _new_step(run, {"type": "tool_calls", "tool_calls": []}, now)
    deltas = [
        step_delta(step["id"], {"index": n, "id": call.id, "type": call.type, call.type: {}})
        for n, call in enumerate(calls)
    ]
    begun = [Change("thread.run.step.created", step), Change("thread.run.step.in_progress", step)]
    return [*begun, *deltas, Change(STEP_CALLED, with_calls(step, calls))]


def with_calls(step: dict[str, Any], calls: list[ToolCall]) -> dict[str, Any]:
    """The step with these calls."""
    return {**step, "step_details": ToolCallsDetails(tool_calls=calls).model_dump(mode="json")}


def step_delta(step_id: str, call: dict[str, Any]) -> Change:
    """A piece of one call of a step."""
    details = {"type": "tool_calls", "tool_calls": [call]}
    event = {"id": step_id, "object": "thread.run.step.delta", "delta": {"step_details": details}}
    return Change("thread.run.step.delta", event)


def _message_delta(message_id: str, content: dict[str, Any]) -> Change:
    delta = {"id": message_id, "object": "thread.message.delta", "delta": {"content": [content]}}
    return Change("thread.message.delta", delta)


def _new_step(run: Run, details: dict[str, Any], now: int) -> dict[str, Any]:
    return {
        "id": new_id("step"),
        "object": "thread.run.step",
        "created_at": now,
        "assistant_id": run.assistant_id,
        "thread_id": run.thread_id,
        "run_id": run.id,
        "type": details["type"],
        "status": "in_progress",
        "step_details": details,
        "last_error": None,
        "expires_at": run.expires_at,
        "expired_at": None,
        "cancelled_at": None,
        "failed_at": None,
        "completed_at": None,
        "metadata": {},
        "usage": None,
    }


def wire_usage(usage: Usage) -> dict[str, int]:
    """Tokens of one turn, in the API's shape."""
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
    }
