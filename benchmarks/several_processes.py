"""Runs a second with `zhuli serve --processes`, one beside two: on PostgreSQL, rounds in turn.

    python -m benchmarks.several_processes --connections 32 --count 600

The model server and the client take processor time as well: on two cores, what is gained on the wall is less than what two cores
of the server's own would gain. So the processor time of the server, its children together, stands beside it, a run.
"""

import os
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
import uvloop
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks import postgres
from benchmarks.load import INSTANT, PACED, Load, Zhuli, closed_loop
from benchmarks.processes import Process, cpu_seconds, free_port, started
from benchmarks.run_all import CONFIG, MODELS


def main(
    processes: Annotated[list[int] | None, typer.Option(help="How many; again for each.")] = None,
    rounds: Annotated[int, typer.Option(help="Medians are taken over so many.")] = 3,
    connections: Annotated[int, typer.Option(help="Clients at once.")] = 32,
    count: Annotated[int, typer.Option(help="Runs in a round.")] = 600,
) -> None:
    """Print runs a second and milliseconds of processor time a run."""
    counts = processes or [1, 2]
    found: dict[int, list[tuple[float, float]]] = {number: [] for number in counts}
    with TemporaryDirectory(prefix="zhuli-benchmark-") as place, Progress(console=Console(stderr=True)) as progress:
        bar = progress.add_task("rounds", total=rounds * len(counts))
        folder = Path(place)
        port = free_port()
        arguments = ("--port", str(port))
        with (
            started("benchmarks.mock_model", *arguments, port=port, ready="/v1/models", log=folder / "mock.log"),
            postgres.started(folder / "postgres") as url,
        ):
            (folder / "zhuli.toml").write_text(CONFIG.format(folder=folder) + f'database_url = "{url}"\n')
            (folder / "models.toml").write_text(MODELS.format(instant=INSTANT, paced=PACED, port=port))
            for _ in range(rounds):
                for number in counts:
                    found[number].append(_round(folder, number, connections=connections, count=count))
                    progress.advance(bar)
    table = Table("processes", "runs/s", "processor ms a run")
    for number, measured in found.items():
        table.add_row(str(number), *(f"{median(column):.1f}" for column in zip(*measured, strict=True)))
    Console().print(table)


def _round(folder: Path, number: int, *, connections: int, count: int) -> tuple[float, float]:
    port = free_port()
    arguments = [
        "serve",
        "--port",
        str(port),
        "--data-dir",
        str(folder / "data"),
        "--config",
        str(folder / "zhuli.toml"),
    ]
    arguments += ["--processes", str(number)]
    with started("zhuli.cli", *arguments, port=port, ready="/readyz", log=folder / "server.log") as server:
        before = _cpu_seconds(server)
        load = uvloop.run(_load(port, server.pid, connections=connections, count=count))
        return load.per_second, 1000 * (_cpu_seconds(server) - before) / (count + connections)


async def _load(port: int, pid: int, *, connections: int, count: int) -> Load:
    zhuli = Zhuli(port, INSTANT)
    await zhuli.prepare()
    return await closed_loop(port, zhuli.ask, connections=connections, count=count, pid=pid, warm_up=connections)


def _cpu_seconds(server: Process) -> float:
    """Of the server and its children."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    return sum(cpu_seconds(pid) for pid in (server.pid, *map(int, children)))


if __name__ == "__main__":
    os.environ.setdefault("ZHULI_FIRST_MODEL", "packaged")
    program = typer.Typer(pretty_exceptions_enable=False)
    program.command()(main)
    program()
