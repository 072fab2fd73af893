"""Scripts, tools and pieces of logs that the engine's stories share."""

from typing import Any

BEGUN = ["run.created", "run.queued", "run.in_progress"]
OPENED = ["run.step.created", "run.step.in_progress"]
SPEAKING = [*OPENED, "message.created", "message.in_progress"]
SAID = ["message.completed", "run.step.completed"]
CALLED = ["zhuli.turn.ended", "zhuli.step.called", "run.requires_action"]
SUBMITTED = ["run.step.completed", "run.queued", "run.in_progress"]
COMPLETED = ["zhuli.turn.ended", "run.completed"]

STALLS = {"fault": "stall"}


def says(*texts: str, **pieces: Any) -> dict[str, Any]:
    """A script that always answers this; further pieces by kind: usage={…}, finish="length"."""
    return {"default": [*({"text": text} for text in texts), *({kind: value} for kind, value in pieces.items())]}


def tool(name: str) -> dict[str, Any]:
    """A function tool without parameters worth naming."""
    return {"type": "function", "function": {"name": name}}


def call(name: str, **more: Any) -> dict[str, Any]:
    """A piece: a call of this function."""
    return {"tool_call": {"name": name, **more}}


TOOLS = [tool("weather"), tool("time")]

CALLS_THEN_ANSWERS: dict[str, Any] = {
    "rules": [{"when": {"role": "tool"}, "reply": [{"text": "Outputs read: "}, {"text": "{last}"}]}],
    "default": [
        {"text": "Let me "},
        {"text": "look."},
        call("weather", arguments={"city": "Paris"}, pieces=2),
        call("time", arguments={}),
    ],
}
"""Text, then two parallel calls; when their outputs are there, text again."""
