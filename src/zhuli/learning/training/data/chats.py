"""Dialogues and preferences in the forms that people have them, as OpenAI's: messages of system, user, assistant, tool.

Besides OpenAI's own: ShareGPT's "conversations", prompt and completion (with Alpaca's "input"), prompt, chosen and rejected.
"""

from typing import Any

from zhuli.types.learning.example import BadExample

Fields = dict[str, Any]

ROLES = {"human": "user", "gpt": "assistant", "bot": "assistant", "model": "assistant"}
"""ShareGPT's names."""


def dialogue(fields: Fields) -> Fields:
    if isinstance(fields.get("messages"), list):
        return fields | {"messages": [_message(message) for message in fields["messages"]]}
    prompt, completion = fields.get("prompt"), fields.get("completion")
    if isinstance(prompt, str) and isinstance(completion, str):
        more = fields.get("input")
        asked = f"{prompt}\n\n{more}" if isinstance(more, str) and more.strip() else prompt
        return fields | {"messages": [*_system(fields), _said("user", asked), _said("assistant", completion)]}
    return fields


def preference(fields: Fields) -> Fields:
    if ("input" in fields and "preferred_output" in fields) or not {"prompt", "chosen", "rejected"} <= fields.keys():
        return fields
    prompt = _messages(fields["prompt"], "user")
    better, worse = (_messages(fields[name], "assistant") for name in ("chosen", "rejected"))
    shared = len(prompt)
    if better[:shared] == prompt and worse[:shared] == prompt:
        better, worse = better[shared:], worse[shared:]
    return {
        "input": {"messages": [*_system(fields), *prompt]},
        "preferred_output": better,
        "non_preferred_output": worse,
    }


def _system(fields: Fields) -> list[Fields]:
    text = fields.get("system")
    return [_said("system", text)] if isinstance(text, str) and text.strip() else []


def _said(role: str, text: str) -> Fields:
    return {"role": role, "content": text}


def _messages(value: Any, role: str) -> list[Fields]:
    if isinstance(value, str):
        return [_said(role, value)]
    if isinstance(value, list):
        return [_message(message) for message in value]
    raise BadExample("prompt, chosen and rejected must each be a text or a list of messages.")


def _message(message: Any) -> Any:
    if isinstance(message, dict) and "from" in message and "value" in message:
        role = str(message["from"])
        return _said(ROLES.get(role, role), message["value"])
    return message
