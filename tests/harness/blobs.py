"""What a server has in its blob store, and waiting for what it deletes behind a client's back."""

import time
from collections.abc import Callable

from tests.harness.server import Server

PATIENCE = 30.0


def blobs_of(server: Server) -> list[str]:
    """Every file in the blob store's folder, unfinished ones too."""
    return sorted(path.name for path in (server.folder / "files").rglob("*") if path.is_file())


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until this is so."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it never became so"
        time.sleep(0.02)
