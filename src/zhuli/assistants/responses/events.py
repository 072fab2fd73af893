"""A run's log as the events of a response: a fold, so that every follower from every point is told the same under the same
numbers. Pure.

Numbers begin with 0 and have no gaps. The fold always begins with the log's first event; who joins later is spared what came
before. Pieces of a text or of arguments are dropped from old logs; then the whole comes as one piece, and what follows keeps
the number that it had; of several calls at once, what follows them all.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from zhuli.assistants.responses import items
from zhuli.assistants.responses.lens import response_of
from zhuli.types.assistants.event import RESTS, STEP_CALLED, RunEvent
from zhuli.types.assistants.response import Asked
from zhuli.types.assistants.run import Run

Event = dict[str, Any]

_ENDS = {"completed": "response.completed", "incomplete": "response.incomplete"}
"""The last event by the response's status; all others end with response.failed."""


class ResponseEvents:
    """Feed it a log from its first event on.

    results: whether file searches show what they found.
    """

    def __init__(self, asked: Asked, *, results: bool = False) -> None:
        self._asked = asked
        self._results = results
        self._events: list[Event] = []
        self._number = 0
        self._last = 0
        self._dropped = 0
        self._begun = False
        self._over = False
        self._output: list[items.Item] = []
        self._names: dict[str, str] = {}
        self._message: _Message | None = None
        self._step: _Step | None = None

    @property
    def over(self) -> bool:
        """Whether the response's last event has been given."""
        return self._over

    def feed(self, event: RunEvent) -> list[Event]:
        """What follows from an event of the log."""
        if self._over:
            return []
        self._dropped += event.sequence - self._last - 1
        self._last = event.sequence
        kind, _, rest = event.name.rpartition(".")
        if event.name.startswith("thread.message."):
            self._feed_message(rest, orjson.loads(event.data))
        elif event.name.startswith("thread.run.step.") or event.name == STEP_CALLED:
            self._feed_step(event.name, orjson.loads(event.data))
        elif kind == "thread.run":
            self._feed_run(event)
        events, self._events = self._events, []
        return events

    def _emit(self, type_: str, **fields: Any) -> None:
        self._events.append({"type": type_, "sequence_number": self._number, **fields})
        self._number += 1

    def _feed_run(self, event: RunEvent) -> None:
        name = event.name
        if name == "thread.run.created":
            self._show("response.created", event)
        elif name == "thread.run.queued" and not self._begun and self._asked.background:
            self._show("response.queued", event)
        elif name == "thread.run.in_progress" and not self._begun:
            self._begun = True
            self._show("response.in_progress", event)
        elif name in RESTS:
            self._over = True
            run = Run.model_validate_json(event.data)
            response = response_of(run, self._asked, self._output)
            self._emit(_ENDS.get(response.status, "response.failed"), response=response.model_dump(mode="json"))

    def _show(self, type_: str, event: RunEvent) -> None:
        run = Run.model_validate_json(event.data)
        self._emit(type_, response=response_of(run, self._asked, ()).model_dump(mode="json"))

    def _open(self, item: items.Item) -> int:
        self._output.append(item)
        index = len(self._output) - 1
        self._emit("response.output_item.added", output_index=index, item=item)
        return index

    def _close(self, index: int, item: items.Item) -> None:
        self._output[index] = item
        self._emit("response.output_item.done", output_index=index, item=item)

    def _taken(self) -> int:
        """How many pieces are gone from the log since this was asked last."""
        dropped, self._dropped = self._dropped, 0
        return dropped

    def _feed_message(self, name: str, data: dict[str, Any]) -> None:
        if name == "created":
            item = items.of_message({**data, "content": []}, self._names)
            self._message = _Message(data["id"], self._open(item))
        message = self._message
        if message is None or message.id != data["id"]:
            return
        if name == "delta":
            for piece in data["delta"]["content"]:
                self._feed_piece(message, piece)
        elif name in ("completed", "incomplete"):
            self._finish_message(message, data)
            self._message = None

    def _feed_piece(self, message: "_Message", piece: dict[str, Any]) -> None:
        kind = "refusal" if piece["type"] == "refusal" else "output_text"
        while len(message.parts) <= piece["index"]:
            self._open_part(message, kind)
        part = message.parts[-1]
        if kind == "refusal":
            self._say(message, part, piece["refusal"])
            return
        text = piece["text"]
        self._say(message, part, part.without_markers(text.get("value") or "", text.get("annotations") or ()))

    def _open_part(self, message: "_Message", kind: str) -> None:
        if message.parts:
            self._finish_part(message, message.parts[-1])
        part = _Part(kind, len(message.parts))
        message.parts.append(part)
        self._emit("response.content_part.added", **message.place(part), part=part.item())

    def _say(self, message: "_Message", part: "_Part", piece: str) -> None:
        part.text += piece
        self._emit(f"response.{part.kind}.delta", **message.place(part), delta=piece, **part.logprobs)

    def _finish_part(self, message: "_Message", part: "_Part") -> None:
        if part.done:
            return
        part.done = True
        for n, note in enumerate(part.notes):
            shown = items.annotation(*note, self._names)
            self._emit(
                "response.output_text.annotation.added", **message.place(part), annotation_index=n, annotation=shown
            )
        said = {"refusal": part.text} if part.kind == "refusal" else {"text": part.text, "logprobs": []}
        self._emit(f"response.{part.kind}.done", **message.place(part), **said)
        shown_part = part.item()
        if part.kind == "output_text":
            shown_part["annotations"] = [items.annotation(*note, self._names) for note in part.notes]
        self._emit("response.content_part.done", **message.place(part), part=shown_part)

    def _finish_message(self, message: "_Message", data: dict[str, Any]) -> None:
        """The end of a message. What of its text was not streamed, or is no longer in the log, comes now."""
        missing = self._taken()
        for n, block in enumerate(data["content"]):
            if n < len(message.parts):
                continue
            text = block["text"] if block["type"] == "text" else None
            self._open_part(message, "output_text" if text is not None else "refusal")
            part = message.parts[-1]
            whole = block["refusal"] if text is None else part.without_markers(text["value"], text["annotations"])
            if whole or missing:
                self._say(message, part, whole)
                missing -= 1
                later = sum(1 for other in data["content"][n + 1 :] if other.get("refusal"))
                self._number += max(0, missing - later)
                missing = min(max(0, missing), later)
        for part in message.parts:
            self._finish_part(message, part)
        self._close(message.index, items.of_message(data, self._names))

    def _feed_step(self, name: str, data: dict[str, Any]) -> None:
        if name == "thread.run.step.delta":
            details = data["delta"]["step_details"]
            for piece in details.get("tool_calls") or ():
                self._feed_call(self._step_of(data["id"]), piece)
            return
        if data["type"] != "tool_calls":
            return
        if name == "thread.run.step.created":
            self._step = _Step(data["id"])
        elif name != "thread.run.step.in_progress":
            self._finish_calls(self._step_of(data["id"]), name, data)

    def _step_of(self, step_id: str) -> "_Step":
        if self._step is None or self._step.id != step_id:
            self._step = _Step(step_id)
        return self._step

    def _feed_call(self, step: "_Step", piece: dict[str, Any]) -> None:
        """A piece of a call; the pieces of a call wait until those before it are whole, for clients follow one at a time."""
        place = piece["index"]
        if place not in step.calls:
            step.calls[place] = _Call(place, piece["type"], piece.get("id", ""), piece.get(piece["type"]) or {})
        call = step.calls[place]
        if call.kind != "file_search":
            call.waiting.append((piece.get(call.kind) or {}).get("arguments") or "")
        self._go_on(step)

    def _go_on(self, step: "_Step") -> None:
        for place in sorted(step.calls):
            call = step.calls[place]
            if call.done:
                continue
            self._begin_call(step, call)
            for piece in call.waiting:
                self._say_arguments(step, call, piece)
            call.waiting.clear()
            if place + 1 not in step.calls or (call.kind != "file_search" and not _is_json(call.arguments)):
                return
            self._end_arguments(step, call, status="completed")

    def _begin_call(self, step: "_Step", call: "_Call") -> None:
        if call.index is None:
            empty = {**call.body, "arguments": ""} if call.kind != "file_search" else {}
            shown = {"id": call.id, "type": call.kind, call.kind: empty}
            call.index = self._open(items.of_call(step.id, call.place, shown, status="in_progress"))
            if call.kind == "file_search":
                self._emit("response.file_search_call.in_progress", **self._call_place(call))
            elif call.kind != "function":
                self._emit("response.mcp_call.in_progress", **self._call_place(call))

    def _call_place(self, call: "_Call") -> dict[str, Any]:
        assert call.index is not None
        return {"item_id": self._output[call.index]["id"], "output_index": call.index}

    def _say_arguments(self, step: "_Step", call: "_Call", piece: str) -> None:
        call.arguments += piece
        self._emit(f"response.{call.events}_arguments.delta", **self._call_place(call), delta=piece)

    def _end_arguments(self, step: "_Step", call: "_Call", *, status: str) -> None:
        """All that the model says of the call is said. A function's call is whole then; others are made now."""
        call.done = True
        if call.kind == "file_search":
            self._emit("response.file_search_call.searching", **self._call_place(call))
            return
        named = {"name": call.body.get("name", "")} if call.kind == "function" else {}
        self._emit(
            f"response.{call.events}_arguments.done", **self._call_place(call), arguments=call.arguments, **named
        )
        if call.kind == "function":
            assert call.index is not None
            shown = {"id": call.id, "type": "function", "function": {**call.body, "arguments": call.arguments}}
            self._close(call.index, items.of_call(step.id, call.place, shown, status=status))

    def _finish_calls(self, step: "_Step", name: str, data: dict[str, Any]) -> None:
        """All calls of a step are said, or the step is over: done, or broken off."""
        calls: Sequence[dict[str, Any]] = data["step_details"]["tool_calls"]
        self._names |= items.names_in(data)
        status = "completed" if name == STEP_CALLED or step.called else "incomplete"
        step.called |= name == STEP_CALLED
        spared = max(0, self._taken() - sum(1 for call in calls if call["type"] == "file_search"))
        for place, given in enumerate(calls):
            if place not in step.calls:
                step.calls[place] = _Call(place, given["type"], given["id"], given.get(given["type"]) or {})
                if given["type"] != "file_search":
                    step.calls[place].waiting.append((given.get(given["type"]) or {}).get("arguments") or "")
                    spared -= 1
        for place in sorted(step.calls):
            call = step.calls[place]
            if not call.done:
                self._begin_call(step, call)
                for piece in call.waiting:
                    self._say_arguments(step, call, piece)
                call.waiting.clear()
                if place < len(calls) and call.kind == "function":
                    call.arguments = calls[place]["function"]["arguments"]
                self._number += max(0, spared)
                spared = 0
                self._end_arguments(step, call, status=status)
        if name != STEP_CALLED:
            self._answer(step, calls, "completed" if name == "thread.run.step.completed" else "incomplete")

    def _answer(self, step: "_Step", calls: Sequence[dict[str, Any]], status: str) -> None:
        """The server's own calls have what they gave."""
        for place in sorted(step.calls):
            call = step.calls[place]
            if call.kind == "function" or call.answered or call.index is None:
                continue
            call.answered = True
            given = calls[place] if place < len(calls) else {"id": call.id, "type": call.kind, call.kind: call.body}
            done = "completed" if status == "completed" or call.kind == "file_search" else "failed"
            self._emit(f"response.{call.events}.{done}", **self._call_place(call))
            self._close(call.index, items.of_call(step.id, place, given, status=status, results=self._results))


