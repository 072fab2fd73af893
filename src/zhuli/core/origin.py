"""What a piece of work goes back to: the request that asked for it, in whichever process it is done.

Travels with the queue's rows, so that a worker's log lines and spans join those of the request, and what a model is asked
counts for the project and the key that wanted it. It grants nothing.
"""

import re
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Self

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
"""W3C Trace Context, version 00: version, trace id, parent id, flags."""

MAX_LENGTH = 160
"""Characters of an origin in text: a request id (28), a traceparent (55), a project (29), a key (28), blanks between them."""


@dataclass(frozen=True, slots=True)
class Origin:
    """project, key: ids of those who asked; key: None where no key is asked for."""

    request_id: str
    traceparent: str | None = None
    project: str | None = None
    key: str | None = None

    @classmethod
    def of(cls, request_id: str, traceparent: bytes | None) -> Self:
        """The origin of what a request asks for; a traceparent header of another form is passed over."""
        parent = (traceparent or b"").decode("latin-1").strip()
        return cls(request_id, parent if _TRACEPARENT.fullmatch(parent) else None)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The inverse of str()."""
        request_id, *words = text.split(" ")
        found: dict[str, str] = {}
        for word in words:
            found[_PREFIXES.get(word.partition("_")[0], "traceparent")] = word
        return cls(request_id, **found)

    def __str__(self) -> str:
        return " ".join(filter(None, (self.request_id, self.traceparent, self.project, self.key)))


_PREFIXES = {"proj": "project", "key": "key"}

origin: ContextVar[Origin | None] = ContextVar("origin", default=None)
"""Of what is being done now."""
