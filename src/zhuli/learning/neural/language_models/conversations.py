"""Conversations as they stand in data files, in OpenAI's chat form: checked, and brought into the one form that is tuned on.

Pure: no tokenizer, no template. A message comes out as {"role", "content": str, "tool_calls"?, "tool_call_id"?, "name"?,
"weight"?}; calls of tools keep their arguments as JSON text, as the API has them.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from zhuli.types.learning.example import BadExample

Message = dict[str, Any]

ROLES = ("system", "developer", "user", "assistant", "tool")
_KEPT = ("tool_call_id", "name")


def conversation(given: Any, *, at: str = "messages") -> list[Message]:
    """The messages of `given`; BadExample says which one is wrong, counted from 1."""
    if isinstance(given, str) and given.strip():
        return [{"role": "user", "content": given}]
    if not isinstance(given, list) or not given:
        raise BadExample(f'"{at}" should be a list of messages like {{"role": "user", "content": "…"}}.')
    messages = [_message(entry, f"{at}[{number}]") for number, entry in enumerate(given, start=1)]
    if messages[-1]["role"] == "system" and len(messages) == 1:
        raise BadExample(f'"{at}" has a system message alone; a user\'s message should follow it.')
    return messages


def learnable(messages: Sequence[Message], *, at: str = "messages") -> list[int]:
    """Which messages are to be learned: the assistant's whose weight is not 0. BadExample where there is nothing to learn."""
    found = [number for number, message in enumerate(messages) if message["role"] == "assistant"]
    if not found or found[-1] != len(messages) - 1:
        raise BadExample(f'"{at}" should end with the message that is to be learned, of the role "assistant".')
    if found[0] == 0:
        raise BadExample(f'"{at}" should have a message of the user before the assistant\'s first one.')
    weighty = [number for number in found if messages[number].get("weight", 1)]
    if not weighty:
        raise BadExample(f'Every assistant message of "{at}" has "weight": 0; at least one should be learned from.')
    return weighty


def tools_of(given: Any) -> list[dict[str, Any]]:
    """Function tools; none where there are none."""
    if given is None:
        return []
    if not isinstance(given, list) or not all(_is_tool(tool) for tool in given):
        raise BadExample('"tools" should be a list like [{"type": "function", "function": {"name": "…", …}}].')
    return list(given)


def shown(messages: Sequence[Message]) -> str:
    """A conversation for people's eyes, and to tell two apart."""
    return "\n".join(f"{message['role']}: {said(message)}" for message in messages)


def said(message: Message) -> str:
    """The text of a message, calls of tools as JSON below it."""
    calls = [json.dumps(call["function"], ensure_ascii=False) for call in message.get("tool_calls") or ()]
    return "\n".join([*filter(None, [message["content"]]), *calls])


def _message(entry: Any, where: str) -> Message:
    role = entry.get("role") if isinstance(entry, Mapping) else None
    if role not in ROLES:
        raise BadExample(f'{where} should be an object with a "role" out of {", ".join(ROLES)}, not {_brief(entry)}.')
    message: Message = {"role": "system" if role == "developer" else role, "content": _text(entry, where)}
    message |= {key: entry[key] for key in _KEPT if isinstance(entry.get(key), str)}
    if entry.get("tool_calls"):
        message["tool_calls"] = _calls(entry["tool_calls"], where)
    elif role != "tool" and not message["content"].strip():
        raise BadExample(f'{where} of the role "{role}" has no "content".')
    if "weight" in entry:
        if role != "assistant" or entry["weight"] not in (0, 1):
            raise BadExample(f'{where} has a "weight"; only assistant messages have one, and it is 0 or 1.')
        message["weight"] = int(entry["weight"])
    return message


def _text(entry: Mapping[str, Any], where: str) -> str:
    content = entry.get("content")
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(_is_text_part(part) for part in content):
        return "".join(part["text"] for part in content)
    raise BadExample(f'{where}: "content" should be a text, or parts like {{"type": "text", "text": "…"}}.')


def _calls(given: Any, where: str) -> list[dict[str, Any]]:
    if not isinstance(given, list) or not all(_is_call(call) for call in given):
        raise BadExample(
            f'{where}: "tool_calls" should be a list like '
            '[{"id": "…", "type": "function", "function": {"name": "…", "arguments": "{…}"}}].'
        )
    return [{"type": "function", **call} for call in given]


def _is_call(call: Any) -> bool:
    function = call.get("function") if isinstance(call, Mapping) else None
    return isinstance(function, Mapping) and isinstance(function.get("name"), str) and _is_json(function)


def _is_json(function: Mapping[str, Any]) -> bool:
    try:
        return isinstance(json.loads(function["arguments"]), dict)
    except (KeyError, TypeError, ValueError):
        return False


def _is_tool(tool: Any) -> bool:
    function = tool.get("function") if isinstance(tool, Mapping) and tool.get("type") == "function" else None
    return isinstance(function, Mapping) and isinstance(function.get("name"), str)


def _is_text_part(part: Any) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "text" and isinstance(part.get("text"), str)


def _brief(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:80]}…"
