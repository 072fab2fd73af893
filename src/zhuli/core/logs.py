"""Structured logs: one line an event, with the ids of the request and of the job it belongs to.

Text for people, JSON for machines. Nothing here writes to files: standard error is for whoever starts the process.
"""

import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal

import orjson

from zhuli.core.errors import Outage
from zhuli.core.origin import origin

subject: ContextVar[tuple[str, str] | None] = ContextVar("subject", default=None)
"""Kind and id of what a worker works on now: ("run", "run_…")."""

DETAILS = "details"
"""A field of many lines, such as what a child said of its failure."""

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Also what turns the direction of writing, so that a line would be read as another one."""

_NOISY = ("uvicorn.access", "uvicorn.error", "aiosqlite", "asyncio", "alembic", "faiss.loader")


def configure(form: Literal["text", "json"], level: str) -> None:
    """Send the logs of this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    handler.addFilter(is_news)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def is_news(record: logging.LogRecord) -> bool:
    """Not what somebody says who met an outage: that it is one was said once (core.outages), and hundreds may meet it."""
    return not (record.exc_info and isinstance(record.exc_info[1], Outage))


class JsonFormatter(logging.Formatter):
    """{"time", "level", "logger", "message", "request_id"?, "run_id"?, …fields, "exception"?}"""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_ids(),
        }
        entry |= getattr(record, "fields", {})
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(entry, default=str).decode()


class TextFormatter(logging.Formatter):
    """12:00:00.000 INFO    message [req_… run_…]"""

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created).strftime("%H:%M:%S.%f")[:-3]
        ids = " ".join(_ids().values())
        line = f"{when} {record.levelname:<7} {_on_one_line(record.getMessage())}{f' [{ids}]' if ids else ''}"
        details = (
            self.formatException(record.exc_info) if record.exc_info else getattr(record, "fields", {}).get(DETAILS)
        )
        return f"{line}\n{details}" if details else line


def _on_one_line(message: str) -> str:
    """What came from outside may neither begin a line of its own nor speak to a terminal."""
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], message)


def _ids() -> dict[str, str]:
    ids: dict[str, str] = {}
    if (asked := origin.get()) is not None:
        ids["request_id"] = asked.request_id
    if (worked_on := subject.get()) is not None:
        kind, key = worked_on
        ids[f"{kind}_id"] = key
    return ids
