"""Blobs in a local folder: file:///var/lib/zhuli/files, through fsspec.

One file a blob, named by its key, all in one folder; what is being written is in .incoming in it. It does not encrypt,
count or clean up.
"""

import asyncio
import os
import re
from collections.abc import AsyncGenerator, AsyncIterable, Iterator
from contextlib import contextmanager, suppress
from typing import IO
from uuid import uuid4

from fsspec.core import url_to_fs

from zhuli.core import full_disk
from zhuli.core.errors import ConfigurationError, Unavailable

PIECE = 256 * 1024
"""Bytes read at once."""


class Plugin:
    """Blobs as files of a folder. A blob is written beside and renamed, so that it is there whole or not at all."""

    def __init__(self, url: str) -> None:
        if not url.startswith("file:///"):
            raise ConfigurationError(
                f"The blob store '{url}' needs the whole path of a folder, like file:///var/lib/zhuli/files."
            )
        self._files, self._folder = url_to_fs(url)
        self._incoming = f"{self._folder}/.incoming"

    async def write(self, key: str, data: bytes | AsyncIterable[bytes]) -> int:
        """Beside its place first, then moved there: a reader, and a machine that lost power, has all of it or none."""
        path = self._path(key)
        beside = f"{self._incoming}/{key}.{uuid4().hex}"
        try:
            size = await self._write(beside, data)
            await self._move(beside, path)
        except BaseException:
            with suppress(OSError):
                self._files.rm_file(beside)
            raise
        return size

    async def read(self, key: str) -> AsyncGenerator[bytes, None]:
        try:
            with _translated():
                file = await asyncio.to_thread(self._files.open, self._path(key), "rb")
        except FileNotFoundError as error:
            raise KeyError(key) from error
        with file:
            while True:
                with _translated():
                    piece: bytes = await asyncio.to_thread(file.read, PIECE)
                if not piece:
                    return
                yield piece

    async def delete(self, key: str) -> None:
        path = self._path(key)
        with _translated():
            await asyncio.to_thread(self._delete, path, key)

    async def aclose(self) -> None:
        """Nothing is open between calls."""

    def _path(self, key: str) -> str:
        if not re.fullmatch(r"\w[\w.-]*", key):
            raise KeyError(key)
        return f"{self._folder}/{key}"

    async def _write(self, path: str, data: bytes | AsyncIterable[bytes]) -> int:
        with _translated():
            file = await asyncio.to_thread(self._open, path)
        try:
            size = await _fill(file, data)
            with _translated():
                await asyncio.to_thread(_to_disk, file)
        finally:
            with suppress(OSError):  # what can't be written can't be written by closing either, and was said
                file.close()
        return size

    async def _move(self, beside: str, path: str) -> None:
        try:
            with _translated():
                await asyncio.to_thread(os.replace, beside, path)
        except FileNotFoundError as error:
            raise Unavailable("The file was deleted while it was being written.") from error

    def _open(self, path: str) -> IO[bytes]:
        self._files.makedirs(self._incoming, exist_ok=True)
        file: IO[bytes] = self._files.open(path, "wb")
        return file

    def _delete(self, path: str, key: str) -> None:
        with suppress(FileNotFoundError):
            self._files.rm_file(path)
        with suppress(FileNotFoundError):
            for name in os.listdir(self._incoming):
                if name.startswith(f"{key}."):
                    self._files.rm_file(f"{self._incoming}/{name}")


async def _fill(file: IO[bytes], data: bytes | AsyncIterable[bytes]) -> int:
    """Write all of it; what the pieces themselves raise is not ours to translate."""
    if isinstance(data, bytes):
        with _translated():
            return await asyncio.to_thread(file.write, data)
    size = 0
    async for piece in data:
        with _translated():
            size += await asyncio.to_thread(file.write, piece)
    return size


def _to_disk(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        if full_disk.found_in(error):
            raise full_disk.full("The disk of the files") from error
        raise Unavailable(f"The file store does not work: {error.strerror}.") from error
