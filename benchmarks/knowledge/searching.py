"""A search through HTTP in stores of a thousand and a hundred thousand chunks: the whole way of a question; run by hand.

    python -m benchmarks.knowledge.searching ../shared/data                       SQLite, embedded index
    python -m benchmarks.knowledge.searching ../shared/data --postgres            PostgreSQL with pgvector
    python -m benchmarks.knowledge.searching ../shared/data --size 1000 --embedder static

The store is written into the database directly, as an ingestion leaves it, and the server follows it: chunks of some 200
tokens, sentences of covid_qa and cmrc2018 drawn anew for each, with the made vectors of indexes.py (so many texts can't
be embedded here in reasonable time; what a vector costs does not depend on where it points). Questions are those of xquad,
English and Chinese in turn, each asked once, so that the embedder has to embed each. One client, one question at a time.
Recall of the index is indexes.py's matter, what is found retrieval_quality.py's.
"""

import asyncio
import json
import random
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection as Transaction
from sqlalchemy import insert, select

from benchmarks.connection import Connection
from benchmarks.knowledge.indexes import blocks as made_vectors
from benchmarks.prepared import NO_MODEL, served
from benchmarks.processes import Process, cpu_seconds, resident_megabytes
from zhuli.core.hints import Hints
from zhuli.core.ids import new_id
from zhuli.store import collections, migrate, projects, schema
from zhuli.store.knowledge import vector_stores
from zhuli.store.opening import open_database
from zhuli.types.assistants.tools import StaticChunking, StaticChunkingStrategy
from zhuli.types.knowledge.document import Chunk
from zhuli.types.knowledge.file import File
from zhuli.types.knowledge.vector_store import VectorStoreCreate, VectorStoreFile

SIZES = [1_000, 10_000, 100_000]
A_FILE = 10
SENTENCES = 8
QUESTIONS = 200
NOW = 1_700_000_000
AUTO = StaticChunkingStrategy(type="static", static=StaticChunking(max_chunk_size_tokens=800, chunk_overlap_tokens=400))

MODELS = """\
default_embedder = "{embedder}"
{no_model}
[embedders.static]
plugin = "static"
"""
COLUMNS = ["chunks", "first, ms", "p50, ms", "p95, ms", "CPU, ms", "1 file in 100: p50", "RSS, MB", "more than empty"]


def main(
    data: Annotated[Path, typer.Argument(help="The folder with covid_qa, cmrc2018_zh and xquad.")],
    size: Annotated[list[int] | None, typer.Option(help="Chunks; 1,000 to 100,000 when left out.")] = None,
    embedder: Annotated[str, typer.Option(help="A name in the catalog.")] = "e5-small",
    postgres: Annotated[bool, typer.Option(help="PostgreSQL with pgvector instead of SQLite.")] = False,
) -> None:
    """Measure searches on this machine."""
    table = Table(*COLUMNS, title=f"{embedder}, {'PostgreSQL and pgvector' if postgres else 'SQLite'}")
    for n in size or SIZES:
        row = measured(data, n, embedder, postgres=postgres)
        table.add_row(f"{n:,}", *(f"{value:,.1f}" for value in row))
    Console(width=140).print(table)


def measured(data: Path, n: int, embedder: str, *, postgres: bool) -> list[float]:
    """A row of the table without its first column."""

    def filled(url: str) -> tuple[str, str]:
        return asyncio.run(fill(url, sentences(data), n, embedder))

    models = MODELS.format(embedder=embedder, no_model=NO_MODEL)
    with served(filled, models=models, postgres=postgres, settings='log_level = "warning"\n') as place:
        return asyncio.run(ask(place.process, place.filled, questions(data)))


def sentences(data: Path) -> list[str]:
    """What the chunks are made of."""
    found: list[str] = []
    for name, end in (("covid_qa/200423_covidQA.json", ". "), ("cmrc2018_zh/cmrc2018_dev.json", "。")):
        for article in json.loads((data / name).read_text())["data"]:
            for paragraph in article["paragraphs"]:
                found += [part.strip() + end for part in paragraph["context"].split(end) if 40 < len(part) < 400]
    return found


def questions(data: Path) -> list[str]:
    """English and Chinese in turn."""
    both = []
    for language in ("en", "zh"):
        articles = json.loads((data / f"xquad/xquad.{language}.json").read_text())["data"]
        asked = [qa["question"] for a in articles for p in a["paragraphs"] for qa in p["qas"]]
        both.append(random.Random(5).sample(asked, 2 * QUESTIONS))
    return [question for pair in zip(*both, strict=True) for question in pair]


