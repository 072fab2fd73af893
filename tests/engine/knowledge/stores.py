"""Vector stores in an app in memory: made, filled, waited for, and held against what must be in them."""

import asyncio
from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from zhuli.core.ids import new_id
from zhuli.knowledge.retrieval.ingesting.embedding_units import units_of
from zhuli.store import collections, schema
from zhuli.store.knowledge import chunks, vector_stores
from zhuli.testing.app import AppInMemory
from zhuli.testing.controlled_embedder import NAME
from zhuli.types.assistants.tools import StaticChunking, StaticChunkingStrategy
from zhuli.types.knowledge.document import Block
from zhuli.types.knowledge.file import File
from zhuli.types.knowledge.vector_store import VectorStore, VectorStoreCreate

SMALL = StaticChunking(max_chunk_size_tokens=100, chunk_overlap_tokens=20)
"""Small chunks, so that a short text has many."""

SMALL_CHUNKS = StaticChunkingStrategy(type="static", static=SMALL)

PATIENCE_SECONDS = 30.0


def story(number: int, sentences: int) -> str:
    """A text whose sentences all differ."""
    return " ".join(
        f"Sentence {n} of story {number} tells of the {n}th stop in town {number}." for n in range(sentences)
    )


async def add_file(app: AppInMemory, text: str, name: str = "story.txt") -> str:
    """A file with this text; its id."""
    data = text.encode()
    file = File(id=new_id("file"), bytes=len(data), created_at=1, filename=name, purpose="assistants")
    await app.app.blobs.write(file.id, data)
    await app.app.database.run(collections.insert, schema.files, app.project, file, {"purpose": file.purpose})
    return file.id


async def make_store(app: AppInMemory, *files: str, embedder: str = NAME) -> VectorStore:
    """A store with these files, which begin to be ingested."""
    body = VectorStoreCreate(file_ids=list(files), chunking_strategy=SMALL_CHUNKS)
    now = int(app.clock.now())
    return await app.app.database.run(vector_stores.create, app.project, body, embedder=embedder, now=now)


async def done(app: AppInMemory, store: str) -> VectorStore:
    """The store when none of its files is in progress any more."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = await view(app, store)
            if found.file_counts.in_progress == 0:
                return found
            await asyncio.sleep(0.01)


async def view(app: AppInMemory, store: str) -> VectorStore:
    return await app.app.database.run(vector_stores.view, app.project, store, now=int(app.clock.now()))


async def texts_of(app: AppInMemory, store: str) -> dict[str, list[str]]:
    """The texts of all chunks of the store's files, in order, by file."""
    return await app.app.database.run(_texts_of, store)


def _texts_of(connection: Connection, store: str) -> dict[str, list[str]]:
    files, stored = schema.vector_store_files, schema.chunks
    query = (
        select(files.c.file_id, stored.c.text)
        .join(stored, stored.c.store_file == files.c.seq)
        .where(files.c.vector_store_id == store)
        .order_by(stored.c.store_file, stored.c.ordinal)
    )
    found: dict[str, list[str]] = {}
    for row in connection.execute(query):
        found.setdefault(row.file_id, []).append(row.text)
    return found


def expected(app: AppInMemory, text: str) -> list[str]:
    """The chunks that a text has to have."""
    entry = app.app.catalog.embedders["hashed"]
    return [piece.chunk.text for piece in units_of([Block(text)], SMALL, entry)]


async def rows(app: AppInMemory, *tables: str) -> dict[str, int]:
    """How many rows these tables have."""
    return await app.app.database.run(_rows, tables)


def _rows(connection: Connection, tables: Sequence[str]) -> dict[str, int]:
    all_tables = schema.metadata.tables
    return {
        name: connection.execute(select(func.count()).select_from(all_tables[name])).scalar_one() for name in tables
    }


async def found_by_word(app: AppInMemory, store: str, word: str) -> set[str]:
    """The files in which a search of the words index finds the word, once it has caught up."""
    opened = await app.app.database.run(vector_stores.open_stores, app.project, [store], now=int(app.clock.now()))
    await app.app.knowledge.indexes.catch_up(store, opened[0].changes)
    matches = await app.app.knowledge.indexes.words.search(store, word, most=1000)
    passages = await app.app.database.run(chunks.passages, [hit.chunk for hit in matches.hits])
    return {passage.file_id for passage in passages.values()}
