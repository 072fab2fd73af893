"""Vector indexes from a thousand vectors to a million: time to take them in, search, recall, memory; run by hand.

    python -m benchmarks.knowledge.indexes                                       embedded, 1,000 to 1,000,000
    python -m benchmarks.knowledge.indexes --index pgvector --size 1000 --size 100000
    python -m benchmarks.knowledge.indexes --index pgvector --url postgresql://…  on a server that is running

The vectors are made, not of texts, so that there are enough of them: unit vectors of 384 numbers from 2,000 Gaussian clusters
of uneven size (Pareto) and width in a space of 48 dimensions of falling weight, turned into 384 and with a little noise in
all of them. That is what embeddings of texts look like to an index: close neighbours, crowded topics, low inner dimension.
Queries are drawn like the vectors. Chunks come ten a file, 10,000 chunks an apply(). Memory and searches are those of a
process that was started for them; what is found is held against comparing everything. CPU is this process's, a search, and
steadier than times on a machine that is shared.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import mean, median, quantiles
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import asyncpg
import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console
from rich.table import Table
from tests.harness.postgres import Postgres

from benchmarks.processes import resident_megabytes
from zhuli.ports import VectorIndex
from zhuli.registry import find
from zhuli.types.knowledge.vectors import IndexChange, IndexedChunk

Floats = npt.NDArray[np.float32]

SIZES = [1_000, 10_000, 100_000, 1_000_000]
DIMENSIONS = 384
CLUSTERS, LATENT = 2_000, 48
BLOCK = 10_000
A_FILE = 10
"""Chunks."""

QUERIES = 200
MOST = 10
STORE = "vs_benchmark"

COLUMNS = {
    "n": "vectors",
    "apply_seconds": "apply, s",
    "build_seconds": "then build, s",
    "disk_megabytes": "disk, MB",
    "first_ms": "first search, ms",
    "resident_megabytes": "more memory, MB",
    "p50": "p50, ms",
    "p95": "p95, ms",
    "cpu": "CPU, ms",
    "recall": "recall@10",
    "p50_of_1%": "1 %: p50",
    "recall_of_1%": "recall",
    "p50_of_50%": "50 %: p50",
    "recall_of_50%": "recall",
}


def main(
    index: Annotated[str, typer.Option(help="A plugin's name.")] = "embedded",
    size: Annotated[list[int] | None, typer.Option(help="Vectors; 1,000 to 1,000,000 when left out.")] = None,
    url: Annotated[str | None, typer.Option(help="The server, where the index has one; pgvector's is started.")] = None,
    step: Annotated[str | None, typer.Option(hidden=True)] = None,
    folder: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Measure a vector index on this machine."""
    sizes = size or SIZES
    if step and folder:
        steps = {"fill": fill, "ask": ask}
        print(json.dumps(asyncio.run(steps[step](_made(index, folder, url), sizes[0], folder, url))))
        return
    rows = []
    for n in sizes:
        with ExitStack() as stack:
            place = Path(stack.enter_context(TemporaryDirectory()))
            server = url or (_pgvector(stack) if index == "pgvector" else None)
            filled = _child(index, n, server, place, "fill")
            rows.append({"n": n, **filled, **_child(index, n, server, place, "ask")})
            print(json.dumps(rows[-1]), file=sys.stderr)
    Console(width=200).print(_table(index, rows))


async def fill(index: VectorIndex, n: int, folder: Path, url: str | None) -> dict[str, float]:
    """Take all in, and wait for what is built in the background."""
    applying = 0.0
    for number, block in enumerate(blocks(n)):
        changes = _changes(block, first=number * BLOCK)
        began = time.perf_counter()
        await index.apply(STORE, changes, changes[-1].number)
        applying += time.perf_counter() - began
    began = time.perf_counter()
    await index.settled()  # type: ignore[attr-defined]
    building = time.perf_counter() - began
    await index.aclose()
    return {"apply_seconds": applying, "build_seconds": building, "disk_megabytes": await _disk(folder, url)}


async def ask(index: VectorIndex, n: int, folder: Path, url: str | None) -> dict[str, float]:
    """Search without a filter, with one that leaves a hundredth, with one that leaves a half."""
    queries = next(blocks(QUERIES, seed=2))
    kept: dict[str, Collection[int] | None] = {"": None, "_of_1%": _files(n, 0.01), "_of_50%": _files(n, 0.5)}
    true = _nearest(n, queries, kept)
    before = _megabytes()
    began = time.perf_counter()
    await index.search(STORE, queries[0].tobytes(), most=MOST, files=None)
    figures = {"first_ms": 1000 * (time.perf_counter() - began)}
    for name, files in kept.items():
        figures |= await _searched(index, queries, true[name], files, name)
    figures["resident_megabytes"] = _megabytes() - before
    await index.aclose()
    return figures