async def fill(url: str, pool: list[str], n: int, embedder: str) -> tuple[str, str]:
    """A store of `n` chunks, and one with a single small file; their ids."""
    database = open_database(url, Hints())
    await database.run(migrate.upgrade)
    await database.run(projects.ensure_default, now=NOW)
    body = VectorStoreCreate()
    ids = []
    for count in (A_FILE, n):
        store = await database.run(
            vector_stores.create, projects.DEFAULT_PROJECT, body, embedder=embedder, now=int(time.time())
        )
        ids.append(store.id)
        drawn = random.Random(3)
        number = 0
        for block in made_vectors(count):
            for first in range(0, len(block), 500):
                rows = block[first : first + 500].astype(np.float16)
                number = await database.run(_add, store.id, drawn, pool, rows, number)
    await database.aclose()
    return ids[1], ids[0]


def _add(connection: Transaction, store: str, drawn: random.Random, pool: list[str], rows: Any, number: int) -> int:
    """Files of these vectors, as ingesting leaves them; the number of the store's last change."""
    for start in range(0, len(rows), A_FILE):
        number += 1
        file = _file(connection, store, number)
        values = []
        for ordinal, vector in enumerate(rows[start : start + A_FILE]):
            text = "".join(drawn.choices(pool, k=SENTENCES))
            chunk = Chunk(text, 10_000 * ordinal, 10_000 * ordinal + len(text), 200)
            values.append(_row(file, ordinal, chunk, vector.tobytes()))
        connection.execute(insert(schema.chunks), values)
        change = {"vector_store_id": store, "number": number, "store_file": file, "kind": "added"}
        connection.execute(insert(schema.vector_store_changes), change)
    stores = schema.vector_stores
    connection.execute(stores.update().where(stores.c.id == store).values(changes=number))
    return number


def _file(connection: Transaction, store: str, number: int) -> int:
    file = File(id=new_id("file"), bytes=1, created_at=NOW, filename=f"{number}.txt", purpose="assistants")
    collections.insert(connection, schema.files, projects.DEFAULT_PROJECT, file, {"purpose": file.purpose})
    attributes = {"number": number, "part": number % 100}
    stay = VectorStoreFile(
        id=file.id, created_at=NOW, vector_store_id=store, status="completed", attributes=attributes,
        chunking_strategy=AUTO,
    )  # fmt: skip
    key = f"{store}/{file.id}"
    columns = {"vector_store_id": store, "file_id": file.id, "status": "completed", "usage_bytes": 1}
    row = {"id": key, "project_id": projects.DEFAULT_PROJECT, "body": stay.model_dump_json(), **columns}
    connection.execute(insert(schema.vector_store_files), row)
    seq = connection.execute(
        select(schema.vector_store_files.c.seq).where(schema.vector_store_files.c.id == key)
    ).scalar_one()
    return int(seq)


def _row(file: int, ordinal: int, chunk: Chunk, vector: bytes) -> dict[str, Any]:
    places = {"start": chunk.start, "end": chunk.end, "page": None, "section": "", "tokens": chunk.tokens}
    digest = f"{file}/{ordinal}".encode().ljust(32)
    return {"store_file": file, "ordinal": ordinal, "text": chunk.text, "digest": digest, "vector": vector, **places}


async def ask(server: Process, stores: tuple[str, str], asked: list[str]) -> list[float]:
    """The first search, which follows the store; then each question once, and the others with a filter."""
    large, small = stores
    connection = await Connection.open(server.port)
    await _search(connection, small, "warm")  # loads the embedder and what searches
    empty = resident_megabytes(server.pid)
    first = await _search(connection, large, "warm again")
    await asyncio.sleep(20 if first > 1000 else 1)  # what indexes build in the background
    cpu = cpu_seconds(server.pid)
    took = [await _search(connection, large, question) for question in asked[:QUESTIONS]]
    cpu = (cpu_seconds(server.pid) - cpu) / QUESTIONS
    kept = {"type": "eq", "key": "part", "value": 7}
    filtered = [await _search(connection, large, question, kept) for question in asked[QUESTIONS:]]
    resident = resident_megabytes(server.pid)
    return [first, median(took), quantiles(took, n=20)[-1], 1000 * cpu, median(filtered), resident, resident - empty]


async def _search(connection: Connection, store: str, query: str, filters: dict[str, Any] | None = None) -> float:
    """Milliseconds of one search of ten results."""
    body: dict[str, Any] = {"query": query, "max_num_results": 10} | ({"filters": filters} if filters else {})
    answer = await connection.send("POST", f"/v1/vector_stores/{store}/search", body)
    assert answer.json["data"], "nothing was found"
    return 1000 * (answer.ended - answer.began)


if __name__ == "__main__":
    typer.run(main)
