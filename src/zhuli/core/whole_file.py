"""Puts a file in its place at once: another process sees all of it or what was there before.

What must outlast a machine that loses power is not for this: nothing waits for the disk.
"""

import os
import secrets
from pathlib import Path


def replace(path: Path, data: bytes | memoryview) -> None:
    """Written beside and renamed. OSError leaves nothing behind."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        beside.write_bytes(data)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
