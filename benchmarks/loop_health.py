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
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.table import Table
from tests.harness.postgres import Postgres

from benchmarks.large_requests import REQUESTS, Prepared, Server, prepare
from benchmarks.processes import free_port, started

MODELS = """\
default_embedder = "static"
[models.none]
backend = "scripted"
script = "script.json"
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
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        url = f"sqlite:///{folder}/zhuli.db"
        if postgres:
            database = Postgres(pgvector=True)
            stack.callback(database.stop)
            url = database.new_database()
        (folder / "models.toml").write_text(MODELS)
        (folder / "script.json").write_text('{"default": [{"text": "-"}]}')
        prepared = prepare(url, folder)
        (folder / "config.toml").write_text(f'database_url = "{url}"\nmodels_file = "{folder}/models.toml"\n')
        port = free_port()
        command = ["serve", "--port", str(port), "--data-dir", str(folder), "--config", str(folder / "config.toml")]
        stack.enter_context(started("zhuli.cli", *command, port=port, ready="/readyz", log=folder / "log"))
        probe = stack.enter_context(probing(port, folder / "health"))
        client = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=600))
        console = Console(width=130)
        for row in rows(Server(client), prepared, probe, only or ()):
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
