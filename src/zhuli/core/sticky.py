"""Whom a model answers: the thread or the end user, so that of two models the same one always answers them.

Set by whoever serves, for the rest of its task; without it an alias leads to its champion.
"""

import hashlib
from contextvars import ContextVar

who: ContextVar[str | None] = ContextVar("who", default=None)


def takes_part(asker: str, trial: str, share: float) -> bool:
    """Whether this asker is among the `share` (0 to 1) that the trial of this name is for; always the same."""
    digest = hashlib.blake2b(f"{trial}/{asker}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") < share * 2**64
