"""Vectors in PostgreSQL, by the extension pgvector: one copy for all processes, in the database that is there anyway.

Two tables of its own, made on first use. Small stores are compared exactly; a large one gets an HNSW index of its own, made
in the background while it is read and written. The words of the chunks are not kept here.
"""

import asyncio
import logging
import struct
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import asyncpg
import numpy as np
from sqlalchemy import make_url

from zhuli.core.errors import ConfigurationError, Unavailable
from zhuli.types.knowledge.vectors import Hit, IndexChange, IndexedChunk

log = logging.getLogger(__name__)

R = TypeVar("R")

KNOWN = {"data_dir", "database_url", "url", "exact_rows"}

EXACT_ROWS = 10_000
"""Up to here all vectors of a store, or of the files asked for, are compared (docs/decisions/0006 has what that costs)."""

INDEXED_DIMENSIONS = 4_000
"""pgvector's HNSW takes no longer half-float vectors; such stores stay exact."""

LEAST_VERSION = (0, 8)
"""The first with iterative scans, without which a filter would cost results."""

SESSION = {
    "hnsw.iterative_scan": "relaxed_order",
    "hnsw.ef_search": "100",
    "hnsw.max_scan_tuples": "2147483647",
    "hnsw.scan_mem_multiplier": "4",
    "enable_sort": "off",  # or half of a large store would be sorted rather than looked up; where nothing else goes it sorts
    "jit": "off",
}

PASSING = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # of a connection that was lost a moment ago
    asyncpg.PostgresConnectionError,
    asyncpg.TransactionRollbackError,
)

LOCK = 0x7A68756C
"""The advisory locks of those who make tables and of those who build; "zhul" in ASCII."""

SETUP = """
CREATE EXTENSION IF NOT EXISTS vector;
CREATE TABLE IF NOT EXISTS vector_index_stores (
    number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    store text NOT NULL UNIQUE,
    position bigint NOT NULL DEFAULT 0,
    dimensions integer NOT NULL DEFAULT 0,
    rows bigint NOT NULL DEFAULT 0,
    approximate boolean NOT NULL DEFAULT false
);
CREATE TABLE IF NOT EXISTS vector_index_rows (
    store integer NOT NULL,
    file bigint NOT NULL,
    chunk bigint NOT NULL,
    vector halfvec NOT NULL
);
CREATE INDEX IF NOT EXISTS vector_index_rows_of_file ON vector_index_rows (store, file);
"""

AVAILABLE = """
SELECT coalesce(installed_version, default_version), installed_version IS NOT NULL
    OR has_database_privilege(current_database(), 'CREATE')
FROM pg_available_extensions WHERE name = 'vector'
"""


class Plugin:
    """Settings: `url` of another database than zhuli's own; `exact_rows`."""

    def __init__(self, settings: dict[str, Any]) -> None:
        if unknown := settings.keys() - KNOWN:
            raise ConfigurationError(
                f"Vector index: unknown setting '{min(unknown)}'. Known: {', '.join(sorted(KNOWN))}."
            )
        self._url = _address(settings.get("url") or settings["database_url"])
        self._exact_rows = int(settings.get("exact_rows", EXACT_ROWS))
        self._opening = asyncio.Lock()
        self._pool: asyncpg.Pool | None = None
        self._building: dict[str, asyncio.Task[None]] = {}
        self._seen: set[str] = set()

    @classmethod
    async def available(cls, database_url: str) -> bool:
        """Whether this database has pgvector, new enough, and lets us use it."""
        with _translated():
            connection = await asyncpg.connect(_address(database_url))
            try:
                row = await connection.fetchrow(AVAILABLE)
            finally:
                await connection.close()
        return row is not None and bool(row[1]) and _version(row[0]) >= LEAST_VERSION

    async def position(self, store: str) -> int:
        row = await self._twice(lambda db: db.fetchrow("SELECT * FROM vector_index_stores WHERE store = $1", store))
        if store not in self._seen and row is not None:
            self._seen.add(store)  # who built it may have died
            self._build_if_large(store, row["rows"], row)
        return row["position"] if row else 0

    async def apply(self, store: str, changes: Sequence[IndexChange], position: int) -> None:
        before, rows = await self._twice(lambda db: _applied(db, store, changes, position))
        self._build_if_large(store, rows, before)

    async def search(self, store: str, vector: bytes, *, most: int, files: Collection[int] | None) -> list[Hit]:
        if most < 1 or (files is not None and not files):
            return []
        wanted = None if files is None else list(files)
        return await self._twice(lambda db: _found(db, store, vector, most, wanted, self._exact_rows))

    async def drop(self, store: str) -> None:
        if building := self._building.pop(store, None):
            building.cancel()
            await asyncio.wait([building])
        await self._twice(lambda db: _dropped(db, store))

    async def settled(self) -> None:
        """Wait until nothing is being built in the background. No part of the port: for tests and measurements."""
        if self._building:
            await asyncio.wait(list(self._building.values()))

    async def aclose(self) -> None:
        for building in self._building.values():
            building.cancel()
        await self.settled()
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    async def _twice(self, call: Callable[[asyncpg.Connection], Awaitable[R]]) -> R:
        """Again, once, when the connection was lost or another transaction was in the way: every call may be repeated."""
        with suppress(*PASSING):
            return await self._once(call)
        with _translated():
            return await self._once(call)

    async def _once(self, call: Callable[[asyncpg.Connection], Awaitable[R]]) -> R:
        async with self._opening:
            if self._pool is None:
                await _set_up(self._url)
                self._pool = await asyncpg.create_pool(
                    self._url, min_size=1, max_size=10, init=_prepare, server_settings=SESSION
                )
        async with self._pool.acquire() as connection:
            return await call(connection)

    def _build_if_large(self, store: str, rows: int, row: asyncpg.Record) -> None:
        large = rows > self._exact_rows and row["dimensions"] <= INDEXED_DIMENSIONS
        if large and not row["approximate"] and store not in self._building:
            building = self._building[store] = asyncio.create_task(_build(self._url, store))
            building.add_done_callback(lambda task: self._built(store, task))

    def _built(self, store: str, task: asyncio.Task[None]) -> None:
        """Searches go on without what was not built, and the next change tries again."""
        if self._building.get(store) is task:
            del self._building[store]
        if not task.cancelled() and (error := task.exception()):
            log.error("The HNSW index of %s could not be built: %s", store, error)


