"""Items of a conversation that are neither messages nor a run's, as a model reads them: outputs of calls, and what a client
replays of other conversations. Pure.

What says nothing to a model (references, lists of tools, reasoning of other models) is left out.
"""

from typing import Any

from zhuli.types.models.generation import ChatMessage

_CALLS = ("function_call", "custom_tool_call")
_OUTPUTS = ("function_call_output", "custom_tool_call_output")


def from_item(item: dict[str, Any]) -> list[ChatMessage]:
    """Chat messages of an item; a call has none, but its output has: see unanswered()."""
    kind = item["type"]
    if kind == "message":
        return [{"role": "system", "content": text_of_parts(item["content"])}]
    if kind in _OUTPUTS:
        output = item["output"]
        text = output if isinstance(output, str) else text_of_parts(output)
        return [{"role": "tool", "tool_call_id": item["call_id"], "content": text}]
    if kind == "mcp_call" and item.get("output") is not None:
        call = _call(item["id"], item.get("name"), item.get("arguments"))
        asked: ChatMessage = {"role": "assistant", "content": None, "tool_calls": [call]}
        return [asked, {"role": "tool", "tool_call_id": item["id"], "content": str(item["output"])}]
    return []


def unanswered(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The calls of a step or an item that an item of its own answers, as a chat message has them."""
    if body.get("type") in _CALLS and "call_id" in body:
        return [_call(body["call_id"], body["name"], body.get("arguments", body.get("input")))]
    calls = body.get("step_details", {}).get("tool_calls", ())
    return [
        _call(call["id"], call["function"]["name"], call["function"]["arguments"])
        for call in calls
        if call["type"] == "function" and call["function"]["output"] is None
    ]


def text_of_parts(parts: list[dict[str, Any]]) -> str:
    """The texts of content parts, one a line."""
    return "\n".join(str(part["text"]) for part in parts if "text" in part)


def _call(call_id: str, name: Any, arguments: Any) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": str(name), "arguments": str(arguments or "{}")}}
