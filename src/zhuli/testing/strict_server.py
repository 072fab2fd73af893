"""What the strictest of model servers refuses of a request's messages, in one place: Mistral's rules and vLLM's together.

    async with FaultyUpstream(strictly(say.answer("Hello."))) as upstream: ...

answers 400 as those do where a message breaks a rule.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from zhuli.testing import upstream
from zhuli.testing.upstream import Received, Reply

_ID = re.compile(r"[a-zA-Z0-9]{9}")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def strictly(*replies: Reply) -> Callable[[Received], Reply]:
    """Plays the replies, the last one for all further requests; what breaks a rule is answered 400 and plays none."""
    left = list(replies)

    def choose(request: Received) -> Reply:
        if wrong := mistake(request.body["messages"]):
            return upstream.status(400, wrong)
        return left.pop(0) if len(left) > 1 else left[0]

    return choose


def mistake(messages: Sequence[dict[str, Any]]) -> str | None:
    """Which rule the messages break, None for none."""
    try:
        said = orjson.dumps(list(messages)).decode()
    except orjson.JSONEncodeError as error:
        return f"no JSON: {error}"
    if "\\u0000" in re.sub(r"\\\\", "", said):
        return "NUL in a text"
    rest = messages[1:] if messages and messages[0]["role"] == "system" else messages
    if not rest or rest[0]["role"] != "user" or rest[-1]["role"] not in ("user", "tool"):
        return "the user begins, and user or tool is last"
    ids = [call["id"] for message in rest for call in message.get("tool_calls", ())]
    if len(set(ids)) != len(ids):
        return "two calls have one id"
    wrong = (_wrong(message) or _order(before, message) for before, message in zip([None, *rest], rest, strict=False))
    return next((why for why in wrong if why), None) or _outputs(rest)


def _wrong(message: dict[str, Any]) -> str | None:
    content, calls = message.get("content"), message.get("tool_calls")
    if not calls and not (content.strip() if isinstance(content, str) else content):
        return f"a message of role {message['role']} is empty"
    if calls is not None and not calls:
        return "tool_calls is an empty list"
    parts = content if isinstance(content, list) else []
    if any(part["type"] == "text" and not part["text"].strip() for part in parts):
        return "an empty part"
    for call in calls or ():
        try:
            arguments = orjson.loads(call["function"]["arguments"])
        except orjson.JSONDecodeError as error:
            return f"arguments: {error}"
        if not isinstance(arguments, dict):
            return "arguments are no object"
        if not _ID.fullmatch(call["id"]) or not _NAME.fullmatch(call["function"]["name"]):
            return "a call's id or name"
    return None


def _order(before: dict[str, Any] | None, message: dict[str, Any]) -> str | None:
    role = message["role"]
    allowed = {None: {"user"}, "user": {"assistant"}, "assistant": {"user"}, "tool": {"tool", "assistant"}}
    after = before["role"] if before else None
    expected = {"tool"} if before and before.get("tool_calls") else allowed[after]
    return None if role in expected else f"Unexpected role '{role}' after role '{after}'"


def _outputs(messages: Sequence[dict[str, Any]]) -> str | None:
    """Calls and outputs, each once and in order."""
    waiting: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                return "an output of no call"
            waiting.remove(message["tool_call_id"])
        elif waiting:
            return "a call without an output"
        waiting += [call["id"] for call in message.get("tool_calls", ())]
    return "a call without an output" if waiting else None
