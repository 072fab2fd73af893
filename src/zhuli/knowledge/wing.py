"""The wing of knowledge, built: files, reading, indexes, search, and the jobs that keep them."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass

from zhuli.core.errors import ZhuliError
from zhuli.ground import Ground
from zhuli.knowledge.files.discarding import BlobDiscarding
from zhuli.knowledge.files.file_service import FileService
from zhuli.knowledge.files.uploads import Uploads
from zhuli.knowledge.retrieval.indexing.process_indexes import ProcessIndexes
from zhuli.knowledge.retrieval.ingesting.clean_up import CleanUp
from zhuli.knowledge.retrieval.ingesting.discarding import Discarding
from zhuli.knowledge.retrieval.ingesting.embedding_units import MOST_CHARACTERS
from zhuli.knowledge.retrieval.ingesting.ingestion import READING_SECONDS, Ingestion, IngestionHandler, forget_copies
from zhuli.knowledge.retrieval.reading.reader import Reader
from zhuli.knowledge.retrieval.searching.searcher import Searcher
from zhuli.store.knowledge import blobs, chunks, vector_stores
from zhuli.worker.loop import Chore, JobKind

log = logging.getLogger(__name__)


@dataclass
class KnowledgeWing:
    """Implements ground.Wing."""

    ground: Ground
    files: FileService
    uploads: Uploads
    reader: Reader
    indexes: ProcessIndexes
    searcher: Searcher
    loading: asyncio.Task[None] | None = None

    def jobs(self) -> dict[str, JobKind]:
        database = self.ground.database
        return {
            vector_stores.JOB: JobKind(IngestionHandler(self._ingestion()), self.ground.settings.ingest_slots),
            vector_stores.CLEAN_UP: JobKind(CleanUp(database, self.indexes.forget), 1),
            chunks.DISCARD: JobKind(Discarding(database), 1),
            blobs.DISCARD: JobKind(BlobDiscarding(database, self.ground.blobs), 4),
        }

    def chores(self) -> list[Chore]:
        return [Chore(5.0, self.files.expire), Chore(5.0, self.uploads.expire)]

    async def start(self) -> None:
        """Begin to load the embedders of the stores there are, so that the first search need not wait for it."""
        names = await self.ground.database.run(vector_stores.embedders)
        self.loading = asyncio.create_task(self._load(names))
        forget_copies(self.ground.settings.data_dir, older_than=READING_SECONDS if self.ground.database.shared else 0.0)

    def begin_to_stop(self) -> None:
        """Nothing: an ingestion goes on behind its last chunk."""

    async def aclose(self) -> None:
        if self.loading is not None:
            self.loading.cancel()
            await asyncio.wait([self.loading])
        await self.indexes.aclose()
        await self.reader.aclose()

    async def _load(self, names: Iterable[str]) -> None:
        for name in names:
            if (entry := self.ground.catalog.embedders.get(name)) is not None:
                try:
                    await entry.embedder.start()
                except ZhuliError as error:
                    log.warning("The embedder '%s' can't be used: %s", name, error.message)

    def _ingestion(self) -> Ingestion:
        ground = self.ground
        return Ingestion(
            database=ground.database,
            blobs=ground.blobs,
            catalog=ground.catalog,
            reader=self.reader,
            embedding=self.indexes.embedding,
            clock=ground.clock,
            telemetry=ground.telemetry,
            data_dir=ground.settings.data_dir,
            max_attempts=ground.settings.max_attempts,
            added=self.indexes.following.notice,
        )


def build(ground: Ground) -> KnowledgeWing:
    """It needs no other wing."""
    settings = ground.settings
    files = FileService(ground.database, ground.blobs, ground.clock)
    reader = Reader(
        processes=settings.parse_processes,
        seconds=settings.parse_seconds,
        memory_bytes=settings.parse_memory_bytes,
        max_characters=MOST_CHARACTERS,
        enclosed_bytes=settings.parse_enclosed_bytes,
        ocr=settings.ocr,
        ocr_languages=settings.ocr_languages,
    )
    indexes = ProcessIndexes.of(ground.database, settings)
    searcher = Searcher(ground.database, ground.catalog, indexes, ground.clock, ground.telemetry.calls)
    return KnowledgeWing(ground, files, Uploads(files), reader, indexes, searcher)
