"""One process beside two Ray workers, and trials in turn beside two at once: how fast, and whether the result is the same.

    python -m benchmarks.learning.tuning.workers --data ../shared/data

MiniLM on a part of uci_sentiment, without dropout and with SGD, so that the weights can be compared: AdamW makes steps of
rounding errors where a gradient is zero, as those of key biases are. The rate is a tenth of what auto takes: near the rate
at which a loss diverges, rounding is amplified until weights can't be compared. Every process has one thread; a single
process with all cores is the third figure, for that is what one machine would do without Ray. Times of training are those
of the steps alone, times of search are of everything.
"""

import random
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from safetensors.numpy import load_file

from benchmarks.learning.tuning import datasets
from zhuli.learning.training import new_folder
from zhuli.learning.training.tune import tune

TRAINING: dict[str, Any] = {
    "trainable": "all",
    "optimizer": "sgd",
    "learning_rate": 0.001,
    "dropout": 0.0,
    "n_epochs": 1,
    "early_stopping": "none",
}
SEARCH: dict[str, Any] = {"trials": 4, "space": {"learning_rate": [0.002, 0.005, 0.01], "batch_size": [16, 32]}}
TOLERANCE = 1e-5


def main(
    data: Annotated[Path, typer.Option(help="Where the data sets are, a folder each.", exists=True)],
    examples: Annotated[int, typer.Option(help="For training.")] = 640,
    data_dir: Annotated[Path, typer.Option(help="Where bases are made ready.")] = Path("data"),
    search: Annotated[bool, typer.Option(help="Also compare searches.")] = True,
) -> None:
    console = Console()
    parts = datasets.parts("uci_sentiment", data)
    most = {"train": examples, "validation": 100, "test": 100}
    rows = {part: random.Random(0).sample(parts[part], min(number, len(parts[part]))) for part, number in most.items()}
    with TemporaryDirectory(prefix="zhuli-workers-") as place:
        common = {"task": "text_classification", "base": {"name": "minilm"}, "data_dir": str(data_dir.resolve())}
        ways = {
            "one process, one thread": {"threads": 1},
            "one process, every core": {"threads": 0},
            "two Ray workers, a thread each": {"threads": 1, "workers": {"number": 2}},
        }
        done = {way: _run(Path(place, way), common | more, rows) for way, more in ways.items()}
        console.print(_table(done, Path(place)))
        if search:
            for way, parallel in (("trials in turn", 1), ("two trials at once on Ray", 2)):
                spec = common | {"threads": 1, "search": SEARCH | {"parallel": parallel}}
                console.print(f"{way}: {_run(Path(place, way), spec, rows)['whole']:.0f} s")


def _run(folder: Path, spec: dict[str, Any], rows: Any) -> dict[str, Any]:
    new_folder.write(folder, spec | {"hyperparameters": TRAINING}, rows)
    started = time.monotonic()
    outcome = tune(folder)
    if outcome.status != "succeeded":
        raise SystemExit(f"{folder.name}: {outcome.error}")
    return {**outcome.report["training"], **outcome.report["after"], "whole": time.monotonic() - started}


def _table(done: dict[str, dict[str, Any]], place: Path) -> Table:
    made = Table("way", "examples/s", "training s", "all s", "accuracy", "largest difference of a weight")
    first, *_ = done
    for way, found in done.items():
        made.add_row(
            way,
            f"{found['examples_per_second']:.1f}",
            f"{found['seconds']:.1f}",
            f"{found['whole']:.1f}",
            f"{found['accuracy']:.4f}",
            f"{_difference(place / first, place / way):.1e} (at most {TOLERANCE:.0e})",
        )
    return made


def _difference(one: Path, other: Path) -> float:
    largest = 0.0
    for name in ("model.safetensors", "head.safetensors"):
        mine, theirs = load_file(one / "model" / name), load_file(other / "model" / name)
        largest = max([largest, *(float(abs(mine[key] - theirs[key]).max()) for key in mine)])
    return largest


if __name__ == "__main__":
    typer.run(main)
