"""events.jsonl of a tuning's folder: what has happened, in order, whole after any crash. Imports nothing heavy.

One process writes; any number read. Nothing is ever rewritten, except that a torn last line goes when writing goes on.
"""

import errno
import math
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from zhuli.types.learning.tuning import EVENTS, EventKind, TuningEvent

Listener = Callable[[TuningEvent], None]


class EventLog:
    """Writes events, each one line, and tells them to the listeners. Numbers go on where an earlier attempt ended."""

    def __init__(self, folder: Path, *, listeners: Sequence[Listener] = ()) -> None:
        self._path = folder / EVENTS
        self._listeners = tuple(listeners)
        self._lock = threading.Lock()
        self._number = _repaired(self._path)

    def write(
        self, kind: EventKind, message: str, *, level: Literal["info", "warn", "error"] = "info", **data: Any
    ) -> TuningEvent:
        """Append an event; all but metrics are on the disk when this returns. OSError when there is no space."""
        with self._lock:
            event = TuningEvent(
                number=self._number + 1, at=time.time(), kind=kind, level=level, message=message, data=finite(data)
            )
            self._append(event.model_dump_json().encode() + b"\n", durable=kind != "metrics")
            self._number += 1
        for listener in self._listeners:
            listener(event)
        return event

    def _append(self, line: bytes, *, durable: bool) -> None:
        with self._path.open("ab", buffering=0) as file:
            before = file.tell()
            try:
                written = file.write(line)
                if written != len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                if durable:
                    os.fsync(file.fileno())
            except OSError:
                file.truncate(before)
                raise


def events(folder: Path, *, after: int = 0) -> list[TuningEvent]:
    """The whole events with numbers above `after`, in order; none for a folder that has no event log."""
    try:
        lines = (folder / EVENTS).read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    return [event for line in lines if (event := _parsed(line)) is not None and event.number > after]


def _repaired(path: Path) -> int:
    """The number of the last whole event; what is behind it is cut off."""
    if not path.exists():
        return 0
    data = path.read_bytes()
    number = end = start = 0
    while (newline := data.find(b"\n", start)) >= 0:
        event = _parsed(data[start:newline])
        if event is None:
            break
        number, start = event.number, newline + 1
        end = start
    if end < len(data):
        os.truncate(path, end)
    return number


def _parsed(line: bytes) -> TuningEvent | None:
    try:
        return TuningEvent.model_validate_json(line)
    except ValidationError:
        return None


def finite(value: Any) -> Any:
    """JSON has no NaN and no infinity: they become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    return value
