"""From the bytes of a model server's response to the JSON objects in them: server-sent events, or one object for all.

Knows nothing of what the objects mean; models.completion_chunks does. Every byte is looked at a bounded number of times,
and no more of them are kept than `most`.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import orjson

from zhuli.core.errors import BackendError
from zhuli.models.engines.completion_chunks import shortened

_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\n|\r")
_DONE = b"[DONE]"


class Body:
    """A response in any form, told by how it begins: what its Content-Type says is wrong often enough.

    most: bytes that a line, or a body without events, may have.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._begin = b""
        self._form: EventLines | WholeBody | None = None

    @property
    def done(self) -> bool:
        """Whether nothing more is to come."""
        return self._form is not None and self._form.done

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """The objects that are whole with these bytes. Raises BackendError for what is too long or no answer."""
        if self._form is not None:
            return self._form.feed(data)
        self._begin += data
        begun = self._begin.removeprefix(_BOM).lstrip()
        if not begun or _BOM.startswith(self._begin):
            self._begin = self._begin[: len(_BOM)] if _BOM.startswith(self._begin) else b""
            return iter(())
        self._form = WholeBody(self._most) if begun[:1] in (b"{", b"[") else EventLines(self._most)
        return self._form.feed(begun)

    def close(self) -> Iterator[dict[str, Any]]:
        """The last event, if its empty line is missing."""
        return iter(()) if self._form is None else self._form.close()


class EventLines:
    """Server-sent events out of bytes that come in any pieces: the JSON object of each.

    Lenient where servers are: events without an empty line between them, objects over several data lines, errors in a
    field of their own ("error: {…}"). Comments and all other fields are passed over.
    """

    def __init__(self, most: int) -> None:
        self.done = False
        self._most = most
        self._rest = bytearray()
        self._searched = 0
        self._after_cr = False
        self._open = bytearray()
        self._tried = 0

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """The objects of the events that are whole with these bytes. BackendError for a line that is too long."""
        for line in self._lines(data):
            if not self.done and (chunk := self._line(line)):
                yield chunk

    def close(self) -> Iterator[dict[str, Any]]:
        """What stands behind the last line end."""
        return self.feed(b"\n\n")

    def _lines(self, data: bytes) -> list[bytes]:
        """The lines that are whole now. They end with LF, CRLF or CR, as the standard says."""
        if self._after_cr and data:
            data = data.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" not in data and b"\n" in data:  # as nearly all servers write
            *whole, begun = data.split(b"\n")
            whole[0] = bytes(self._rest) + whole[0]
            self._rest[:] = begun
            return self._kept(whole)
        self._rest += data
        lines: list[bytes] = []
        start = 0
        for end in _LINE_END.finditer(self._rest, self._searched):
            lines.append(bytes(self._rest[start : end.start()]))
            start = end.end()
        self._after_cr = 0 < start == len(self._rest) and self._rest.endswith(b"\r")
        del self._rest[:start]
        return self._kept(lines)

    def _kept(self, lines: list[bytes]) -> list[bytes]:
        self._searched = len(self._rest)
        _check(self._searched, self._most)
        return lines

    def _line(self, line: bytes) -> dict[str, Any] | None:
        name, _, value = line.partition(b":")
        if name in (b"data", b"error"):
            return self._data(value.strip())
        if line or not self._open:
            return None
        said, self._open, self._tried = bytes(self._open), bytearray(), 0
        try:
            return _object(loads(said))
        except ValueError as error:
            raise BackendError(f"The model server streamed broken JSON: {_quoted(said)}") from error

    def _data(self, value: bytes) -> dict[str, Any] | None:
        if value == _DONE and not self._open:
            self.done = True
            return None
        self._open += b"\n" + value if self._open else value
        _check(len(self._open), self._most)
        # An event over many lines is not tried at each of them; the empty line behind it decides.
        if len(self._open) < 2 * self._tried:
            return None
        try:
            chunk = loads(bytes(self._open))
        except ValueError:
            self._tried = len(self._open)
            return None
        self._open, self._tried = bytearray(), 0
        return _object(chunk)


class WholeBody:
    """A completion in one piece, from a server that does not stream: its bytes make one JSON object at the end.

    Or several, a line each (NDJSON), or a list of one.
    """

    def __init__(self, most: int) -> None:
        self.done = False
        self._most = most
        self._body = bytearray()

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Nothing yet: the object is whole at the end. BackendError for a body that is too long."""
        self._body += data
        _check(len(self._body), self._most)
        return iter(())

    def close(self) -> Iterator[dict[str, Any]]:
        """The object, or several of them. BackendError for what is no JSON."""
        self.done = True
        body = bytes(self._body)
        return iter([chunk for said in _objects(body) if (chunk := _object(said))])


def _objects(body: bytes) -> list[Any]:
    try:
        return [loads(body)]
    except ValueError:
        pass
    lines = [line for line in body.splitlines() if line.strip() not in (b"", _DONE)]
    try:
        return [loads(line) for line in lines]
    except ValueError as error:
        raise BackendError(f"The model server sent broken JSON: {_quoted(body)}") from error


def _object(said: Any) -> dict[str, Any] | None:
    """The object, also as a list's only item; None for null."""
    if isinstance(said, list) and len(said) == 1:
        said = said[0]
    if said is None or isinstance(said, dict):
        return said
    raise BackendError(f"The model server streamed something else than objects: {shortened(said)}")


def loads(said: bytes) -> Any:
    """JSON as model servers write it: also with halves of surrogate pairs, NaN, or bytes that are no UTF-8. ValueError."""
    try:
        return orjson.loads(said)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(said.decode(errors="replace"))
    except RecursionError as error:
        raise ValueError("too deep") from error


def parsed(body: bytes) -> Any:
    """JSON, or the text if it is none."""
    try:
        return loads(body)
    except ValueError:
        return body.decode(errors="replace")


def _check(length: int, most: int) -> None:
    if length > most:
        raise BackendError(f"The model server sent more than {most} bytes without the end of a piece.")


def _quoted(said: bytes) -> str:
    return shortened(said[:2_000].decode(errors="replace"))
