"""What a run's stream may say in which order: what the Python and Node helpers insist on (contract §3.1, §3.2).

For streams that begin with their run or with a submit; one that is joined in the middle is free to begin with a delta.
"""

from typing import Any

MESSAGE_ENDS = ("thread.message.completed", "thread.message.incomplete")
RUN_ENDS = tuple(
    f"thread.run.{status}"
    for status in ("completed", "incomplete", "failed", "cancelled", "expired", "requires_action")
)


class StreamRules:
    """Remembers what a stream has said so far."""

    def __init__(self) -> None:
        self._messages: dict[str, int] = {}
        self._steps: dict[str, int] = {}
        self._open_message: str | None = None
        self._ended_by: str | None = None

    def check(self, name: str | None, data: dict[str, Any]) -> list[str]:
        """What is wrong with this event after those before it."""
        problems = []
        if self._ended_by and name not in ("done", "error"):
            problems.append(f"comes after {self._ended_by}, which ends a stream")
        match name:
            case "thread.message.created":
                if self._open_message:
                    problems.append(f"message {self._open_message} is still open")
                self._messages[data["id"]] = 0
                self._open_message = data["id"]
            case "thread.message.delta":
                problems += _grow(self._messages, data["id"], data["delta"].get("content", []))
            case "thread.run.step.created":
                self._steps[data["id"]] = 0
            case "thread.run.step.delta":
                details = data["delta"].get("step_details", {})
                problems += _grow(self._steps, data["id"], details.get("tool_calls", []))
        if name in MESSAGE_ENDS:
            if len(data["content"]) < self._messages.get(data["id"], 0):
                problems.append("has less content than was streamed")
            self._open_message = None
        if name in RUN_ENDS:
            if self._open_message:
                problems.append(f"message {self._open_message} is still open")
            self._ended_by = name
        return problems


def _grow(lengths: dict[str, int], key: str, entries: list[dict[str, Any]]) -> list[str]:
    """Note the entries' indexes: they may repeat or follow the highest so far, never leave a gap."""
    if key not in lengths:
        return [f"{key} was not created in this stream"]
    problems = []
    for entry in entries:
        index = entry["index"]
        if index > lengths[key]:
            problems.append(f"index {index} leaves a gap after {lengths[key] - 1}")
        lengths[key] = max(lengths[key], index + 1)
    return problems
