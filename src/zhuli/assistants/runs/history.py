"""A thread as the model reads it: chat messages with their token counts, read once and then only what is new.

What was read stays in memory per thread, so that a turn costs what is new. An edit or deletion in the thread makes the copy
stale; the thread's `edits` says so. Another process has its own copy, and reads the rest from the store.

What a file search found is read by its own run only: later ones would pay for passages that answered another question.
For the same reason nobody reads markers of citations again; an answer is what the model wrote.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection

from zhuli.assistants.runs.citations import passages
from zhuli.assistants.runs.history_items import from_item, unanswered
from zhuli.core.tokens import MESSAGE_OVERHEAD, estimate
from zhuli.ports import Backend
from zhuli.store.assistants import threads
from zhuli.store.assistants.threads import Entry
from zhuli.store.database import Database
from zhuli.types.assistants.step import FileSearchToolCall, ServerToolCall
from zhuli.types.models.generation import ChatMessage

IMAGE_TOKENS = 765
"""Tokens counted for an image: what OpenAI's vision guide gives for 1024×1024 in high detail (85 + 4 × 170)."""

MOST_AT_ONCE = 500
"""Messages that are read in one go: ten milliseconds."""

_THREADS = 1024
"""Threads kept in memory; the least recently used goes first."""


@dataclass(slots=True)
class Item:
    """One or more chat messages that stay together: a message of the thread, a round of tool calls, or both in one turn.

    searches: those whose results are in it. later: what other runs read instead, [] for nothing.
    """

    messages: list[ChatMessage]
    tokens: int
    is_message: bool
    run_id: str | None
    searches: list[FileSearchToolCall] = field(default_factory=list)
    later: list["Item"] = field(default_factory=list)

    @property
    def opens(self) -> bool:
        """Whether a prompt may begin here."""
        return bool(self.messages[0]["role"] == "user")


@dataclass(slots=True)
class _Read:
    """What is known of a thread, and up to where."""

    edits: int
    tokenizer: str
    message_seq: int = 0
    step_seq: int = 0
    items: list[Item] = field(default_factory=list)
    searching: set[str | None] = field(default_factory=set)
    """Runs of whose searches there are items."""
    called: dict[str, "_Called"] = field(default_factory=dict)
    """Calls whose outputs are items of their own that have not come yet, by the calls' ids."""
    rounds: int = 0
    open_round: int | None = None
    """The round that the last item answers, as long as nothing else came."""


@dataclass(frozen=True, slots=True)
class _Called:
    """A call that a later item answers; call: as a chat message has it. round: calls of one are one message."""

    run_id: str | None
    round: int
    call: dict[str, Any]


_Place = tuple[int, int]
"""Which span of the thread's lineage is read, and behind which message of it."""