async def _searched(
    index: VectorIndex, queries: Floats, true: Sequence[set[int]], files: Collection[int] | None, name: str
) -> dict[str, float]:
    took, recalls, cpu = [], [], time.process_time()
    for query, nearest in zip(queries, true, strict=True):
        began = time.perf_counter()
        hits = await index.search(STORE, query.tobytes(), most=MOST, files=files)
        took.append(1000 * (time.perf_counter() - began))
        recalls.append(len({hit.chunk for hit in hits} & nearest) / len(nearest))
    return {
        f"p50{name}": median(took),
        f"p95{name}": quantiles(took, n=20)[-1],
        f"cpu{name}": 1000 * (time.process_time() - cpu) / len(queries),
        f"recall{name}": mean(recalls),
    }


def blocks(n: int, *, seed: int = 1) -> Iterator[Floats]:
    """The same vectors for the same seed, rounded as the database rounds them."""
    shape, chance = np.random.default_rng(7), np.random.default_rng(seed)
    turned = np.linalg.qr(shape.standard_normal((DIMENSIONS, LATENT)))[0].T
    basis = turned * np.arange(1, LATENT + 1)[:, None] ** -0.35
    centres = shape.standard_normal((CLUSTERS, LATENT))
    widths = shape.uniform(0.3, 0.8, CLUSTERS)
    weights = shape.pareto(1.5, CLUSTERS) + 0.2
    for start in range(0, n, BLOCK):
        count = min(BLOCK, n - start)
        which = chance.choice(CLUSTERS, count, p=weights / weights.sum())
        inner = centres[which] + widths[which, None] * chance.standard_normal((count, LATENT))
        outer = inner @ basis + 0.02 * chance.standard_normal((count, DIMENSIONS))
        outer /= np.linalg.norm(outer, axis=1, keepdims=True)
        yield outer.astype(np.float16).astype(np.float32)


def _changes(block: Floats, *, first: int) -> list[IndexChange]:
    chunks = [IndexedChunk(first + row, "", "", vector.tobytes()) for row, vector in enumerate(block)]
    starts = range(0, len(chunks), A_FILE)
    return [IndexChange(1 + (first + s) // A_FILE, (first + s) // A_FILE, chunks[s : s + A_FILE]) for s in starts]


def _files(n: int, share: float) -> set[int]:
    files = n // A_FILE
    return set(np.random.default_rng(3).choice(files, max(1, int(files * share)), replace=False).tolist())


def _nearest(n: int, queries: Floats, kept: Mapping[str, Collection[int] | None]) -> dict[str, list[set[int]]]:
    """The chunks that comparing everything finds under each filter, for each query."""
    best = {name: (np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64)) for name in kept}
    for number, block in enumerate(blocks(n)):
        scores = queries @ block.T
        rows = np.arange(len(block)) + number * BLOCK
        for name, files in kept.items():
            allowed = np.ones(len(rows), bool) if files is None else np.isin(rows // A_FILE, list(files))
            best[name] = _better(*best[name], scores[:, allowed], rows[allowed])
    return {name: [set(row) for row in chunks.tolist()] for name, (_, chunks) in best.items()}


def _better(scores: Floats, chunks: Any, more_scores: Floats, more_chunks: Any) -> tuple[Floats, Any]:
    scores = np.concatenate([scores, more_scores], axis=1)
    chunks = np.concatenate([chunks, np.tile(more_chunks, (len(scores), 1))], axis=1)
    best = np.argpartition(-scores, min(MOST, scores.shape[1]) - 1, axis=1)[:, :MOST]
    return np.take_along_axis(scores, best, 1), np.take_along_axis(chunks, best, 1)


async def _disk(folder: Path, url: str | None) -> float:
    """Megabytes of the folder and of the database."""
    size = await asyncio.to_thread(lambda: sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()))
    if url and url.startswith("postgresql"):
        connection = await asyncpg.connect(url)
        size += await connection.fetchval("SELECT pg_database_size(current_database())")
        await connection.close()
    return size / 2**20


def _pgvector(stack: ExitStack) -> str:
    server = Postgres(pgvector=True)
    stack.callback(server.stop)
    return server.new_database()


def _made(index: str, folder: Path, url: str | None) -> VectorIndex:
    settings: dict[str, Any] = {"data_dir": str(folder), "database_url": url or "sqlite://"}
    made: VectorIndex = find("indexes", index)(settings | ({"url": url} if url else {}))
    return made


def _child(index: str, n: int, url: str | None, folder: Path, step: str) -> dict[str, float]:
    """A step in a process of its own, whose memory is nobody else's."""
    command = [sys.executable, "-m", "benchmarks.knowledge.indexes", "--index", index, "--size", str(n), "--step", step]
    command += ["--folder", str(folder), *(["--url", url] if url else [])]
    result = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    figures: dict[str, float] = json.loads(result.stdout)
    return figures


def _megabytes() -> float:
    return resident_megabytes(int(Path("/proc/self").resolve().name))


def _table(index: str, rows: Sequence[dict[str, float]]) -> Table:
    table = Table(title=index)
    for title in COLUMNS.values():
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(*(f"{row[name]:,.4g}" for name in COLUMNS))
    return table


if __name__ == "__main__":
    typer.run(main)
