"""What clients see of the messages of a stored chat completion, and what they may change of it."""

from typing import Any

from zhuli.types.wire import Metadata, Request, Wire, optional


class StoredModify(Request):
    """The metadata that the completion has from now on; null: none."""

    metadata: Metadata | None


class StoredMessage(Wire):
    """content: its text, null where it came in parts, which `content_parts` has then."""

    id: str
    role: str
    content: str | None = None
    content_parts: list[dict[str, Any]] | None = None
    refusal: str | None = None
    name: str | None = optional()
    tool_calls: list[dict[str, Any]] | None = optional()
    tool_call_id: str | None = optional()
    function_call: dict[str, Any] | None = optional()


def stored_messages(completion_id: str, messages: list[dict[str, Any]]) -> list[StoredMessage]:
    """The messages of a request, oldest first, with ids of their own."""
    return [_shown(f"{completion_id}-{number}", message) for number, message in enumerate(messages)]


def _shown(id_: str, message: dict[str, Any]) -> StoredMessage:
    content = message.get("content")
    parts = content if isinstance(content, list) else None
    known = {name: message[name] for name in StoredMessage.model_fields if name in message and name != "content"}
    return StoredMessage(**{**known, "id": id_, "content": None if parts else content, "content_parts": parts})
