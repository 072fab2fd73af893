"""Ingests files: a file's bytes are read, cut, embedded and written as chunks of a vector store. The handler of its jobs.

A process may die at any line. Chunks are written in order in small transactions, and cutting the same file again gives the
same chunks, so another attempt goes on behind the last chunk that stands; if it does not give the same (another version of
a parser), it starts over. What it all adds up to is one last transaction: only then do the chunks count.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from zhuli.core.cancelling import being_cancelled
from zhuli.core.clock import Clock
from zhuli.core.errors import BackendError, FileErrorCode, LeaseLost, Unavailable, Unreadable
from zhuli.core.telemetry import Telemetry
from zhuli.knowledge.retrieval.ingesting.embedding import Embedding, mean
from zhuli.knowledge.retrieval.ingesting.embedding_units import EmbeddingUnit, units_of
from zhuli.knowledge.retrieval.reading.reader import Reader
from zhuli.models.catalog import Catalog, EmbedderEntry
from zhuli.ports import BlobStore
from zhuli.store.database import Database
from zhuli.store.jobs import Job
from zhuli.store.knowledge import ingesting
from zhuli.store.knowledge.ingesting import EmbeddedChunk, Task, Unwanted

log = logging.getLogger(__name__)

WINDOW = 32
"""Chunks that are embedded and then written in one transaction: a few milliseconds on SQLite."""

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before what failed is tried again; when an embedder names a longer time itself, that, up to a minute."""

_LONGEST_PAUSE = 60.0

READING_SECONDS = 86_400.0
"""No file waits and is read for so long."""


@dataclass(frozen=True, slots=True)
class Ingestion:
    """What every ingestion needs. Made once, by the composition root.

    data_dir: files are put there for their reader. added: called with the id of a store that has a new file.
    """

    database: Database
    blobs: BlobStore
    catalog: Catalog
    reader: Reader
    embedding: Embedding
    clock: Clock
    telemetry: Telemetry
    data_dir: Path
    max_attempts: int
    added: Callable[[str], None]


def forget_copies(data_dir: Path, *, older_than: float = 0.0) -> None:
    """Delete the files that a killed process was reading. older_than: seconds that any other process at work here may take."""
    now = time.time()
    for copy in _copies(data_dir).glob("*"):
        with suppress(FileNotFoundError):
            if now - copy.stat().st_mtime >= older_than:
                copy.unlink()


def _copies(data_dir: Path) -> Path:
    return data_dir.resolve() / "reading"


class IngestionHandler:
    """Knows which files are being ingested in this process."""

    def __init__(self, ingestion: Ingestion) -> None:
        self._with = ingestion
        self._going: dict[str, asyncio.Task[None]] = {}

    async def handle(self, job: Job) -> None:
        """Ingest the file, until it is completed or failed, or not wanted any more.

        A database or a file store that does not answer for a while is asked again; what is written stands.
        """
        pauses = iter(PAUSES)
        while True:
            going = self._going[job.key] = asyncio.create_task(_Attempt(self._with, job).go())
            try:
                await going
                return
            except asyncio.CancelledError:
                if not going.cancelled() or being_cancelled():
                    raise
                if not await self._still_mine(job):
                    self._with.telemetry.files_ingested.labels("cancelled").inc()
                    return
            except Unavailable as error:
                if (pause := next(pauses, None)) is None:
                    raise
                log.warning("The ingestion of %s is tried again: %s", job.key, error.message)
                await asyncio.sleep(pause)
            finally:
                if self._going.get(job.key) is going:
                    del self._going[job.key]

    async def _still_mine(self, job: Job) -> bool:
        """Whether an interruption was meant for an earlier stay of the same file in the store."""
        with suppress(LeaseLost):
            return await self._with.database.run(ingesting.still_wanted, job)
        return False

    async def give_up(self, job: Job, message: str) -> None:
        """Its handler broke: the file has failed."""
        with suppress(Unwanted, LeaseLost):
            await _Attempt(self._with, job).fail("server_error", message)

    async def stopped(self, keys: list[str]) -> list[str]:
        """Which of these files were cancelled, replaced or deleted."""
        wanted = await self._with.database.run(ingesting.in_progress, keys)
        return [key for key in keys if key not in wanted]

    def interrupt(self, key: str) -> None:
        """Stop working on the file; whether that was right is looked up."""
        if (going := self._going.get(key)) is not None:
            going.cancel()