class _Part:
    """A content part that is being said. notes: citations, with the places where their markers stood."""

    def __init__(self, kind: str, index: int) -> None:
        self.kind = kind
        self.index = index
        self.text = ""
        self.done = False
        self.notes: list[tuple[dict[str, Any], int]] = []
        self._marked = 0

    def item(self) -> items.Item:
        if self.kind == "refusal":
            return {"type": "refusal", "refusal": self.text}
        return {"type": "output_text", "text": self.text, "annotations": [], "logprobs": []}

    @property
    def logprobs(self) -> dict[str, Any]:
        return {} if self.kind == "refusal" else {"logprobs": []}

    def without_markers(self, piece: str, annotations: Sequence[dict[str, Any]]) -> str:
        """A piece of the text without the markers that are in it. Their places count from the text's beginning."""
        begin, plain = 0, ""
        for note in sorted(annotations, key=lambda note: int(note["start_index"])):
            plain += piece[begin : note["start_index"] - self._marked]
            begin = max(begin, note["end_index"] - self._marked)
            self.notes.append((note, len(self.text) + len(plain)))
        self._marked += len(piece)
        return plain + piece[begin:]


class _Message:
    def __init__(self, id_: str, index: int) -> None:
        self.id = id_
        self.index = index
        self.parts: list[_Part] = []

    def place(self, part: _Part) -> dict[str, Any]:
        return {"item_id": self.id, "output_index": self.index, "content_index": part.index}


class _Call:
    """A call that the model says. waiting: pieces of its arguments that are not given yet."""

    def __init__(self, place: int, kind: str, id_: str, body: dict[str, Any]) -> None:
        self.place = place
        self.kind = kind
        self.id = id_
        self.body = body
        self.index: int | None = None
        self.arguments = ""
        self.waiting: list[str] = []
        self.done = False
        self.answered = False

    @property
    def events(self) -> str:
        """What the events of its kind are called."""
        return {"function": "function_call", "file_search": "file_search_call"}.get(self.kind, "mcp_call")


class _Step:
    def __init__(self, id_: str) -> None:
        self.id = id_
        self.calls: dict[int, _Call] = {}
        self.called = False


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True
