"""One call of the model, seen from the log: its deltas become events of messages and steps. Pure, no I/O.

A turn makes a message step, a tool step, or the first and then the second. A message stands complete before the tool step
begins, for clients follow one message at a time. Adjacent pieces of text are joined until they are taken.
"""

from dataclasses import dataclass, field
from typing import Any

from zhuli.core.ids import new_id
from zhuli.types.event import Change
from zhuli.types.generation import Delta, ToolCallDelta, Usage
from zhuli.types.run import Run
from zhuli.types.step import FunctionCallResult, FunctionToolCall

_NOTHING = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


@dataclass(slots=True)
class _Call:
    id: str
    name: str
    arguments: list[str] = field(default_factory=list)


class Turn:
    """Feed it deltas and take() changes to record; close_* gives the last ones."""

    def __init__(self, run: Run, now: int) -> None:
        self._run = run
        self._now = now
        self._changes: list[Change] = []
        self._step: dict[str, Any] | None = None
        self._message: dict[str, Any] | None = None
        self._text: list[str] = []
        self._unsent: list[str] = []
        self._block = "text"
        self._calls: dict[int, _Call] = {}

    @property
    def dirty(self) -> bool:
        """Whether there is something to take."""
        return bool(self._changes or self._unsent)

    @property
    def text(self) -> str:
        return "".join(self._text)

    @property
    def calls(self) -> list[FunctionToolCall]:
        """The functions that the model called, in order."""
        return [
            FunctionToolCall(
                id=call.id, function=FunctionCallResult(name=call.name, arguments="".join(call.arguments) or "{}")
            )
            for _, call in sorted(self._calls.items())
        ]

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
        self._text.append(text)
        self._unsent.append(text)
        return opened

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
        self._step = {
            "id": new_id("step"),
            "object": "thread.run.step",
            "created_at": self._now,
            "assistant_id": self._run.assistant_id,
            "thread_id": self._run.thread_id,
            "run_id": self._run.id,
            "type": details["type"],
            "status": "in_progress",
            "step_details": details,
            "last_error": None,
            "expires_at": self._run.expires_at,
            "expired_at": None,
            "cancelled_at": None,
            "failed_at": None,
            "completed_at": None,
            "metadata": {},
            "usage": None,
        }
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
            text = {"value": piece, "annotations": []} if first else {"value": piece}
            content = {"index": 0, "type": "text", "text": text}
        delta = {"id": self._message["id"], "object": "thread.message.delta", "delta": {"content": [content]}}
        self._changes.append(Change("thread.message.delta", delta))

    def _content(self) -> list[dict[str, Any]]:
        if self._block == "refusal":
            return [{"type": "refusal", "refusal": self.text}]
        return [{"type": "text", "text": {"value": self.text, "annotations": []}}]

    def _complete_message(self, usage: dict[str, int]) -> None:
        assert self._message is not None
        self._flush_text()
        message = {**self._message, "status": "completed", "content": self._content(), "completed_at": self._now}
        self._changes.append(Change("thread.message.completed", message))
        self._message = None
        self._complete_step(usage)

    def _complete_step(self, usage: dict[str, int]) -> None:
        assert self._step is not None
        step = {**self._step, "status": "completed", "completed_at": self._now, "usage": usage}
        if self._step["type"] == "tool_calls":
            calls = [call.model_dump(mode="json") for call in self.calls]
            step["step_details"] = {"type": "tool_calls", "tool_calls": calls}
        self._changes.append(Change("thread.run.step.completed", step))
        self._step = None

    def _add_call(self, piece: ToolCallDelta) -> bool:
        opened = not self._calls
        if opened:
            if self._message is not None:
                self._complete_message(_NOTHING)  # the turn's usage is the tool step's
            self._open_step({"type": "tool_calls", "tool_calls": []})
        assert self._step is not None
        delta: dict[str, Any] = {"index": piece.index, "type": "function"}
        call = self._calls.get(piece.index)
        if call is None:
            call = self._calls[piece.index] = _Call(piece.id or new_id("call"), piece.name or "")
            function = {"name": call.name, "arguments": piece.arguments, "output": None}
            delta |= {"id": call.id, "function": function}
        else:
            delta["function"] = {"arguments": piece.arguments}
        call.arguments.append(piece.arguments)
        details = {"type": "tool_calls", "tool_calls": [delta]}
        event = {"id": self._step["id"], "object": "thread.run.step.delta", "delta": {"step_details": details}}
        self._changes.append(Change("thread.run.step.delta", event))
        return opened

    def tool_step(self) -> dict[str, Any] | None:
        """The open tool step, with its calls filled in, as the client's outputs will find it."""
        if self._step is None or not self._calls:
            return None
        calls = [call.model_dump(mode="json") for call in self.calls]
        return {**self._step, "step_details": {"type": "tool_calls", "tool_calls": calls}}


def wire_usage(usage: Usage) -> dict[str, int]:
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
    }
