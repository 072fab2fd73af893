"""Puts a file in its place at once: another process sees all of it or what was there before."""

import os
import secrets
from pathlib import Path


def replace(path: Path, data: bytes | memoryview) -> None:
    """Written beside and renamed; folders are made. OSError leaves nothing behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        beside.write_bytes(data)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