async def _applied(
    db: asyncpg.Connection, store: str, changes: Sequence[IndexChange], position: int
) -> tuple[asyncpg.Record, int]:
    """Take the changes in; the store as it was before, and how many rows it has now."""
    async with db.transaction():
        await db.execute("INSERT INTO vector_index_stores (store) VALUES ($1) ON CONFLICT DO NOTHING", store)
        row = await db.fetchrow("SELECT * FROM vector_index_stores WHERE store = $1 FOR UPDATE", store)
        if position <= row["position"]:
            return row, row["rows"]
        last = {change.file: change.chunks or () for change in changes if change.number > row["position"]}
        vectors, dimensions = _vectors([chunk for chunks in last.values() for chunk in chunks], row["dimensions"])
        number = row["number"]
        gone = await db.execute(
            "DELETE FROM vector_index_rows WHERE store = $1 AND file = ANY($2::bigint[])", number, list(last)
        )
        places = [(number, file, chunk.seq) for file, chunks in last.items() for chunk in chunks]
        await db.copy_records_to_table(
            "vector_index_rows",
            records=[(*place, vector) for place, vector in zip(places, vectors, strict=True)],
            columns=["store", "file", "chunk", "vector"],
        )
        rows = row["rows"] + len(places) - int(gone.split()[-1])
        await db.execute(
            "UPDATE vector_index_stores SET position = $2, dimensions = $3, rows = $4 WHERE number = $1",
            *(number, position, dimensions, rows),
        )
    return row, rows