class History:
    """Threads as items, oldest first."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._threads: OrderedDict[str, _Read] = OrderedDict()

    async def read(
        self, thread_id: str, backend: Backend, tokenizer: str, *, run_id: str | None = None
    ) -> tuple[list[Item], list[tuple[str, int]]]:
        """Everything finished on the thread, and counts to be stored with their messages: (message id, tokens).

        tokenizer: the name under which counts of this backend are kept. run_id: the run that reads.
        """
        known = self._threads.pop(thread_id, None)
        if known is None or known.tokenizer != tokenizer:
            known = _Read(edits=-1, tokenizer=tokenizer)
        counts: list[tuple[str, int]] = []
        place: _Place | None = None
        after_step = known.step_seq
        while True:
            edits, new, more = await self._database.run(
                _news, thread_id, known.edits, after_message=known.message_seq, after_step=after_step, place=place
            )
            if edits != known.edits:
                known, after_step = _Read(edits=edits, tokenizer=tokenizer), 0
            counts += await _extend(known, new, backend, run_id)
            if more is None:
                break
            place = more
            await asyncio.sleep(0)  # a long thread keeps nobody waiting
        if known.searching - {run_id}:
            _forget_passages(known, run_id)
        self._threads[thread_id] = known
        if len(self._threads) > _THREADS:
            self._threads.popitem(last=False)
        return known.items, counts


async def _extend(known: _Read, new: list[Entry], backend: Backend, run_id: str | None) -> list[tuple[str, int]]:
    """Take in new entries; the counts of messages that had none for this tokenizer."""
    before = sum(len(item.searches) for item in known.items if item.run_id == run_id) if known.searching else 0
    converted: list[tuple[Entry, list[ChatMessage], list[FileSearchToolCall]]] = []
    for entry in new:
        own = entry.run_id == run_id
        searches = _searches(entry) if own else []
        converted.append((entry, _convert(entry, before, own=own), searches))
        before += len(searches)
    uncounted = [
        (entry, messages)
        for entry, messages, _ in converted
        if messages and (entry.tokens is None or entry.tokenizer != known.tokenizer)
    ]
    counts: dict[str, int] = {}
    if uncounted:
        numbers = await backend.count_tokens([text_of(messages) for _, messages in uncounted])
        for (entry, messages), number in zip(uncounted, numbers, strict=True):
            counts[entry.id] = number + _beside_text(messages)
    for entry, messages, searches in converted:
        if entry.is_step:
            known.step_seq = max(known.step_seq, entry.seq)
        else:
            known.message_seq = max(known.message_seq, entry.seq)
        if entry.is_item or (entry.is_step and '"output":null' in entry.body):
            _note_calls(known, entry)
        if messages and messages[0]["role"] == "tool":
            _append_output(known, messages[0], counts[entry.id])
        elif messages:
            known.open_round = None
            _append(known, entry, messages, counts.get(entry.id, entry.tokens or 0), searches)
    return [(entry.id, counts[entry.id]) for entry, _ in uncounted if not entry.is_step]


def _news(
    connection: Connection, thread_id: str, edits: int, *, after_message: int, after_step: int, place: _Place | None
) -> tuple[int, list[Entry], _Place | None]:
    """The thread's edits now, and what comes after the seqs, some of it; from the beginning if it was edited since.

    place: where to go on, None for the thread itself, behind what it branched off from.
    """
    lineage = threads.lineage(connection, thread_id)
    if lineage.edits != edits:
        after_message, after_step, place = 0, 0, (0, -1)
    span, behind = place or (len(lineage.spans) - 1, -1)
    new, more = threads.entries(
        connection,
        lineage.spans[span],
        after_message=after_message,
        after_step=after_step,
        behind=behind,
        most=MOST_AT_ONCE,
    )
    if more is not None:
        return lineage.edits, new, (span, more)
    return lineage.edits, new, (span + 1, -1) if span + 1 < len(lineage.spans) else None


def _note_calls(known: _Read, entry: Entry) -> None:
    """Keep the calls of a step or item in mind that have no outputs yet."""
    calls = unanswered(orjson.loads(entry.body))
    if not calls:
        return
    run_id = entry.run_id or None
    newest = next(reversed(known.called.values()), None)
    if run_id is not None or newest is None or newest.round != known.rounds or newest.run_id is not None:
        known.rounds += 1  # calls of a client's that follow each other are one round, like those of a step
    for call in calls:
        known.called[call["id"]] = _Called(run_id, known.rounds, call)


def _append_output(known: _Read, output: ChatMessage, tokens: int) -> None:
    """Add what an item says that a call gave; without its call it means nothing to a model."""
    called = known.called.pop(output["tool_call_id"], None)
    if called is None:
        return
    last = known.items[-1] if known.items else None
    tokens += estimate(text_of([{"role": "assistant", "tool_calls": [called.call]}]))
    if last is not None and known.open_round == called.round:
        asked = {**last.messages[0], "tool_calls": [*last.messages[0]["tool_calls"], called.call]}
        known.items[-1] = Item(
            [asked, *last.messages[1:], output], last.tokens + tokens, last.is_message, called.run_id
        )
        return
    known.open_round = called.round
    asked = {"role": "assistant", "content": None, "tool_calls": [called.call]}
    if last is not None and _is_said_before(last, called.run_id):
        asked["content"] = last.messages[0]["content"]
        known.items[-1] = Item([asked, output], last.tokens + tokens, last.is_message, called.run_id)
        return
    known.items.append(Item([asked, output], tokens, False, called.run_id))


def _append(
    known: _Read, entry: Entry, messages: list[ChatMessage], tokens: int, searches: list[FileSearchToolCall]
) -> None:
    """Add an entry; what the model said before its calls, in the same turn, is one message with them."""
    items = known.items
    if searches:
        _append_search(known, entry, messages, tokens, searches)
        return
    last = items[-1] if items else None
    if entry.is_step and last is not None and _is_said_before(last, entry.run_id):
        messages[0]["content"] = last.messages[0]["content"]
        items[-1] = Item(messages, last.tokens + tokens, last.is_message, entry.run_id)
        return
    items.append(Item(messages, tokens, not entry.is_step, entry.run_id))


def _is_said_before(last: Item, run_id: str | None) -> bool:
    message = last.messages[0]
    alone = len(last.messages) == 1 and message["role"] == "assistant" and "tool_calls" not in message
    return alone and last.run_id == run_id


def _append_search(
    known: _Read, entry: Entry, messages: list[ChatMessage], tokens: int, searches: list[FileSearchToolCall]
) -> None:
    """Add a round with searches; what the server found before the model's first word goes into the user's message."""
    known.searching.add(entry.run_id)
    items = known.items
    last = items[-1] if items else None
    if searches[0].file_search.called_by == "server" and last is not None and last.messages[-1]["role"] == "user":
        asked = passages.before_question(messages[0]["content"], last.messages[-1])
        both = [*last.messages[:-1], asked]
        items[-1] = Item(both, last.tokens + tokens, last.is_message, entry.run_id, searches, [last])
        return
    later = _without_searches(messages, searches)
    share = [Item(later, tokens * _length(later) // max(1, _length(messages)), False, entry.run_id)] if later else []
    if last is not None and _is_said_before(last, entry.run_id):
        messages[0]["content"] = last.messages[0]["content"]
        items[-1] = Item(messages, last.tokens + tokens, last.is_message, entry.run_id, searches, [last, *share])
        return
    items.append(Item(messages, tokens, False, entry.run_id, searches, share))


def _forget_passages(known: _Read, run_id: str | None) -> None:
    """From here on only `run_id`'s own searches are read."""
    items: list[Item] = []
    for item in known.items:
        items.extend(item.later if item.searches and item.run_id != run_id else [item])
    known.items = items
    known.searching &= {run_id}


