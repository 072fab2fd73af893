"""Vectors in files of this process's own, under data_dir: nothing to run, nothing to set up.

Each process has its own copy, for several may share a data_dir. Stores are opened when they are first asked for, and the
least recently used are closed when those in memory take more than `memory_bytes`.
"""

import asyncio
import fcntl
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import IO, Any, ParamSpec, TypeVar
from urllib.parse import quote

from zhuli.core import full_disk
from zhuli.core.errors import ConfigurationError, Unavailable
from zhuli.knowledge.vectors.store_vectors import StoreVectors
from zhuli.types.knowledge.vectors import Hit, IndexChange

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

KNOWN = {"data_dir", "database_url", "url", "memory_bytes"}

MEMORY_BYTES = 1024**3
MOST_OPEN = 1000
"""Stores, however small they are."""


@dataclass
class _Open:
    """A store in memory. lock: of whoever opens, changes or closes it. users: those who may not lose it now."""

    vectors: StoreVectors | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0
    building: asyncio.Task[None] | None = None


class Plugin:
    """Settings: `memory_bytes`, what open stores may take together."""

    def __init__(self, settings: dict[str, Any]) -> None:
        if unknown := settings.keys() - KNOWN:
            raise ConfigurationError(
                f"Vector index: unknown setting '{min(unknown)}'. Known: {', '.join(sorted(KNOWN))}."
            )
        self._data_dir = Path(settings["data_dir"])
        self._memory_bytes = int(settings.get("memory_bytes", MEMORY_BYTES))
        self._stores: OrderedDict[str, _Open] = OrderedDict()
        self._claim: IO[str] | None = None
        self._folder: Path | None = None

    async def position(self, store: str) -> int:
        async with self._opened(store) as vectors:
            return vectors.position

    async def apply(self, store: str, changes: Sequence[IndexChange], position: int) -> None:
        async with self._alone(store) as vectors:
            await _in_thread(vectors.apply, changes, position)
            self._start_building(store, vectors)
        await self._make_room()

    async def search(self, store: str, vector: bytes, *, most: int, files: Collection[int] | None) -> list[Hit]:
        async with self._opened(store) as vectors:
            return await asyncio.to_thread(vectors.search, vector, most=most, files=files)

    async def drop(self, store: str) -> None:
        async with self._opened(store):
            await _stop_building(self._stores[store])
            async with self._alone(store) as vectors:
                await _in_thread(vectors.delete)
                self._stores[store].vectors = None
        self._forget_closed()

    async def settled(self) -> None:
        """Wait until nothing is being built in the background. No part of the port: for tests and measurements."""
        while building := [opened.building for opened in self._stores.values() if opened.building is not None]:
            if all(task.done() for task in building):
                return
            await asyncio.wait(building)

    async def aclose(self) -> None:
        await asyncio.gather(*(self._close(opened) for opened in self._stores.values()))
        self._stores.clear()
        if self._claim is not None:
            self._claim.close()
            self._claim = self._folder = None

    @asynccontextmanager
    async def _opened(self, store: str) -> AsyncIterator[StoreVectors]:
        """To read: others may change it meanwhile."""
        async with self._alone(store) as vectors:
            opened = self._stores[store]
            opened.users += 1
        try:
            yield vectors
        finally:
            opened.users -= 1

    @asynccontextmanager
    async def _alone(self, store: str) -> AsyncIterator[StoreVectors]:
        """To change it."""
        opened = self._stores.setdefault(store, _Open())
        self._stores.move_to_end(store)
        opened.users += 1
        try:
            async with opened.lock:
                if opened.vectors is None:
                    opened.vectors = await _in_thread(StoreVectors, self._own_folder() / quote(store, safe=""))
                    self._start_building(store, opened.vectors)
                    await self._make_room()
                yield opened.vectors
        finally:
            opened.users -= 1

    def _start_building(self, store: str, vectors: StoreVectors) -> None:
        opened = self._stores[store]
        if vectors.wants_building and (opened.building is None or opened.building.done()):
            opened.building = asyncio.create_task(self._build(store))
            opened.building.add_done_callback(_log_failure)

    async def _build(self, store: str) -> None:
        """Until there is nothing to build: a store may have grown or been compacted meanwhile."""
        async with self._opened(store) as vectors:
            while vectors.wants_building:
                await _in_thread(vectors.build)
        async with self._alone(store) as vectors:
            await _in_thread(vectors.save)

    async def _make_room(self) -> None:
        """Close the least recently used; those in use stay."""
        for opened in list(self._stores.values())[:-1]:
            sizes = [other.vectors.size for other in self._stores.values() if other.vectors]
            if sum(sizes) <= self._memory_bytes and len(sizes) <= MOST_OPEN:
                break
            if not opened.users:
                await self._close(opened)
        self._forget_closed()

    def _forget_closed(self) -> None:
        for store, opened in list(self._stores.items()):
            if opened.vectors is None and not opened.users:
                del self._stores[store]

    async def _close(self, opened: _Open) -> None:
        await _stop_building(opened)
        async with opened.lock:
            if opened.vectors is not None:
                await _in_thread(opened.vectors.save)
                opened.vectors = None

    def _own_folder(self) -> Path:
        """The first of indexes, indexes-1, … that no other process holds."""
        if self._folder is None:
            for number in count():
                folder = self._data_dir / (f"indexes-{number}" if number else "indexes")
                with _translated():
                    folder.mkdir(parents=True, exist_ok=True)
                    self._claim = _held(folder / ".lock")
                if self._claim is not None:
                    self._folder = folder
                    break
        assert self._folder is not None
        return self._folder


def _log_failure(building: asyncio.Task[None]) -> None:
    """Searches go on without what was not built, and the next change tries again."""
    if not building.cancelled() and (error := building.exception()):
        log.error("An approximate vector index could not be built", exc_info=error)


async def _stop_building(opened: _Open) -> None:
    if opened.building is not None and opened.vectors is not None:
        opened.vectors.stop_building()
        await asyncio.wait([opened.building])


async def _in_thread(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """As asyncio.to_thread, but who is cancelled waits for the thread first: what it works on is not to be shared."""

    def call() -> R:
        with _translated():
            return function(*args, **kwargs)

    working = asyncio.create_task(asyncio.to_thread(call))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        raise


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if full_disk.found_in(error):
            raise full_disk.full("The disk of the vector index") from error
        raise Unavailable(f"The vector index can't be kept on disk: {error.strerror}.") from error


def _held(path: Path) -> IO[str] | None:
    """The file, locked for as long as it is open; None when another has it."""
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file