async def _found(
    db: asyncpg.Connection, store: str, vector: bytes, most: int, files: list[int] | None, exact_rows: int
) -> list[Hit]:
    row = await db.fetchrow("SELECT * FROM vector_index_stores WHERE store = $1", store)
    if row is None or not row["dimensions"]:
        return []
    _check(len(vector) // 4, row["dimensions"])
    number, query = row["number"], _halves([vector], row["dimensions"])[0]
    if row["approximate"] and await _many(db, number, files, exact_rows):
        found = await _nearest(db, number, query, most, files, cast=f"::halfvec({row['dimensions']})")
        if len(found) == most:
            return found
    return await _nearest(db, number, query, most, files, cast="")


async def _many(db: asyncpg.Connection, store: int, files: list[int] | None, exact_rows: int) -> bool:
    """Whether more rows are allowed than are worth comparing one by one."""
    if files is None:
        return True
    rows = f"SELECT 1 FROM vector_index_rows WHERE store = $1 AND file = ANY($2::bigint[]) LIMIT {exact_rows + 1}"
    return bool(await db.fetchval(f"SELECT count(*) > {exact_rows} FROM ({rows}) AS counted", store, files))


async def _nearest(
    db: asyncpg.Connection, store: int, query: bytes, most: int, files: list[int] | None, *, cast: str
) -> list[Hit]:
    """Only with the cast is the distance the HNSW index's; without it every row is compared.

    The store's number stands in the statement, for an index of a part of the table is not used for a parameter.
    """
    wanted = "" if files is None else "AND file = ANY($3::bigint[])"
    rows = await db.fetch(
        f"SELECT chunk, -(vector{cast} <#> $1{cast or '::halfvec'}) AS score FROM vector_index_rows "
        f"WHERE store = {store} {wanted} ORDER BY vector{cast} <#> $1{cast or '::halfvec'} LIMIT $2",
        *(query, most, *([] if files is None else [files])),
    )
    hits = [Hit(row["chunk"], max(-1.0, min(1.0, row["score"]))) for row in rows]
    return sorted(hits, key=lambda hit: -hit.score)


async def _dropped(db: asyncpg.Connection, store: str) -> None:
    async with db.transaction():
        number = await db.fetchval("DELETE FROM vector_index_stores WHERE store = $1 RETURNING number", store)
        await db.execute("DELETE FROM vector_index_rows WHERE store = $1", number)
    if number is not None:
        await db.execute(f"DROP INDEX CONCURRENTLY IF EXISTS vector_index_near_{number}")


async def _build(url: str, store: str) -> None:
    """Make the store's HNSW index while others read and write; one process at a time, and the first that succeeds."""
    db = await asyncpg.connect(url)
    try:
        row = await db.fetchrow("SELECT * FROM vector_index_stores WHERE store = $1", store)
        if row is None or not await db.fetchval("SELECT pg_try_advisory_lock($1, $2)", LOCK, row["number"]):
            return
        number, dimensions = row["number"], row["dimensions"]
        # In private memory: parallel workers would need as much of the shared memory that containers have little of.
        await db.execute("SET maintenance_work_mem = '1GB'; SET max_parallel_maintenance_workers = 0")
        await db.execute(f"DROP INDEX CONCURRENTLY IF EXISTS vector_index_near_{number}")
        await db.execute(
            f"CREATE INDEX CONCURRENTLY vector_index_near_{number} ON vector_index_rows "
            f"USING hnsw ((vector::halfvec({dimensions})) halfvec_ip_ops) WHERE store = {number}"
        )
        await db.execute("UPDATE vector_index_stores SET approximate = true WHERE number = $1", number)
    finally:
        await db.close()


async def _set_up(url: str) -> None:
    db = await asyncpg.connect(url)
    try:
        async with db.transaction():
            await db.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
            await db.execute(SETUP)
    finally:
        await db.close()


async def _prepare(db: asyncpg.Connection) -> None:
    """Vectors go over as bytes; the extension's type may be in any schema."""
    schema = await db.fetchval(
        "SELECT nspname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'vector'"
    )
    await db.set_type_codec("halfvec", schema=schema, encoder=bytes, decoder=bytes, format="binary")


def _vectors(chunks: Sequence[IndexedChunk], dimensions: int) -> tuple[list[bytes], int]:
    """As the database takes them, and the store's dimensions, which its first vector decides."""
    if not chunks:
        return [], dimensions
    dimensions = dimensions or len(chunks[0].vector) // 4
    for chunk in chunks:
        _check(len(chunk.vector) // 4, dimensions)
    return _halves([chunk.vector for chunk in chunks], dimensions), dimensions


def _halves(vectors: Sequence[bytes], dimensions: int) -> list[bytes]:
    """pgvector's binary halfvec: the length and a zero as int16, then half floats, all big-endian (halfvec_send)."""
    head = struct.pack(">hh", dimensions, 0)
    rows = np.frombuffer(b"".join(vectors), "<f4").reshape(-1, dimensions).astype(">f2")
    return [head + row.tobytes() for row in rows]


def _check(dimensions: int, wanted: int) -> None:
    if dimensions != wanted:
        raise ConfigurationError(
            f"This vector store's vectors have {wanted} numbers each, and one came with {dimensions}: "
            "is its embedder still the one that it was made with?"
        )


def _address(url: str) -> str:
    made = make_url(url)
    if made.get_backend_name() != "postgresql":
        raise ConfigurationError(
            "The vector index 'pgvector' needs a PostgreSQL database: set vector_index_url, or database_url."
        )
    return made.set(drivername="postgresql").render_as_string(hide_password=False)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdecimal())


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (*PASSING, asyncpg.PostgresError) as error:
        raise Unavailable(f"The vector index's database does not answer: {error}.") from error
