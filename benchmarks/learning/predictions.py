"""/v1/predictions beside the bare model: latency of one client, and texts a second with 16, the same texts.

    python -m benchmarks.learning.predictions ../shared/data --rows 400 --requests 200

The model is all-MiniLM-L6-v2 with a head for banking77, tuned on a few rows here: how well it does is not the point. "bare"
is the tuned model in a loop in this process, on torch and with the backbone that the server uses; "in batches of 16" sorts
the texts by length first, which requests that come one by one can't be.
"""

import argparse
import asyncio
import csv
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import quantiles
from typing import Any

from benchmarks.connection import Connection
from benchmarks.processes import free_port, started
from zhuli.core.clock import SystemClock
from zhuli.core.hints import Hints
from zhuli.learning.jobs.importing import Importing
from zhuli.learning.neural.onnx import onnx_backbone
from zhuli.learning.training.api import tune
from zhuli.learning.training.tuned import open_tuned
from zhuli.models.catalog import Catalog
from zhuli.store import projects
from zhuli.store.opening import open_database

CONNECTIONS = 16
NAME = "banking77"


def main() -> None:
    asked = _arguments()
    with tempfile.TemporaryDirectory(prefix="zhuli-predictions-") as place:
        folder = _tuned(asked.data / "banking77" / "train.csv", Path(place), rows=asked.rows)
        with (asked.data / "banking77" / "test.csv").open(encoding="utf-8") as file:
            texts = [row["text"] for row in csv.DictReader(file)][: asked.requests]
        _say_bare(folder, texts)
        port = free_port()
        options = ("serve", "--port", str(port), "--data-dir", f"{place}/data")
        with started("zhuli.cli", *options, port=port, ready="/readyz", log=Path(place) / "server.log"):
            asyncio.run(_import(folder, Path(place) / "data"))
            asyncio.run(_say_served(port, texts))


def _arguments() -> Any:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="where the folder banking77 is")
    parser.add_argument("--rows", type=int, default=400, help="to tune on")
    parser.add_argument(
        "--requests", type=int, default=200, help="texts that are asked, once each in every measurement"
    )
    return parser.parse_args()


def _tuned(train: Path, place: Path, *, rows: int) -> Path:
    """A model tuned head only on rows from all over the file, which is sorted by class."""
    with train.open(encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    chosen = [{"text": row["text"], "label": row["category"]} for row in found[:: max(1, len(found) // rows)]]
    finished = tune(
        task="text_classification",
        base="minilm",
        train=chosen,
        folder=place / "tuning",
        trainable="head",
        data_dir=place / "bases",
    )
    return finished.model


def _say_bare(folder: Path, texts: Sequence[str]) -> None:
    tuned = open_tuned(folder)
    _say_loop("bare, torch", lambda text: tuned.predict([text]), texts)
    _say_batches("bare, torch, in batches of 16", tuned.predict, texts)
    if onnx_backbone.put_in(tuned.model, folder):
        _say_loop("bare, ONNX Runtime", lambda text: tuned.predict([text]), texts)
        _say_batches("bare, ONNX Runtime, in batches of 16", tuned.predict, texts)


def _say_loop(what: str, predict: Callable[[str], Any], texts: Sequence[str]) -> None:
    times = []
    for text in [texts[0], *texts]:
        start = time.perf_counter()
        predict(text)
        times.append(time.perf_counter() - start)
    _say(what, times[1:], sum(times[1:]))


def _say_batches(what: str, predict: Callable[[Sequence[str]], Any], texts: Sequence[str]) -> None:
    start = time.perf_counter()
    predict(texts)
    print(f"{what:42} {'':30} {len(texts) / (time.perf_counter() - start):8.1f} texts/s")


async def _import(folder: Path, data_dir: Path) -> None:
    """As `zhuli models import` does it."""
    database = open_database(f"sqlite:///{data_dir}/zhuli.db", Hints())
    catalog = Catalog.load(None, data_dir)
    importing = Importing(database, catalog, SystemClock(), data_dir=data_dir, models_file=None)
    try:
        await importing.add(projects.DEFAULT_PROJECT, folder, name=NAME)
    finally:
        await database.aclose()


async def _say_served(port: int, texts: Sequence[str]) -> None:
    connection = await Connection.open(port)
    start = time.perf_counter()
    await _ask(connection, texts[0])
    print(f"{'first answer, with the start of the child':42} {1000 * (time.perf_counter() - start):10.0f} ms")
    start = time.perf_counter()
    times = [await _ask(connection, text) for text in texts]
    _say("/v1/predictions, one connection", times, time.perf_counter() - start)
    start = time.perf_counter()
    await connection.send("POST", "/v1/predictions", {"model": NAME, "input": list(texts), "top_k": 1})
    print(
        f"{'/v1/predictions, all in one request':42} {'':30} {len(texts) / (time.perf_counter() - start):8.1f} texts/s"
    )
    connections = [await Connection.open(port) for _ in range(CONNECTIONS)]
    waiting = list(texts)

    async def client(own: Connection) -> list[float]:
        return [await _ask(own, waiting.pop()) for _ in range(len(texts)) if waiting]

    start = time.perf_counter()
    parts = await asyncio.gather(*map(client, connections))
    times = [taken for part in parts for taken in part]
    _say(f"/v1/predictions, {CONNECTIONS} connections", times, time.perf_counter() - start)


async def _ask(connection: Connection, text: str) -> float:
    start = time.perf_counter()
    answer = await connection.send("POST", "/v1/predictions", {"model": NAME, "input": text, "top_k": 1})
    assert len(answer.json["data"][0]["output"]) == 1
    return time.perf_counter() - start


def _say(what: str, times: Sequence[float], seconds: float) -> None:
    cuts = quantiles(times, n=100)
    print(
        f"{what:42} p50 {1000 * cuts[49]:7.1f} ms  p99 {1000 * cuts[98]:7.1f} ms {len(times) / seconds:8.1f} texts/s",
        flush=True,
    )


if __name__ == "__main__":
    main()
