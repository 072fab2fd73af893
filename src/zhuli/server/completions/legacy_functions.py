"""`functions` and `function_call`, which the API had before tools: read as tools, and written back as they were. Pure."""

from collections.abc import Iterable
from typing import Any

from zhuli.types.models.chat import ChatCall, ChatChoice


def with_tool_calls(messages: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The conversation with calls and results as tools have them; a result whose call was left out gets one."""
    told: list[dict[str, Any]] = []
    open_calls: dict[str, str] = {}
    for number, message in enumerate(messages):
        id_ = f"call_{number}"
        if called := message.pop("function_call", None):
            open_calls[called["name"]] = id_
            told.append({**message, "tool_calls": [_call(id_, called["name"], called["arguments"])]})
        elif message["role"] == "function":
            name = message.get("name") or "function"
            known = open_calls.pop(name, None)
            if known is None:
                told.append({"role": "assistant", "content": None, "tool_calls": [_call(id_, name, "{}")]})
            told.append({"role": "tool", "tool_call_id": known or id_, "content": message.get("content") or ""})
        else:
            told.append(message)
    return told


def with_function_call(choice: ChatChoice) -> ChatChoice:
    """The answer with its first call as clients of functions expect it; they know of one only."""
    calls = [call for call in choice.message.tool_calls or () if isinstance(call, ChatCall)]
    if not calls:
        return choice
    message = choice.message.model_copy(update={"tool_calls": None, "function_call": calls[0].function})
    return choice.model_copy(update={"message": message, "finish_reason": "function_call"})


def chunk_with_function_call(chunk: dict[str, Any]) -> dict[str, Any]:
    """The same of a streamed piece."""
    (choice,) = chunk["choices"]
    pieces = choice["delta"].pop("tool_calls", ())
    for piece in pieces:
        if piece["index"] == 0:
            choice["delta"]["function_call"] = piece["function"]
    if choice["finish_reason"] == "tool_calls":
        choice["finish_reason"] = "function_call"
    return chunk


def _call(id_: str, name: str, arguments: str) -> dict[str, Any]:
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}
