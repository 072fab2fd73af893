"""GGUF files from a hub: which hub answers, and the download, which goes on where it broke off.

Hugging Face, or what HF_ENDPOINT names in its place; ModelScope where that answers and the other does not. A file is used only
when its SHA-256 is the one that is known: pinned for models that have a name here, else the hub's own.
"""

import asyncio
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from zhuli.core.errors import ConfigurationError
from zhuli.models.available import HubFile

_HUGGING_FACE = "https://huggingface.co"
_MODEL_SCOPE = "https://modelscope.cn/models"

_ANSWERS_WITHIN = 2.0
"""Seconds that a hub has to say that it has the file, so that a machine without network is not kept waiting."""

_SILENT = 30.0
"""Seconds without a byte after which the connection is given up, and begun anew from there."""

_TRIES = 5
_PIECE = 1024 * 1024
_MOST_BYTES = 64 * 1024**3


@dataclass(frozen=True, slots=True)
class Place:
    """Where a hub has a file, and what it says of it."""

    url: str
    sha256: str | None
    size: int


async def place(wanted: HubFile) -> Place | None:
    """Where the file can be had from now; None if no hub says within seconds that it has it."""
    timeout = aiohttp.ClientTimeout(total=_ANSWERS_WITHIN)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
        found = await asyncio.gather(*(_asked(session, url, wanted) for url in _urls(wanted)))
    return next((place for place in found if place), None)


def _urls(wanted: HubFile) -> list[str]:
    if endpoint := os.environ.get("HF_ENDPOINT"):
        return [f"{endpoint.rstrip('/')}/{wanted.repository}/resolve/{wanted.revision}/{wanted.file}"]
    # ModelScope has revisions of its own; what the file must be is said by its SHA-256.
    return [
        f"{_HUGGING_FACE}/{wanted.repository}/resolve/{wanted.revision}/{wanted.file}",
        f"{_MODEL_SCOPE}/{wanted.repository}/resolve/master/{wanted.file}",
    ]


async def _asked(session: aiohttp.ClientSession, url: str, wanted: HubFile) -> Place | None:
    """Hugging Face says size and SHA-256 in X-Linked-* on its redirect to where the bytes are."""
    try:
        async with session.head(url, allow_redirects=False) as response:
            if response.status not in (200, 301, 302, 307, 308):
                return None
            said = response.headers.get("X-Linked-Etag", "").strip('"')
            size = response.headers.get("X-Linked-Size") or (response.content_length if response.status == 200 else 0)
            sha256 = wanted.sha256 or (said if len(said) == 64 else None)
            return Place(url, sha256, wanted.size or int(size or 0))
    except (aiohttp.ClientError, TimeoutError, ValueError, OSError):
        return None


async def fetch(place: Place, target: Path, *, told: Callable[[int], None]) -> None:
    """Download the file to `target`, which appears whole and checked or not at all.

    What an earlier call left behind is gone on from. told: how many bytes there are by now. ConfigurationError when the hub
    breaks off again and again, has no room for the file here, or sends another file than is expected.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    for attempt in range(_TRIES):
        try:
            await _append(place, part, told)
            break
        except (aiohttp.ClientError, TimeoutError) as error:
            if attempt + 1 == _TRIES:
                raise ConfigurationError(
                    f"{place.url} broke off at {_size(part)} bytes: {error or type(error).__name__}. "
                    "Try again: it goes on from there."
                ) from error
            await asyncio.sleep(min(2**attempt, 8) / 4)
        except OSError as error:
            raise ConfigurationError(f"{part} can't be written: {error.strerror}.") from error
    found = await asyncio.to_thread(_sha256, part)
    if place.sha256 and found != place.sha256:
        part.unlink()
        raise ConfigurationError(f"{place.url} is not the file that is expected (sha256 {found}, not {place.sha256}).")
    part.replace(target)


async def _append(place: Place, part: Path, told: Callable[[int], None]) -> None:
    """What is still missing of the file, at the end of `part`."""
    have = _size(part)
    if place.size and have >= place.size:
        return
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=_SILENT)
    headers = {"Range": f"bytes={have}-"} if have else {}
    async with (
        aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
        session.get(place.url, headers=headers) as response,
    ):
        if response.status == 416:  # all of it is here
            return
        response.raise_for_status()
        goes_on = response.status == 206
        have = have if goes_on else 0
        with part.open("ab" if goes_on else "wb") as file:
            async for piece in response.content.iter_chunked(_PIECE):
                have += len(piece)
                if have > (place.size or _MOST_BYTES):
                    raise ConfigurationError(
                        f"{place.url} sends more than the {place.size or _MOST_BYTES} bytes it has."
                    )
                await asyncio.to_thread(file.write, piece)
                told(have)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
