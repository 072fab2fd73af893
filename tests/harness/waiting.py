"""Waiting for what comes about behind a client's back."""

import time
from collections.abc import Callable

PATIENCE = 120.0


def eventually(holds: Callable[[], object]) -> None:
    """Wait until this is so."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"It does not come about in {PATIENCE:.0f} s"
        time.sleep(0.05)
