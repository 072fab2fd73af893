"""What feedback and large data sets cost: feedback a second on one core; a million examples versioned, split and compared.

    python -m benchmarks.learning.datasets feedback [--pieces 20000]
    python -m benchmarks.learning.datasets versions [--examples 1000000]

Everything is as in a server: a SQLite database in a new folder, the handler of the queue's jobs, and its child. Feedback is
measured in one process, parsed, checked and committed as the route does it, without HTTP.
"""

import argparse
import asyncio
import json
import random
import resource
import tempfile
import time
from pathlib import Path

from pydantic import TypeAdapter

from zhuli.core.clock import SystemClock
from zhuli.core.hints import Hints
from zhuli.core.ids import new_id
from zhuli.knowledge.files.file_service import FileService
from zhuli.learning.datasets.commands import DataSetCommands
from zhuli.learning.datasets.examples import example_id
from zhuli.learning.datasets.handler import DataSetHandler
from zhuli.learning.feedback.giving import FeedbackCommands
from zhuli.plugins.blobs.file import Plugin as Blobs
from zhuli.store import jobs, migrate, projects
from zhuli.store.database import Database
from zhuli.store.jobs import Job
from zhuli.store.learning import datasets
from zhuli.store.learning.datasets import NewEntry
from zhuli.store.opening import open_database
from zhuli.types.learning.dataset import DataSetCreate, VersionCreate
from zhuli.types.learning.feedback import FeedbackBatch

PROJECT = projects.DEFAULT_PROJECT
LABELS = 100
WORDS = 20_000


async def opened(folder: Path) -> Database:
    database = open_database(f"sqlite:///{folder / 'zhuli.db'}", Hints())
    await database.run(migrate.upgrade)
    await database.run(projects.ensure_default, now=time.time())
    return database


async def feedback(folder: Path, pieces: int) -> None:
    """Batches of a hundred, each JSON text to committed rows to JSON text."""
    commands = FeedbackCommands(await opened(folder), SystemClock())
    reads = TypeAdapter(FeedbackBatch)
    batches = [json.dumps({"data": [_piece(at + one) for one in range(100)]}) for at in range(0, pieces, 100)]
    for size, texts in ((100, batches), (1, [json.dumps({"data": [_piece(pieces + one)]}) for one in range(2_000)])):
        began, busy = time.perf_counter(), time.process_time()
        for text in texts:
            for given in await commands.give_all(PROJECT, reads.validate_json(text).data):
                given.model_dump_json()
        seconds, cpu = time.perf_counter() - began, time.process_time() - busy
        number = size * len(texts)
        print(f"batches of {size}: {number / seconds:,.0f} a second, {number / cpu:,.0f} a second of processor time")


def _piece(number: int) -> dict[str, object]:
    context = {"model": "m", "task": "text_classification", "input": f"Where is my card number {number}?"}
    target = {"type": "prediction", "id": f"pred_{number}"}
    return {
        "target": target,
        "verdict": "down",
        "correction": {"label": "card_arrival"},
        "comment": "It said something else",
        "user": f"u{number % 1000}",
        "key": f"k{number}",
        "context": {**context, "output": [{"label": "x", "score": 0.7}]},
    }


async def versions(folder: Path, examples: int) -> None:
    """A data set of so many examples, a tenth of it with threads and users, one in fifty nearly like another."""
    database, clock = await opened(folder), SystemClock()
    blobs = Blobs(f"file://{folder / 'files'}")
    files = FileService(database, blobs, clock)
    commands = DataSetCommands(database, blobs, clock, folder)
    handler = DataSetHandler(database, files, clock, folder, labelling=None)  # type: ignore[arg-type]
    dataset = await commands.create(PROJECT, DataSetCreate(name="large", task="text_classification"))
    began = time.perf_counter()
    await _fill(database, dataset.id, examples)
    print(f"{examples:,} entries added to the log in {time.perf_counter() - began:.1f} s")
    made = []
    for more in (0, examples // 100):
        await _fill(database, dataset.id, more, seed=1)
        began, cpu = time.perf_counter(), _cpu()
        task = await commands.begin(PROJECT, dataset.id, "version", VersionCreate())
        job = (await database.run(jobs.claim, "w", slots={datasets.WORK: 1}, now=time.time(), lease=600.0))[0]
        assert isinstance(job, Job)
        await handler.handle(job)
        version = await database.run(datasets.latest_version, dataset.id)
        assert version is not None, task
        made.append(version)
        print(
            f"a version of {version.examples:,}, split and without duplicates: {time.perf_counter() - began:.1f} s; "
            f"processor: {_cpu() - cpu:.1f} s"
        )
    began, cpu = time.perf_counter(), _cpu()
    diff = await commands.diff(PROJECT, dataset.id, made[1].id, against=made[0].id)
    took = f"{time.perf_counter() - began:.1f} s; processor: {_cpu() - cpu:.1f} s"
    print(f"the difference to the one before ({diff.counts}): {took}")
    for who, name in ((resource.RUSAGE_SELF, "server"), (resource.RUSAGE_CHILDREN, "child")):
        print(f"most memory of the {name}: {resource.getrusage(who).ru_maxrss / 1024:,.0f} MB")
    print({name: value for name, value in made[0].report.items() if isinstance(value, int)})
    await database.aclose()


def _cpu() -> float:
    """Seconds of processor time of this process and its children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


async def _fill(database: Database, dataset_id: str, number: int, *, seed: int = 0) -> None:
    order = random.Random(seed)
    words = [new_id("w")[2:10] for _ in range(WORDS)] if seed else [f"word{index}" for index in range(WORDS)]
    text = ""
    for at in range(0, number, 1_000):
        batch = []
        for index in range(at, min(at + 1_000, number)):
            text = f"{text}?" if index % 50 == 49 else " ".join(order.choices(words, k=10))
            label = f"label{index % LABELS}" if index % 50 != 49 else f"label{(index - 1) % LABELS}"
            record = {"text": text, "label": label}
            user = f"u{index // 20}" if index % 10 == 0 else None
            provenance = {
                "kind": "file",
                "id": f"file-{seed}",
                "thread_id": f"t{index // 5}" if user else None,
                "user": user,
            }
            body = json.dumps({"record": record, "provenance": provenance})
            batch.append(NewEntry("add", example_id(record), body, None, user))
        await database.run(datasets.append, dataset_id, batch)


def main() -> None:
    """Measure one of them in a new folder."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["feedback", "versions"])
    parser.add_argument("--pieces", type=int, default=20_000)
    parser.add_argument("--examples", type=int, default=1_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(
            feedback(Path(folder), given.pieces) if given.what == "feedback" else versions(Path(folder), given.examples)
        )


if __name__ == "__main__":
    main()
