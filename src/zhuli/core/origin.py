"""What a piece of work goes back to: the request that asked for it, in whichever process it is done.

Travels with the queue's rows, so that a worker's log lines and spans join those of the request. It grants nothing.
"""

import re
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Self

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
"""W3C Trace Context, version 00: version, trace id, parent id, flags."""

MAX_LENGTH = 100
"""Characters of an origin in text: a request id (28), a blank, a traceparent (55)."""


@dataclass(frozen=True, slots=True)
class Origin:
    request_id: str
    traceparent: str | None = None

    @classmethod
    def of(cls, request_id: str, traceparent: bytes | None) -> Self:
        """The origin of what a request asks for; a traceparent header of another form is passed over."""
        parent = (traceparent or b"").decode("latin-1").strip()
        return cls(request_id, parent if _TRACEPARENT.fullmatch(parent) else None)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The inverse of str()."""
        request_id, _, traceparent = text.partition(" ")
        return cls(request_id, traceparent or None)

    def __str__(self) -> str:
        return f"{self.request_id} {self.traceparent}" if self.traceparent else self.request_id


origin: ContextVar[Origin | None] = ContextVar("origin", default=None)
"""Of what is being done now."""
