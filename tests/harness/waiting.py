"""Waiting for what comes about behind a client's back."""

import time
from collections.abc import Callable

PATIENCE = 30.0


def eventually(holds: Callable[[], object], *, patience: float = PATIENCE) -> None:
    """Wait until this is so. patience: in seconds."""
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline, f"It does not come about in {patience:.0f} s"
        time.sleep(0.05)