class _Attempt:
    """One claim of one file."""

    def __init__(self, ingestion: Ingestion, job: Job) -> None:
        self._with = ingestion
        self._job = job
        self._began = time.monotonic()

    async def go(self) -> None:
        with suppress(LeaseLost):  # whoever has the job now goes on
            try:
                await self._ingest()
            except Unwanted:
                self._note("cancelled")
            except Unreadable as error:
                await self.fail(error.file_code, error.message)
            except BackendError as error:
                await self.fail("server_error", f"The file could not be embedded: {error.message}")

    async def _ingest(self) -> None:
        task = await self._with.database.run(ingesting.take_up, self._job)
        if task is None:
            return
        if self._job.deaths >= self._with.max_attempts:
            message = f"Ingesting the file was given up: {self._with.max_attempts} attempts took their worker down."
            await self.fail("server_error", message)
            return
        with self._with.telemetry.span("ingestion", file=task.file_id, store=task.store) as span:
            units = await self._units(task)
            span.set_attribute("chunks", len(units))
            last = await self._write_most(task, units)
            usage, now = sum(unit.bytes for unit in units), int(self._with.clock.now())
            await self._with.database.run(ingesting.complete, self._job, task, last, usage=usage, now=now)
        self._with.added(task.store)
        self._note("completed", chunks=len(units))

    async def fail(self, code: FileErrorCode, message: str) -> None:
        """Take back what was written, and end the file as failed; Unwanted is no failure."""
        with suppress(Unwanted):
            while not await self._with.database.run(ingesting.unwrite, self._job):
                pass
            await self._with.database.run(ingesting.fail, self._job, code=code, message=message)
            self._note("failed", why=message)

    async def _units(self, task: Task) -> list[EmbeddingUnit]:
        with self._with.telemetry.span("reading"):
            async with self._copied(task.file_id) as path:
                blocks = await self._with.reader.read(path, task.filename)
        with self._with.telemetry.span("cutting"):
            embedder = self._embedder(task)
            return await asyncio.to_thread(units_of, blocks, task.chunking, embedder)

    def _embedder(self, task: Task) -> EmbedderEntry:
        entry = self._with.catalog.embedders.get(task.embedder)
        if entry is None:
            raise BackendError(f"the store's embedder '{task.embedder}' is no longer in the models file.")
        return entry

    @asynccontextmanager
    async def _copied(self, file_id: str) -> AsyncIterator[Path]:
        """The file's bytes in a file of the file system, for as long as it is read."""
        folder = _copies(self._with.data_dir)
        folder.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=folder) as copy:
            try:
                async for data in self._with.blobs.read(file_id):
                    await asyncio.to_thread(copy.write, data)
            except KeyError as error:
                raise Unreadable("The file's content is gone.", code="server_error") from error
            copy.flush()
            yield Path(copy.name)

    async def _write_most(self, task: Task, units: list[EmbeddingUnit]) -> list[EmbeddedChunk]:
        """Embed what is not written yet, and write it but for the last window, which is to be written with the file's end.

        A transaction of its own would be most of what a small file costs.
        """
        embedder = self._embedder(task)
        parts: dict[bytes, bytes] = {}
        made: list[EmbeddedChunk] = []
        for start in range(await self._written_before(task, units), len(units), WINDOW):
            if made:
                await self._with.database.run(ingesting.write, self._job, made)
            window = units[start : start + WINDOW]
            vectors, parts = await self._vectors(embedder, window, parts)
            made = [
                EmbeddedChunk(ordinal, unit.chunk, unit.digest, vectors[unit.digest])
                for ordinal, unit in enumerate(window, start)
            ]
        return made

    async def _written_before(self, task: Task, units: list[EmbeddingUnit]) -> int:
        """How many chunks an earlier attempt has written. When they are not the same, they go, and there are none."""
        done = 0
        run = self._with.database.run
        found = task.written
        while found:
            if found != [unit.digest for unit in units[done : done + len(found)]]:
                while not await run(ingesting.unwrite, self._job):
                    pass
                return 0
            done += len(found)
            if len(found) < ingesting.COMPARED:
                break
            found = await run(ingesting.written, task.number, after=done - 1)
        return done

    async def _vectors(
        self, embedder: EmbedderEntry, window: list[EmbeddingUnit], before: dict[bytes, bytes]
    ) -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
        """The chunks' vectors by digest, from the database or from their parts'; and these parts', for the next window.

        before: the parts of the window before, of which some reach into this one.
        """
        known = await self._with.database.run(ingesting.known_vectors, list({unit.digest for unit in window}))
        new = [unit for unit in window if unit.digest not in known]
        self._with.telemetry.chunks_ingested.labels("known").inc(len(window) - len(new))
        self._with.telemetry.chunks_ingested.labels("embedded").inc(len(new))
        texts = {part.digest: part.text for unit in new for part in unit.parts}
        parts = {digest: before[digest] for digest in texts if digest in before}
        parts |= await self._embedded(embedder, {key: text for key, text in texts.items() if key not in parts})
        made = {
            unit.digest: mean([parts[part.digest] for part in unit.parts], [len(part.text) for part in unit.parts])
            for unit in new
        }
        return known | made, parts

    async def _embedded(self, embedder: EmbedderEntry, texts: dict[bytes, str]) -> dict[bytes, bytes]:
        """Together with the texts of other files; when that fails alone, and again after pauses."""
        try:
            return await self._with.embedding.vectors(embedder, texts)
        except BackendError as error:
            last = error
        for pause in PAUSES:
            if last.run_code == "invalid_prompt":
                break
            log.warning("The embedder '%s' failed, it is asked again: %s", embedder.name, last.message)
            await asyncio.sleep(min(_LONGEST_PAUSE, max(pause, last.retry_after or 0)))
            try:
                return await self._with.embedding.alone(embedder, texts)
            except BackendError as error:
                last = error
        raise last

    def _note(self, status: str, *, chunks: int = 0, why: str = "") -> None:
        """Tell operators how the file ended."""
        self._with.telemetry.files_ingested.labels(status).inc()
        seconds = time.monotonic() - self._began
        self._with.telemetry.ingestion_seconds.observe(seconds)
        store, _, file_id = self._job.key.partition("/")
        level = logging.WARNING if why else logging.INFO
        if log.isEnabledFor(level):
            fields = {"file": file_id, "vector_store": store, "status": status, "chunks": chunks, "seconds": seconds}
            log.log(level, "File %s %s%s", file_id, status, f": {why}" if why else "", extra={"fields": fields})
