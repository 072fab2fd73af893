"""Whether one request stops the others: the largest that are taken, while another process asks /healthz every 10 ms.

    python -m benchmarks.loop_health                  all, on SQLite
    python -m benchmarks.loop_health --only yaml      those with "yaml" in their name
    python -m benchmarks.loop_health --postgres       on PostgreSQL (with pgvector, where it is installed)

A row a request: its answer and seconds, and the worst and 99th percentile of /healthz meanwhile, in milliseconds. The first row
is the machine with nothing to do. What a request needs (a thread of 100,000 messages, say) is written into the database before.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, sleep
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.large_requests import REQUESTS, Prepared, Server, prepare
from benchmarks.prepared import NO_MODEL, served

MODELS = f"""\
default_embedder = "static"
{NO_MODEL}
[embedders.static]
plugin = "static"
[embedders.e5-small]
plugin = "e5_small"
"""
REST = 1.0
"""Seconds of peace before and after a request: what goes on behind its answer counts for it."""


def main(
    only: Annotated[list[str] | None, typer.Option(help="A part of the names of the requests to make.")] = None,
    postgres: Annotated[bool, typer.Option(help="PostgreSQL instead of SQLite.")] = False,
) -> None:
    """Measure on this machine."""
    table = Table("request", "answer", "seconds", "/healthz worst, ms", "p99, ms")
    console = Console(width=130)
    with served(prepare, models=MODELS, postgres=postgres) as place:
        port = place.process.port
        with (
            probing(port, place.folder / "health") as probe,
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=600) as client,
        ):
            for row in rows(Server(client), place.filled, probe, only or ()):
                table.add_row(*row)
                console.print(" | ".join(row))
    console.print(table)


@contextmanager
def probing(port: int, answers: Path) -> Iterator[Path]:
    """The probe's lines in a file."""
    with answers.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-m", "benchmarks.health_probe", str(port)], stdout=output)
        try:
            yield answers
        finally:
            process.terminate()
            process.wait()


def rows(server: Server, prepared: Prepared, probe: Path, only: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Each request in its order; what it needs first is not measured."""
    for name, request in {"nothing": lambda *_: _nothing, **REQUESTS}.items():
        if only and name != "nothing" and not any(part in name for part in only):
            continue
        call = request(server, prepared)
        sleep(REST)
        began = perf_counter()
        said = call()
        ended = perf_counter()
        sleep(REST)
        while not any(asked > ended + REST / 2 for asked, _ in _answers(probe)):
            sleep(REST)  # it still waits for its answer
        answered = sorted(took for asked, took in _answers(probe) if asked + took >= began and asked <= ended + REST)
        worst, most = answered[-1], answered[min(len(answered) - 1, int(len(answered) * 0.99))]
        yield name, said, f"{ended - began:.2f}", f"{1000 * worst:.0f}", f"{1000 * most:.0f}"


def _nothing() -> str:
    sleep(3)
    return "-"


def _answers(probe: Path) -> Iterator[tuple[float, float]]:
    for line in probe.read_text().splitlines(keepends=True):
        if line.endswith("\n"):
            asked, took = line.split()
            yield float(asked), float(took)


if __name__ == "__main__":
    typer.run(main)
