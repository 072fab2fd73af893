"""Blobs in a local folder: file:///var/lib/zhuli/files, through fsspec.

One file a blob, named by its key, all in one folder. It does not encrypt, count or clean up.
"""

import asyncio
import os
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

from fsspec.core import url_to_fs

from zhuli.core.errors import ConfigurationError, Unavailable

PIECE = 256 * 1024
"""Bytes read at once."""


class Plugin:
    def __init__(self, url: str) -> None:
        if not url.startswith("file:///"):
            raise ConfigurationError(
                f"The blob store '{url}' needs the whole path of a folder, like file:///var/lib/zhuli/files."
            )
        self._files, self._folder = url_to_fs(url)

    async def write(self, key: str, data: bytes) -> None:
        await asyncio.to_thread(self._write, self._path(key), data)

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
        with suppress(FileNotFoundError), _translated():
            await asyncio.to_thread(self._files.rm_file, self._path(key))

    async def aclose(self) -> None:
        """Nothing is open between calls."""

    def _path(self, key: str) -> str:
        if not re.fullmatch(r"\w[\w.-]*", key):
            raise KeyError(key)
        return f"{self._folder}/{key}"

    def _write(self, path: str, data: bytes) -> None:
        """Beside its place first, then moved there: a reader, and a machine that lost power, has all of it or none."""
        beside = f"{path}.{uuid4().hex}.part"
        with _translated():
            self._files.makedirs(self._folder, exist_ok=True)
            try:
                with self._files.open(beside, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(beside, path)
            except OSError:
                with suppress(OSError):
                    self._files.rm_file(beside)
                raise


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unavailable(f"The file store does not work: {error.strerror}.") from error
