"""Measure understanding, a row at a time: `make bench-understanding ARGS="--data ../shared/data --only banking77"`.

Rows that are in results.json already are skipped, unless --again. The tables of docs/understanding-results.md are written after
each row. --quick asks few messages of everything, to see that all works, and keeps nothing. Vectors of texts are kept in the
work folder, so that a row that is run again costs seconds.
"""

import asyncio
import os
import platform
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.understanding import dialogue_rows, dialogue_sets, fold_rows, intent_sets, message_rows, results, speed
from benchmarks.understanding.bench import Bench, Missing
from benchmarks.understanding.rows import Row, chosen
from benchmarks.understanding.services import KeptVectors
from zhuli.models.catalog import Catalog

QUICK_SKIPS = ("llm",)
"""Understanders that take seconds for a message."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    data: Annotated[Path, typer.Option(help="Where the data sets are, a folder each.", exists=True)],
    only: Annotated[
        str, typer.Option(help="Rows, data sets or understanders, separated by commas; default: all.")
    ] = "",
    quick: Annotated[bool, typer.Option("--quick", help="Few messages of everything, nothing kept.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Also rows that are done.")] = False,
    work: Annotated[Path, typer.Option(help="Where vectors are kept.")] = Path("build/bench-understanding"),
    models: Annotated[Path, typer.Option(help="Where `make bench-tuning` left its models.")] = Path(
        "build/bench-tuning"
    ),
    data_dir: Annotated[Path, typer.Option(help="Where embedders and chat models are made ready.")] = Path("data"),
    beside: Annotated[str, typer.Option(help="What else the machine does, to be kept with the rows.")] = "",
) -> None:
    """Run the rows in turn and print what each came to."""
    rows = chosen(only)
    if not rows:
        raise typer.BadParameter(
            "No row has such a name; benchmarks/understanding/rows.py has them.", param_hint="--only"
        )
    done = {} if quick or again else results.read()
    console = Console(highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar, all_bar = progress.add_task("", total=100), progress.add_task("rows", total=len(rows))
        bench = Bench(
            data.resolve(),
            work,
            models.resolve(),
            data_dir,
            Catalog.load(None, data_dir),
            KeptVectors(work / "vectors.db"),
            quick,
            lambda share: progress.update(bar, completed=round(100 * share)),
        )
        waiting = _one_of_each(rows) if quick else [row for row in rows if row.name not in done]
        progress.advance(all_bar, len(rows) - len(waiting))

        async def run_all() -> None:
            try:
                for row in waiting:
                    progress.update(bar, description=row.name, completed=0)
                    await _run(bench, row, console, beside)
                    progress.advance(all_bar)
            finally:
                await bench.catalog.aclose()

        asyncio.run(run_all())


def _one_of_each(rows: Sequence[Row]) -> list[Row]:
    """Of rows that differ only in how much is learned from, the first."""
    found = {
        (row.kind, row.data, row.understander): row for row in reversed(rows) if row.understander not in QUICK_SKIPS
    }
    return [row for row in rows if row in found.values()]


async def _run(bench: Bench, row: Row, console: Console, beside: str) -> None:
    try:
        result = await measured(bench, row)
    except Missing as reason:
        console.print(f"{row.name}: left out, {reason}.", markup=False)
        return
    console.print(f"{row.name}: {results.line_of(result)}", markup=False, soft_wrap=True)
    if not bench.quick:
        results.keep(row.name, result | ({"beside": beside} if beside else {}))


async def measured(bench: Bench, row: Row) -> dict[str, Any]:
    """What the row comes to. seconds: of the processor, of this process and its children, with vectors from their file."""
    started = _processor_seconds()
    result = await _ways(bench, row)()
    machine = f"{os.cpu_count()} cores, {platform.machine()}, {time.strftime('%Y-%m-%d')}"
    return {**result, "seconds": round(_processor_seconds() - started, 1), "seeds": list(row.seeds), "machine": machine}


def _processor_seconds() -> float:
    return sum(os.times()[:4])


def _ways(bench: Bench, row: Row) -> Callable[[], Awaitable[dict[str, Any]]]:
    if row.kind == "dialogues":
        return partial(dialogue_rows.dialogues, bench, row, dialogue_sets.read(row.data, bench.data))
    if row.kind in ("labels", "asked"):
        return partial({"labels": fold_rows.labels, "asked": fold_rows.asked}[row.kind], bench, row)
    if row.data in dialogue_sets.READERS:
        known = dialogue_sets.read(row.data, bench.data).messages()
    else:
        known = intent_sets.read(row.data, bench.data)
    ways = {
        "messages": message_rows.messages,
        "outside": message_rows.outside,
        "noise": message_rows.noise,
        "speed": speed.speed,
    }
    return partial(ways[row.kind], bench, row, known)


if __name__ == "__main__":
    app()