def _without_searches(messages: list[ChatMessage], searches: list[FileSearchToolCall]) -> list[ChatMessage]:
    """A round of calls without its searches; [] where nothing else was called."""
    ids = {search.id for search in searches}
    calls = [call for call in messages[0].get("tool_calls", ()) if call["id"] not in ids]
    if not calls:
        return []
    outputs = [message for message in messages[1:] if message["tool_call_id"] not in ids]
    return [{**messages[0], "tool_calls": calls}, *outputs]


def _length(messages: list[ChatMessage]) -> int:
    return len(text_of(messages))


def output_in(items: Sequence[Item], run_id: str) -> str | None:
    """What the run's last function call gave."""
    for item in reversed(items):
        if item.run_id == run_id and item.messages[-1]["role"] == "tool":
            return str(item.messages[-1]["content"])
    return None


def newest_output(items: Sequence[Item]) -> str | None:
    """What the last function call gave, where nothing was said since."""
    newest = items[-1].messages[-1] if items else None
    return str(newest["content"]) if newest is not None and newest["role"] == "tool" else None


def _searches(entry: Entry) -> list[FileSearchToolCall]:
    if not entry.is_step or '"file_search"' not in entry.body:
        return []
    calls = orjson.loads(entry.body)["step_details"]["tool_calls"]
    return [FileSearchToolCall.model_validate(call) for call in calls if call["type"] == "file_search"]


