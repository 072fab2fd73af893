"""From the bytes of a model server's response to the JSON objects in them: server-sent events, or one object for all.

Knows nothing of what the objects mean; models.completion_chunks does.
"""

from collections.abc import Iterator
from typing import Any

import orjson

from zhuli.core.errors import BackendError
from zhuli.models.engines.completion_chunks import shortened


class EventLines:
    """Server-sent events out of bytes that come in any pieces: the JSON object of each.

    Lenient where servers are: events without an empty line between them, objects over several data lines, errors in a
    field of their own ("error: {…}"). Comments and all other fields are passed over.
    """

    def __init__(self) -> None:
        self.done = False
        self._rest = b""
        self._open = b""

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            if not self.done and (chunk := self._line(line.rstrip(b"\r"))):
                yield chunk

    def close(self) -> Iterator[dict[str, Any]]:
        """The last event, if its empty line is missing."""
        return self.feed(b"\n\n")

    def _line(self, line: bytes) -> dict[str, Any] | None:
        name, _, value = line.partition(b":")
        if name in (b"data", b"error"):
            return self._data(value.strip())
        if not line and self._open:
            said = shortened(self._open.decode(errors="replace"))
            raise BackendError(f"The model server streamed broken JSON: {said}")
        return None

    def _data(self, value: bytes) -> dict[str, Any] | None:
        if value == b"[DONE]" and not self._open:
            self.done = True
            return None
        self._open = self._open + b"\n" + value if self._open else value
        try:
            chunk = orjson.loads(self._open)
        except orjson.JSONDecodeError:
            return None
        self._open = b""
        if not isinstance(chunk, dict):
            raise BackendError(f"The model server streamed something else than objects: {shortened(chunk)}")
        return chunk


class WholeBody:
    """A completion in one piece, from a server that does not stream: its bytes make one JSON object at the end."""

    def __init__(self) -> None:
        self.done = False
        self._body = b""

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        self._body += data
        return iter(())

    def close(self) -> Iterator[dict[str, Any]]:
        self.done = True
        completion = parsed(self._body)
        if not isinstance(completion, dict):
            raise BackendError(f"The model server sent broken JSON: {shortened(completion)}")
        return iter((completion,))


def parsed(body: bytes) -> Any:
    """JSON, or the text if it is none."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode(errors="replace")
