"""From a file to a vector store that finds it: one file of 14 KB, and many beside the embedder alone; run by hand.

    python -m benchmarks.knowledge.ingestion                              every packaged embedder
    python -m benchmarks.knowledge.ingestion --embedder e5-small --files 8

Texts are pages of our own documentation, 14,000 characters each, whose paragraphs are numbered so that no two chunks are the
same. `attach` is what a client of the official SDK waits for: upload, attach, poll until completed, one file at a time.
`batch` is many files in one store, from the batch's creation to its end; `alone` the same texts given to the embedder in
calls of as many, in a process that does nothing else. Both are also told in CPU, which is steadier on a shared machine.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from openai import OpenAI
from rich.console import Console
from rich.table import Table

from benchmarks.processes import Process, cpu_seconds, free_port, started
from zhuli.knowledge.retrieval.ingesting.embedding import BATCH
from zhuli.knowledge.retrieval.ingesting.embedding_units import EmbeddingUnit, units_of
from zhuli.models.catalog import Catalog, EmbedderEntry
from zhuli.types.assistants.tools import StaticChunking
from zhuli.types.knowledge.document import Block

PAGES = Path(__file__).parents[2] / "docs"
CHARACTERS = 14_000
AUTO = StaticChunking(max_chunk_size_tokens=800, chunk_overlap_tokens=400)

MODELS = """\
default_embedder = "{embedder}"
[models.none]
backend = "scripted"
script = "script.json"
[embedders.hashed]
plugin = "hashed"
[embedders.static]
plugin = "static"
"""
CONFIG = 'models_file = "{folder}/models.toml"\nlog_level = "warning"\nvector_index = "embedded"\n'

COLUMNS = [
    "embedder",
    "attach, ms",
    "of it upload, ms",
    "chunks a file",
    "batch, chunks/s",
    "alone, chunks/s",
    "batch ÷ alone",
    "CPU a chunk, ms",
    "alone, ms",
]


def main(
    embedder: Annotated[list[str] | None, typer.Option(help="Names in the catalog.")] = None,
    rounds: Annotated[int, typer.Option(help="Files that are attached one at a time.")] = 7,
    files: Annotated[int, typer.Option(help="Files of the batch.")] = 12,
) -> None:
    """Measure ingestion on this machine."""
    table = Table(*COLUMNS)
    for name in embedder or ["e5-small", "minilm", "static", "hashed"]:
        table.add_row(name, *measured(name, rounds, files))
    Console(width=140).print(table)


def measured(embedder: str, rounds: int, files: int) -> list[str]:
    """A row of the table without its name."""
    with TemporaryDirectory() as folder, serving(Path(folder), embedder) as server:
        client = OpenAI(base_url=f"http://127.0.0.1:{server.port}/v1", api_key="none")
        attached = [attach(client, text(number)) for number in range(rounds + 1)][1:]  # the first loads the model
        texts = [text(1000 + number) for number in range(files)]
        batch = ingest(client, server, texts)
        alone = asyncio.run(embed(entry_of(Path(folder), embedder), texts))
    return [
        f"{median(times.total for times in attached):.0f}",
        f"{median(times.upload for times in attached):.0f}",
        f"{batch.chunks / files:.0f}",
        f"{batch.chunks / batch.seconds:.1f}",
        f"{alone.chunks / alone.seconds:.1f}",
        f"{alone.seconds / batch.seconds:.2f}",
        f"{1000 * batch.cpu / batch.chunks:.0f}",
        f"{1000 * alone.cpu / alone.chunks:.0f}",
    ]


@contextmanager
def serving(folder: Path, embedder: str) -> Iterator[Process]:
    """A server with this embedder as its default."""
    (folder / "models.toml").write_text(MODELS.format(embedder=embedder))
    (folder / "script.json").write_text('{"default": [{"text": "-"}]}')
    (folder / "config.toml").write_text(CONFIG.format(folder=folder))
    port = free_port()
    options = ["--host", "127.0.0.1", "--port", str(port), "--data-dir", str(folder)]
    command = ["serve", *options, "--config", str(folder / "config.toml")]
    with started("zhuli.cli", *command, port=port, ready="/readyz", log=folder / "log") as process:
        yield process


@dataclass(frozen=True)
class Attached:
    """Milliseconds."""

    upload: float
    total: float


def attach(client: OpenAI, content: str) -> Attached:
    """What a client waits for until a new store has the file."""
    store = client.vector_stores.create()
    began = time.perf_counter()
    file = client.files.create(file=("page.txt", content.encode()), purpose="assistants")
    uploaded = time.perf_counter()
    done = client.vector_stores.files.create_and_poll(file.id, vector_store_id=store.id)
    assert done.status == "completed", done.last_error
    return Attached(1000 * (uploaded - began), 1000 * (time.perf_counter() - began))


@dataclass(frozen=True)
class Work:
    """How long so many chunks took, and how much CPU."""

    chunks: int
    seconds: float
    cpu: float


def ingest(client: OpenAI, server: Process, texts: list[str]) -> Work:
    """Files that are uploaded already, from the creation of their batch to its end."""
    store = client.vector_stores.create()
    ids = [client.files.create(file=("page.txt", each.encode()), purpose="assistants").id for each in texts]
    cpu, began = cpu_seconds(server.pid), time.perf_counter()
    batch = client.vector_stores.file_batches.create_and_poll(store.id, file_ids=ids, poll_interval_ms=20)
    seconds = time.perf_counter() - began
    assert batch.file_counts.completed == len(texts), batch
    return Work(sum(len(units(each)) for each in texts), seconds, cpu_seconds(server.pid) - cpu)


async def embed(entry: EmbedderEntry, texts: list[str]) -> Work:
    """What is embedded of the same chunks, each part once, through the embedder with nothing around it."""
    chunks = [unit for each in texts for unit in units(each, entry)]
    parts = list({part.digest: part.text for unit in chunks for part in unit.parts}.values())
    await entry.embedder.embed(parts[:1], "passage")
    cpu, began = time.process_time(), time.perf_counter()
    for start in range(0, len(parts), BATCH):
        await entry.embedder.embed(parts[start : start + BATCH], "passage")
    work = Work(len(chunks), time.perf_counter() - began, time.process_time() - cpu)
    await entry.embedder.aclose()
    return work


def entry_of(folder: Path, embedder: str) -> EmbedderEntry:
    return Catalog.load(folder / "models.toml", folder).embedders[embedder]


def units(content: str, entry: EmbedderEntry | None = None) -> list[EmbeddingUnit]:
    """The chunks of a text as the server makes them."""
    return units_of([Block(content)], AUTO, entry or HASHED)


HASHED = EmbedderEntry("hashed", "hashed", {}, 0)


def text(number: int) -> str:
    """A page that is like no other."""
    pages = "\n\n".join(page.read_text() for page in sorted(PAGES.glob("*.md")))
    begin = number * 997 % max(1, len(pages) - CHARACTERS)
    paragraphs = pages[begin:].split("\n\n")
    return "\n\n".join(f"({number}) {paragraph}" for paragraph in paragraphs)[:CHARACTERS]


if __name__ == "__main__":
    typer.run(main)