def _convert(entry: Entry, searches_before: int, *, own: bool) -> list[ChatMessage]:
    """Chat messages of an entry; none for what a model should not read again. own: of the run that reads."""
    body = orjson.loads(entry.body)
    if entry.is_item:
        return from_item(body)
    return _from_step(body, searches_before, own=own) if entry.is_step else _from_message(body)


def _from_step(step: dict[str, Any], searches_before: int, *, own: bool) -> list[ChatMessage]:
    calls = step["step_details"].get("tool_calls", [])
    asked: list[dict[str, Any]] = []
    outputs: list[ChatMessage] = []
    for call in calls:
        if call["type"] == "file_search":
            if not own:
                continue
            search = FileSearchToolCall.model_validate(call)
            if search.file_search.results is None:
                return []
            output = passages.told(search, searches_before)
            searches_before += 1
            if search.file_search.called_by == "server":
                return [{"role": "user", "content": output}]
            arguments = orjson.dumps({"queries": search.file_search.queries}).decode()
            function = {"name": "file_search", "arguments": arguments}
        elif call["type"] != "function":
            made = ServerToolCall.model_validate(call)
            if made.output is None:
                return []
            function, output = {"name": made.name, "arguments": made.body["arguments"]}, made.output
        elif call["function"]["output"] is None:
            continue  # cut off, or answered by an item that comes later: a call without its output confuses models
        else:
            function = {"name": call["function"]["name"], "arguments": call["function"]["arguments"]}
            output = call["function"]["output"]
        asked.append({"id": call["id"], "type": "function", "function": function})
        outputs.append({"role": "tool", "tool_call_id": call["id"], "content": output})
    if not asked:
        return []
    return [{"role": "assistant", "content": None, "tool_calls": asked}, *outputs]


def _from_message(message: dict[str, Any]) -> list[ChatMessage]:
    details = message["incomplete_details"]
    if details is not None and details["reason"] == "run_failed":
        return []  # what a failed attempt began to say was said again, or is not worth repeating
    parts = [_part(block) for block in message["content"]]
    if all(part["type"] == "text" for part in parts):
        text = "\n".join(part["text"] for part in parts)
        return [{"role": message["role"], "content": text}] if text or message["role"] == "user" else []
    return [{"role": message["role"], "content": parts}]


def _part(block: dict[str, Any]) -> dict[str, Any]:
    """A content block as a part of a chat message; image files keep their id until a prompt needs the bytes."""
    match block["type"]:
        case "text":
            return {"type": "text", "text": _without_markers(block["text"])}
        case "refusal":
            return {"type": "text", "text": block["refusal"]}
        case _:
            return block


def _without_markers(text: dict[str, Any]) -> str:
    """The text without the markers of its citations."""
    value: str = text["value"]
    for annotation in reversed(text["annotations"]):
        if annotation["type"] == "file_citation":
            value = value[: annotation["start_index"]] + value[annotation["end_index"] :]
    return value


def text_of(messages: Sequence[ChatMessage]) -> str:
    """Everything in the messages that is text, calls included."""
    pieces: list[str] = []
    for message in messages:
        content = message.get("content")
        if isinstance(content, str):
            pieces.append(content)
        elif isinstance(content, list):
            pieces.extend(part["text"] for part in content if part["type"] == "text")
        for call in message.get("tool_calls", ()):
            pieces.append(f"{call['function']['name']} {call['function']['arguments']}")
    return "\n".join(pieces)


def _beside_text(messages: list[ChatMessage]) -> int:
    """Tokens of what is not text: the template around each message, and images."""
    images: int = sum(
        part["type"] != "text"
        for message in messages
        if isinstance(message.get("content"), list)
        for part in message["content"]
    )
    return len(messages) * MESSAGE_OVERHEAD + images * IMAGE_TOKENS
