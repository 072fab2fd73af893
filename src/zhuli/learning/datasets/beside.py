"""The near end of a child that works on data sets, or on what is like them: a folder, a request in it, a result."""

import asyncio
import fcntl
import os
import shutil
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import orjson

from zhuli.core.errors import InvalidRequest, ServerFault

ENTRIES, GATHERED, PREPARED = "entries.tsv", "gathered.jsonl", "prepared.tsv"
"""What the server writes for the child, and what the child makes of it: a log; records; entries of a log."""

TRAIN, VALIDATION, MANIFEST = "train.jsonl", "validation.jsonl", "manifest.jsonl"
"""A version."""

EARLIER, ORIGINAL = "earlier.jsonl", "original.jsonl"
"""Manifests of the version before, and of the one that is replayed."""

PROGRAM = "zhuli.learning.datasets.child"
_OURS = "work-"
"""How the names of these folders begin."""

_FRESH_SECONDS = 5.0
_NICENESS = 5
_TOLD = 2_000
"""Characters of what a broken child printed that go into the error."""


@asynccontextmanager
async def work_folder(data_dir: Path, below: str = "datasets") -> AsyncGenerator[Path, None]:
    """An empty folder below data_dir, which is gone afterwards; so are those of processes that died."""
    folder, held = await asyncio.to_thread(_begin, data_dir / below)
    try:
        yield folder
    finally:
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))
        os.close(held)


def _begin(place: Path) -> tuple[Path, int]:
    place.mkdir(parents=True, exist_ok=True)
    sweep(place)
    folder = Path(tempfile.mkdtemp(prefix=_OURS, dir=place))
    held = os.open(folder, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    return folder, held


def sweep(place: Path) -> None:
    """Delete what processes left behind that died: a folder that is at work is locked, as long as its process lives."""
    for folder in place.glob(f"{_OURS}*"):
        with suppress(OSError):
            held = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if time.time() - folder.stat().st_mtime > _FRESH_SECONDS:  # else it may just be about to be locked
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(held)


async def work(folder: Path, request: dict[str, Any], *, program: str = PROGRAM) -> Any:
    """What the child makes of the request. InvalidRequest for what can't be done as asked; ServerFault if it broke.

    program: a module that reads request.json in the folder that it is given, and writes result.json.
    """
    await asyncio.to_thread((folder / "request.json").write_bytes, orjson.dumps(request))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", program, str(folder)),
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=PIPE,
        start_new_session=True,
    )
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
    try:
        _, printed = await process.communicate()
    finally:
        with suppress(ProcessLookupError):
            if process.returncode is None:
                process.kill()
    if process.returncode != 0:
        why = printed.decode(errors="replace")[-_TOLD:]
        raise ServerFault(f"The process {program} ended with status {process.returncode}: {why}")
    answer = orjson.loads(await asyncio.to_thread((folder / "result.json").read_bytes))
    if "error" in answer:
        raise InvalidRequest(answer["error"])
    return answer["result"]
