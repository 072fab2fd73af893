"""Starts the mock model and a zhuli server, each on a core of its own where there are two, and runs every scenario.

Prints one table, writes one JSON. Everything stays on 127.0.0.1, every count has a bound, and what was started is
stopped. Other programs on the machine disturb times: figures are medians over rounds, each with a fresh server and
data directory.

    python -m benchmarks.run_all                       # SQLite, three rounds
    python -m benchmarks.run_all --postgres            # both
    python -m benchmarks.run_all --scale 0.1 --rounds 1 --only runs
"""

import os
import platform
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import orjson
import typer
import uvloop
from rich.console import Console
from rich.progress import Progress, TaskID

from benchmarks import postgres
from benchmarks.figures import Rounds, medians, table
from benchmarks.load import INSTANT, PACED
from benchmarks.processes import CLIENT_CORE, SERVER_CORE, Process, free_port, started, two_cores
from benchmarks.scenarios import SCENARIOS, Bench, Figures, Scenario

CONFIG = 'models_file = "{folder}/models.toml"\n'

MODELS = """\
default = "{instant}"
[models."{instant}"]
backend = "openai_compatible"
base_url = "http://127.0.0.1:{port}/v1"
[models."{paced}"]
backend = "openai_compatible"
base_url = "http://127.0.0.1:{port}/v1"
"""


def main(
    rounds: Annotated[int, typer.Option(help="Medians are taken over so many.")] = 3,
    scale: Annotated[float, typer.Option(help="Multiplies every count.")] = 1.0,
    only: Annotated[list[str] | None, typer.Option(help="Names of scenarios; all when left out.")] = None,
    postgres_too: Annotated[bool, typer.Option("--postgres", help="Measure on PostgreSQL as well.")] = False,
    output: Annotated[Path | None, typer.Option("--json", help="Where all rounds go, after each.")] = None,
) -> None:
    """Measure zhuli on this machine."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is stopped then, too
    pinned = two_cores()
    if pinned:
        os.sched_setaffinity(0, {CLIENT_CORE})
    chosen = [scenario for scenario in SCENARIOS if only is None or scenario.__name__ in only]
    results: dict[str, Rounds] = {database: [] for database in (["sqlite", "postgres"] if postgres_too else ["sqlite"])}
    console = Console()
    with Progress(console=console) as progress:
        bar = progress.add_task("", total=rounds * len(results) * len(chosen))
        for _ in range(rounds):
            for database, figures in results.items():
                with ExitStack() as stack:
                    bench = _bench(stack, database, scale=scale, pinned=pinned)
                    figures.append(_one_round(bench, chosen, database, progress, bar))
                if output:
                    output.write_bytes(orjson.dumps(_report(results, pinned=pinned), option=orjson.OPT_INDENT_2))
    console.print(table(results))


def _one_round(bench: Bench, chosen: list[Scenario], database: str, progress: Progress, bar: TaskID) -> Figures:
    figures: Figures = {}
    for scenario in chosen:
        progress.update(bar, description=f"{database}: {scenario.__name__}")
        figures |= uvloop.run(scenario(bench))
        progress.advance(bar)
    return figures


def _bench(stack: ExitStack, database: str, *, scale: float, pinned: bool) -> Bench:
    """A mock and a server with an empty database; the stack stops them and removes their files."""
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="zhuli-benchmark-")))
    model_port = free_port()
    model = stack.enter_context(
        started(
            "benchmarks.mock_model",
            "--port",
            str(model_port),
            port=model_port,
            ready="/v1/models",
            log=folder / "mock.log",
        )
    )
    config = CONFIG.format(folder=folder)
    if database == "postgres":
        config += f'database_url = "{stack.enter_context(postgres.started(folder / "postgres"))}"\n'
    (folder / "zhuli.toml").write_text(config)
    (folder / "models.toml").write_text(MODELS.format(instant=INSTANT, paced=PACED, port=model_port))
    core = SERVER_CORE if pinned else None
    return Bench(_started_server(stack, folder, core=core), model, scale, core)


def _started_server(stack: ExitStack, folder: Path, *, core: int | None) -> Process:
    port = free_port()
    arguments = ["serve", "--host", "127.0.0.1", "--port", str(port)]
    arguments += ["--data-dir", str(folder / "data"), "--config", str(folder / "zhuli.toml")]
    return stack.enter_context(
        started("zhuli.cli", *arguments, port=port, ready="/readyz", log=folder / "server.log", core=core)
    )


def _report(results: dict[str, Rounds], *, pinned: bool) -> dict[str, object]:
    return {
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "pinned": pinned,
            "python": platform.python_version(),
        },
        "medians": {database: medians(rounds) for database, rounds in results.items() if rounds},
        "rounds": results,
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    program = typer.Typer(pretty_exceptions_enable=False)
    program.command()(main)
    program()
