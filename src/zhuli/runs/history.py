"""A thread as the model reads it: chat messages with their token counts, read once and then only what is new.

What was read stays in memory per thread, so that a turn costs what is new. An edit or deletion in the thread makes the copy
stale; the thread's `edits` says so. Another process has its own copy, and reads the rest from the store.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection

from zhuli.core.tokens import MESSAGE_OVERHEAD
from zhuli.ports import Backend
from zhuli.store import threads
from zhuli.store.database import Database
from zhuli.store.threads import Entry
from zhuli.types.generation import ChatMessage

IMAGE_TOKENS = 765
"""Tokens counted for an image: what OpenAI's vision guide gives for 1024×1024 in high detail (85 + 4 × 170)."""

_THREADS = 1024
"""Threads kept in memory; the least recently used goes first."""


@dataclass(slots=True)
class Item:
    """One or more chat messages that stay together: a message of the thread, a round of tool calls, or both in one turn."""

    messages: list[ChatMessage]
    tokens: int
    is_message: bool
    run_id: str | None

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


class History:
    """Threads as items, oldest first."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._threads: OrderedDict[str, _Read] = OrderedDict()

    async def read(self, thread_id: str, backend: Backend, tokenizer: str) -> tuple[list[Item], list[tuple[str, int]]]:
        """Everything finished on the thread, and counts to be stored with their messages: (message id, tokens).

        tokenizer: the name under which counts of this backend are kept.
        """
        known = self._threads.pop(thread_id, None)
        if known is None or known.tokenizer != tokenizer:
            known = _Read(edits=-1, tokenizer=tokenizer)
        edits, new = await self._database.run(_news, thread_id, known.edits, known.message_seq, known.step_seq)
        if edits != known.edits:
            known = _Read(edits=edits, tokenizer=tokenizer)
        counts = await _extend(known, new, backend)
        self._threads[thread_id] = known
        if len(self._threads) > _THREADS:
            self._threads.popitem(last=False)
        return known.items, counts


async def _extend(known: _Read, new: list[Entry], backend: Backend) -> list[tuple[str, int]]:
    """Take in new entries; the counts of messages that had none for this tokenizer."""
    converted = [(entry, _convert(entry)) for entry in new]
    uncounted = [
        (entry, messages)
        for entry, messages in converted
        if messages and (entry.tokens is None or entry.tokenizer != known.tokenizer)
    ]
    counts: dict[str, int] = {}
    if uncounted:
        numbers = await backend.count_tokens([_text_of(messages) for _, messages in uncounted])
        for (entry, messages), number in zip(uncounted, numbers, strict=True):
            counts[entry.id] = number + _beside_text(messages)
    for entry, messages in converted:
        if entry.is_step:
            known.step_seq = max(known.step_seq, entry.seq)
        else:
            known.message_seq = max(known.message_seq, entry.seq)
        if messages:
            _append(known.items, entry, messages, counts.get(entry.id, entry.tokens or 0))
    return [(entry.id, counts[entry.id]) for entry, _ in uncounted if not entry.is_step]


def _news(
    connection: Connection, thread_id: str, edits: int, message_seq: int, step_seq: int
) -> tuple[int, list[Entry]]:
    """The thread's edits now, and what came after the seqs; everything if it was edited since."""
    now = threads.edits(connection, thread_id)
    if now != edits:
        return now, threads.entries(connection, thread_id)
    return now, threads.entries(connection, thread_id, after_message=message_seq, after_step=step_seq)


def _append(items: list[Item], entry: Entry, messages: list[ChatMessage], tokens: int) -> None:
    """Add an entry; what the model said before its calls, in the same turn, is one message with them."""
    last = items[-1] if items else None
    if (
        entry.is_step
        and last is not None
        and last.run_id == entry.run_id
        and len(last.messages) == 1
        and last.messages[0]["role"] == "assistant"
        and "tool_calls" not in last.messages[0]
    ):
        messages[0]["content"] = last.messages[0]["content"]
        items[-1] = Item(messages, last.tokens + tokens, last.is_message, entry.run_id)
        return
    items.append(Item(messages, tokens, not entry.is_step, entry.run_id))


def _convert(entry: Entry) -> list[ChatMessage]:
    """Chat messages of an entry; none for what a model should not read again."""
    body = orjson.loads(entry.body)
    return _from_step(body) if entry.is_step else _from_message(body)


def _from_step(step: dict[str, Any]) -> list[ChatMessage]:
    calls = step["step_details"].get("tool_calls", [])
    if not calls or any(call["function"]["output"] is None for call in calls):
        return []  # cut off before it was whole: nobody was asked, and a call without its output confuses models
    asked = [
        {
            "id": call["id"],
            "type": "function",
            "function": {"name": call["function"]["name"], "arguments": call["function"]["arguments"]},
        }
        for call in calls
    ]
    outputs = [
        {"role": "tool", "tool_call_id": call["id"], "content": call["function"]["output"] or ""} for call in calls
    ]
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
            return {"type": "text", "text": block["text"]["value"]}
        case "refusal":
            return {"type": "text", "text": block["refusal"]}
        case _:
            return block


def _text_of(messages: list[ChatMessage]) -> str:
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
