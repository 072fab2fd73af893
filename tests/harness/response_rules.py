"""What a stream of the Responses API may say in which order: what the Python and Node helpers insist on (responses contract §6).

Numbers have no gaps; an item is added, grows and is done under one id; the last event has all items as they were done.
"""

from typing import Any

ENDS = ("response.completed", "response.incomplete", "response.failed", "error")


class ResponseRules:
    """Remembers what a stream has said so far. A stream that is joined later begins with whatever number it likes."""

    def __init__(self, *, joined: bool) -> None:
        self._joined = joined
        self._number: int | None = None
        self._open: dict[int, dict[str, Any]] = {}
        self._parts: dict[tuple[int, int], str] = {}
        self._done: dict[int, dict[str, Any]] = {}

    @property
    def may_be_empty(self) -> bool:
        """Whether it was joined behind its end, so far."""
        return self._joined and self._number is None

    def check(self, name: str | None, data: dict[str, Any]) -> list[str]:
        """What is wrong with this event after those before it."""
        problems = []
        if data.get("type") != name:
            problems.append(f"says that it is {data.get('type')}")
        number = data["sequence_number"]
        if self._number is None and not self._joined and (number != 0 or name != "response.created"):
            problems.append("is the first, which is response.created with number 0")
        if self._number is not None and number != self._number + 1:
            problems.append(f"has number {number} after {self._number}")
        self._number = number
        if self._joined:
            return problems
        match name:
            case "response.output_item.added":
                problems += self._added(data["output_index"], data["item"])
            case "response.output_item.done":
                problems += self._finished(data["output_index"], data["item"])
            case "response.completed" | "response.incomplete" | "response.failed":
                problems += self._ended(data["response"])
            case _ if "item_id" in data:
                problems += self._grown(str(name), data)
        return problems

    def _added(self, index: int, item: dict[str, Any]) -> list[str]:
        known = len(self._open) + len(self._done)
        self._open[index] = item
        return [] if index == known else [f"adds item {index} as the {known}th"]

    def _finished(self, index: int, item: dict[str, Any]) -> list[str]:
        added = self._open.pop(index, None)
        self._done[index] = item
        if added is None:
            return [f"ends item {index}, which is not open"]
        same = all(added.get(name) == item.get(name) for name in ("id", "type", "call_id"))
        return [] if same else [f"ends item {added} as {item}"]

    def _grown(self, name: str, data: dict[str, Any]) -> list[str]:
        item = self._open.get(data["output_index"])
        if item is None or item["id"] != data["item_id"]:
            return [f"is of item {data['item_id']}, which is not open at {data['output_index']}"]
        if "content_index" not in data:
            return []
        place = (data["output_index"], data["content_index"])
        if name == "response.content_part.added":
            self._parts[place] = ""
        elif place not in self._parts:
            return ["is of a part that was not added"]
        elif name.endswith(".delta"):
            self._parts[place] += data["delta"]
        elif name in ("response.output_text.done", "response.refusal.done"):
            said = data.get("text", data.get("refusal"))
            return [] if said == self._parts[place] else [f"says {said!r}, the pieces were {self._parts[place]!r}"]
        return []

    def _ended(self, response: dict[str, Any]) -> list[str]:
        if self._open:
            return [f"leaves items open: {sorted(self._open)}"]
        done = [item for _, item in sorted(self._done.items())]
        return [] if response["output"] == done else [f"has as output {response['output']}, done were {done}"]
