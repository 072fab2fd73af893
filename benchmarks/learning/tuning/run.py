"""Tune on real data and measure, a row at a time: `make bench-tuning ARGS="--data ../shared/data --only banking77"`.

Rows that are in results.json already are skipped, unless --again; a row that was interrupted goes on from its checkpoint. The
table of docs/fine-tuning-results.md is written after each row. --quick takes a tenth of the data, to see that all works,
and keeps nothing.
"""

import os
import platform
import random
import shutil
import time
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console

from benchmarks.learning.tuning import datasets, results
from benchmarks.learning.tuning.drawing import Parts
from benchmarks.learning.tuning.rows import Row, chosen
from zhuli.learning.training import new_folder
from zhuli.learning.training.event_log import events
from zhuli.learning.training.reporting.progress import ProgressBar
from zhuli.learning.training.tune import Outcome, tune
from zhuli.types.learning.tuning import SPEC, TuningEvent

QUICK = 10
"""--quick takes one of so many examples, and a single epoch."""

SEED = 0

Records = list[dict[str, Any]]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    data: Annotated[Path, typer.Option(help="Where the data sets are, a folder each.", exists=True)],
    only: Annotated[str, typer.Option(help="Rows or data sets, separated by commas; default: all.")] = "",
    quick: Annotated[bool, typer.Option("--quick", help="A tenth of the data, one epoch, nothing kept.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Also rows that are done.")] = False,
    work: Annotated[Path, typer.Option(help="Where the tunings' folders are.")] = Path("build/bench-tuning"),
    data_dir: Annotated[Path, typer.Option(help="Where bases are made ready.")] = Path("data"),
    threads: Annotated[int, typer.Option(help="Of the processor; 0: one for each core.")] = 0,
) -> None:
    """Run the rows in turn and print what each came to."""
    console = Console(highlight=False)
    rows = chosen(only)
    if not rows:
        raise typer.BadParameter(
            "No row has such a name; benchmarks/learning/tuning/rows.py has them.", param_hint="--only"
        )
    done = {} if quick or again else results.read()
    for number, row in enumerate(rows, 1):
        console.rule(f"{number}/{len(rows)} {row.name}: {row.method} of {row.base} on {row.data}")
        if row.name in done:
            console.print("Done before; --again to do it anew.")
            continue
        folder = work / (f"{row.name}-quick" if quick else row.name)
        begin(row, folder, data, quick=quick, again=again, data_dir=data_dir, threads=threads)
        with ProgressBar(Console(stderr=True)) as progress:
            outcome = tune(folder, listeners=[progress])
        if outcome.status != "succeeded":
            raise typer.Exit(1)
        result = result_of(row, folder, outcome)
        console.print_json(data=result)
        if not quick:
            results.keep(row.name, result)


def begin(row: Row, folder: Path, data: Path, *, quick: bool, again: bool, data_dir: Path, threads: int) -> None:
    """Make the row's folder, if there is none to go on with."""
    if again or quick:
        shutil.rmtree(folder, ignore_errors=True)
    if (folder / SPEC).exists():
        return
    parts = datasets.parts(row.data, data, seed=SEED)
    hyperparameters = {**row.hyperparameters, **({"n_epochs": 1} if quick else {})}
    limit = {"train": row.train, "test": row.test, "validation": row.test}
    cut = {part: _fewer(records, limit[part], quick=quick) for part, records in parts.items()}
    if row.per_class:
        cut["train"] = _of_each_class(parts["train"], row.per_class)
    cut = _of_known_labels(cut)
    spec = {
        "task": row.task,
        "base": new_folder.base_of(row.base),
        "hyperparameters": hyperparameters,
        "seed": SEED,
        "threads": threads,
        "data_dir": str(data_dir.resolve()),
    }
    new_folder.write(folder, spec, {part: cut[part] for part in ("train", "validation", "test") if cut.get(part)})


def result_of(row: Row, folder: Path, outcome: Outcome) -> dict[str, Any]:
    """What the row came to: all numbers of the report that are one number, and how it was run."""
    report = outcome.report
    metric = report["metric"]
    return {
        "metric": metric,
        "before": report["before"].get(metric),
        "after": report["after"].get(metric),
        "interval": _interval(report, "after"),
        "difference": _interval(report, "difference"),
        "perplexity": _perplexity(report),
        "train": report["data"]["counts"]["train"],
        "test": report["examples"],
        "seconds": round(_seconds(events(folder)), 1),
        "more": {name: value for name, value in report["after"].items() if isinstance(value, int | float)},
        "hyperparameters": {**row.hyperparameters, "seed": SEED},
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {time.strftime('%Y-%m-%d')}",
    }


def _perplexity(report: dict[str, Any]) -> list[float] | None:
    """Before and after, of what generates."""
    found = [report[when].get("perplexity") for when in ("before", "after")]
    return None if None in found else [float(number) for number in found]


def _interval(report: dict[str, Any], which: Literal["after", "difference"]) -> list[float] | None:
    """Of the task's metric."""
    found = report.get("intervals", {}).get(report["metric"], {}).get(which)
    return None if found is None else [float(end) for end in found]


def _seconds(told: list[TuningEvent]) -> float:
    """From the first event to the last, without the time between attempts: each begins with what the data is."""
    return sum(later.at - earlier.at for earlier, later in pairwise(told) if "data" not in later.data)


def _fewer(records: Records, most: int, *, quick: bool) -> Records:
    wanted = min(most or len(records), len(records))
    wanted = max(wanted // QUICK, min(wanted, 50)) if quick else wanted
    if wanted == len(records):
        return records
    return random.Random(SEED).sample(records, wanted)


def _of_known_labels(parts: Parts) -> Parts:
    """Where training data was left out, a rare class may be gone with it: then it is not asked for either."""
    known = {record["label"] for record in parts["train"] if isinstance(record.get("label"), str)}
    return {
        part: [record for record in records if not isinstance(record.get("label"), str) or record["label"] in known]
        for part, records in parts.items()
    }


def _of_each_class(records: Records, number: int) -> Records:
    """The same seeded choice for every method."""
    classes: dict[str, Records] = defaultdict(list)
    for record in records:
        classes[record["label"]].append(record)
    choice = random.Random(SEED)
    return [record for label in sorted(classes) for record in choice.sample(classes[label], number)]


if __name__ == "__main__":
    app()
