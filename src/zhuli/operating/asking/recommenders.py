"""`zhuli recommenders import`: the items or events of a JSON Lines file, through a server, a thousand at a time.

The server has each event once, by its id, and each item as it was sent last: an import that was ended goes on by beginning anew.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ValidationError
from rich.console import Console
from rich.progress import track

from zhuli.core.errors import ConfigurationError
from zhuli.operating.asking.api_client import api_client
from zhuli.types.applications.recommender import MOST_AT_ONCE, EventCreate, ItemCreate

What = Literal["items", "events"]

_KINDS: dict[What, type[BaseModel]] = {"items": ItemCreate, "events": EventCreate}


@dataclass
class Imported:
    """What a file came to. faults: of lines that were not taken, each with its number."""

    added: int = 0
    known: int = 0
    faults: list[str] = field(default_factory=list)


async def take(
    base_url: str, api_key: str | None, recommender: str, what: What, path: Path, console: Console
) -> Imported:
    """Send what can be read of the file; ConfigurationError where the file or the server is not there."""
    if not await asyncio.to_thread(path.is_file):
        raise ConfigurationError(f"There is no file {path}.")
    done = Imported()
    lines = (await asyncio.to_thread(path.read_bytes)).splitlines()
    rows = list(_read(lines, what, done))
    async with api_client(base_url, api_key) as api:
        for start in track(range(0, len(rows), MOST_AT_ONCE), description=what, console=console):
            piece = rows[start : start + MOST_AT_ONCE]
            said = await api.call("POST", f"/recommenders/{recommender}/{what}", {"data": [row for _, row in piece]})
            done.added, done.known = done.added + said["added"], done.known + said["known"]
            done.faults += [f"line {piece[fault['index']][0]}: {fault['message']}" for fault in said["faults"]]
    return done


def _read(lines: list[bytes], what: What, done: Imported) -> Iterator[tuple[int, Any]]:
    """Each good row with the number of its line; the others are faults."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
            _KINDS[what].model_validate(row)
        except orjson.JSONDecodeError as error:
            done.faults.append(f"line {number}: not JSON: {error}")
        except ValidationError as error:
            first = error.errors()[0]
            done.faults.append(f"line {number}: {'.'.join(map(str, first['loc']))}: {first['msg']}")
        else:
            yield number, row
