"""Messages as the strictest model server takes them, whatever was said in a thread. Pure; the same for the same messages.

A server that refuses a history refuses it for ever, so nothing goes out that one of them refuses (docs/models.md has the
list). What clients see stays what was said. A prompt that grows at its end stays the same before it, for prefix caches.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from zhuli.models.engines.sound_calls import Numbered, sound_name
from zhuli.models.engines.whole_characters import whole
from zhuli.types.models.generation import ChatMessage

EMPTY = "(empty message)"
NO_OUTPUT = "(no output)"
NO_ANSWER = "(no answer)"
BEGINS = "(The assistant begins.)"
GO_ON = "(Go on.)"
NO_IMAGE = "(an image)"

_SPEAKER = re.compile(r"[^\s<|\\/>]{1,64}")


def sound(messages: Sequence[ChatMessage], *, keep_ids: bool = False, continues: bool = False) -> list[ChatMessage]:
    """The messages with one system message at most, at their beginning; then user and assistant by turns.

    Calls have arguments that are objects, ids of nine letters and digits, and each its one output behind it. keep_ids: ids
    stay as they are where they differ. continues: the last message may be the assistant's, to be gone on with.
    """
    cleaned = [_clean(message) for message in messages]
    instructions, rest = _instructions(cleaned)
    calls = Numbered(keep_ids=keep_ids)
    turns: list[ChatMessage] = []
    for message in _with_outputs(rest, calls):
        _add(turns, message)
    last = cleaned[-1] if cleaned else {}
    continues = continues or bool(last.get("prefix"))
    if not turns or (turns[-1]["role"] == "assistant" and not continues):
        turns.append({"role": "user", "content": GO_ON})
    if turns[0]["role"] == "assistant":
        turns.insert(0, {"role": "user", "content": BEGINS})
    return [*instructions, *turns]


def _clean(message: ChatMessage) -> ChatMessage:
    """The message with text that can be sent: no halves of characters, no NUL, no empty parts."""
    cleaned = {**message, "content": _content(message)}
    name = message.get("name")
    if "name" in message and not (isinstance(name, str) and _SPEAKER.fullmatch(name)):
        del cleaned["name"]
    if "tool_calls" in message and not message["tool_calls"]:
        del cleaned["tool_calls"]
    return cleaned


def _content(message: ChatMessage) -> Any:
    """A text, parts of which one is no text, or None for nothing that says anything."""
    content = message.get("content")
    if isinstance(content, str):
        text = _text(content)
        return text if text.strip() else None
    parts = [_part(part) for part in content or ()]
    parts = [part for part in parts if part.get("type") != "text" or str(part.get("text") or "").strip()]
    if message["role"] != "user":
        parts = [
            part if part.get("type") in ("text", "refusal") else {"type": "text", "text": NO_IMAGE} for part in parts
        ]
    if parts and all(part.keys() == {"type", "text"} and isinstance(part["text"], str) for part in parts):
        return "\n".join(part["text"] for part in parts)
    return parts or None


def _part(part: dict[str, Any]) -> dict[str, Any]:
    return {**part, "text": _text(part["text"])} if isinstance(part.get("text"), str) else part


def _text(text: str) -> str:
    return whole(text).replace("\0", "")


def _instructions(messages: Sequence[ChatMessage]) -> tuple[list[ChatMessage], list[ChatMessage]]:
    """One system message of those at the beginning, and the rest; later ones become a part of what the user says."""
    count = next((n for n, message in enumerate(messages) if message["role"] != "system"), len(messages))
    texts = [text for message in messages[:count] if (text := _plain(message["content"]))]
    first: list[ChatMessage] = [{"role": "system", "content": "\n\n".join(texts)}] if texts else []
    rest = [
        {**message, "role": "user"} if message["role"] == "system" else message
        for message in messages[count:]
        if message["role"] != "system" or message["content"]
    ]
    return first, rest


def _plain(content: Any) -> str:
    if not content or isinstance(content, str):
        return content or ""
    return "\n".join(part["text"] for part in content if part.get("text") and isinstance(part["text"], str))


def _with_outputs(messages: Sequence[ChatMessage], calls: Numbered) -> Iterable[ChatMessage]:
    """Behind each message with calls one output for each of them; outputs of no call are left out."""
    n = 0
    while n < len(messages):
        message = messages[n]
        n += 1
        if message["role"] == "tool":
            continue
        if not message.get("tool_calls"):
            yield message
            continue
        outputs: list[ChatMessage] = []
        while n < len(messages) and messages[n]["role"] == "tool":
            outputs.append(messages[n])
            n += 1
        yield from _round(message, outputs, calls)


def _round(message: ChatMessage, outputs: list[ChatMessage], calls: Numbered) -> Iterable[ChatMessage]:
    """The calls, and their outputs in the same order. Calls of one id are answered in the order in which they were made."""
    made = [calls.sound(call) for call in message["tool_calls"]]
    yield {**message, "tool_calls": made}
    for given, call in zip(message["tool_calls"], made, strict=True):
        said = next((output for output in outputs if output.get("tool_call_id") == given.get("id")), None)
        if said is not None:
            outputs.remove(said)
        content = (said or {}).get("content") or NO_OUTPUT
        answer = {"role": "tool", "tool_call_id": call["id"], "content": content}
        yield answer if said is None or "name" not in said else {**answer, "name": sound_name(said["name"])}


def _add(turns: list[ChatMessage], message: ChatMessage) -> None:
    """Add a message so that user and assistant take turns: two of one are joined."""
    role, content = message["role"], message["content"]
    if role == "assistant" and not content and not message.get("tool_calls"):
        return
    if role == "user" and not content:
        content = EMPTY
        message = {**message, "content": content}
    last = turns[-1] if turns else None
    if last is not None and last["role"] == "tool" and role == "user":
        turns.append({"role": "assistant", "content": NO_ANSWER})
    elif last is not None and last["role"] == role and role != "tool" and not last.get("tool_calls"):
        turns[-1] = {**last, **message, "content": _joined(last["content"], content)}
        return
    turns.append(message)


def _joined(first: Any, second: Any) -> Any:
    if not (first and second):
        return first or second
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    return [*_as_parts(first), *_as_parts(second)]


def _as_parts(content: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
