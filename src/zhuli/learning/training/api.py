"""Tune and check from Python, as the command line and the server do it: make a folder, run it, open the model.

    from zhuli.learning.training.api import tune

    finished = tune(task="text_classification", base="minilm", train="reviews.csv", learning_rate=5e-5)
    print(finished.report["before"], finished.report["after"])
    print(finished.predict(["What a lovely phone"]))

No server is needed, and none knows of the model: `zhuli models import` makes one serve it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

from zhuli.learning.training import new_folder
from zhuli.learning.training.control import Control
from zhuli.learning.training.data.report import DataReport
from zhuli.learning.training.new_folder import Rows
from zhuli.learning.training.plan import read_data
from zhuli.learning.training.tune import Outcome
from zhuli.learning.training.tune import tune as run_folder
from zhuli.learning.training.tuned import Tuned, open_tuned
from zhuli.types.learning.example import Prediction
from zhuli.types.learning.hyperparameters import Search, TaskName, Workers
from zhuli.types.learning.tuning import TuningEvent

Data = Path | str | Rows
"""A data file, a folder of parquet files, or rows: a list of dictionaries, a datasets.Dataset, anything like them."""


@dataclass(frozen=True)
class Finished:
    """A tuning that succeeded. folder: all of it; model: the tuned model's, in Hugging Face's form.

    report: what evaluation found, with "before" and "after" on the same examples.
    """

    folder: Path
    model: Path
    report: dict[str, Any]

    @cached_property
    def tuned(self) -> Tuned:
        """The model, opened when it is first asked."""
        return open_tuned(self.model)

    def predict(self, inputs: Sequence[Any], *, batch_size: int = 16) -> list[Prediction]:
        """Answers in the shapes of the Hugging Face pipelines, in the order of the inputs."""
        return self.tuned.predict(inputs, batch_size=batch_size)


def tune(
    *,
    task: TaskName,
    base: str | Path,
    train: Data,
    validation: Data | None = None,
    test: Data | None = None,
    folder: Path | str | None = None,
    format: str = "auto",
    columns: Mapping[str, str] | None = None,
    language: str | None = None,
    search: Search | None = None,
    workers: Workers | None = None,
    seed: int = 0,
    threads: int = 0,
    data_dir: Path | str = "data",
    models_file: Path | str | None = None,
    listeners: Sequence[Callable[[TuningEvent], None]] = (),
    control: Control | None = None,
    **hyperparameters: Any,
) -> Finished:
    """Tune `base`, a name like "minilm" or a Hugging Face folder, and wait for the model.

    Hyperparameters are those of types.hyperparameters, each "auto" unless given. folder: kept afterwards; a temporary one
    without it. threads: of the processor, 0 for one on each core. Raises ConfigurationError for what is wrong with the
    arguments, TuningFailed for what is wrong with the data or the training, and Paused or Cancelled as `control` asked.
    """
    place = Path(folder) if folder is not None else Path(mkdtemp(prefix="zhuli-tuning-"))
    spec = {
        "task": task,
        "base": new_folder.base_of(base),
        "sources": {"format": format, "columns": dict(columns or {})},
        "hyperparameters": hyperparameters,
        "search": search,
        "workers": workers,
        "language": language,
        "seed": seed,
        "threads": threads,
        "data_dir": str(data_dir),
        "models_file": None if models_file is None else str(models_file),
    }
    new_folder.write(place, spec, {"train": train, "validation": validation, "test": test})
    return resume(place, listeners=listeners, control=control)


def resume(
    folder: Path | str,
    *,
    listeners: Sequence[Callable[[TuningEvent], None]] = (),
    control: Control | None = None,
) -> Finished:
    """Run the tuning in this folder, or go on where it was left."""
    outcome = run_folder(Path(folder), control=control, listeners=listeners)
    if outcome.model is None:
        raise _why_none(outcome)
    return Finished(Path(folder), outcome.model, outcome.report)


def check(
    *,
    task: TaskName,
    train: Data,
    validation: Data | None = None,
    test: Data | None = None,
    base: str | Path = "",
    format: str = "auto",
    columns: Mapping[str, str] | None = None,
    language: str | None = None,
    seed: int = 0,
) -> DataReport:
    """Read the data as a tuning would, and say what is in it. Raises TuningFailed where a tuning would refuse it."""
    spec = {
        "task": task,
        "base": new_folder.base_of(base),
        "sources": {"format": format, "columns": dict(columns or {})},
        "language": language,
        "seed": seed,
    }
    with TemporaryDirectory(prefix="zhuli-check-") as place:
        new_folder.write(Path(place), spec, {"train": train, "validation": validation, "test": test})
        return check_folder(Path(place))


def check_folder(folder: Path) -> DataReport:
    """The same of a tuning's folder."""
    return read_data(new_folder.read(folder), folder).report


class Paused(Exception):
    """The tuning was asked to pause; resume(folder) goes on."""


class Cancelled(Exception):
    """The tuning was asked to end."""


def _why_none(outcome: Outcome) -> Exception:
    """Why there is no model."""
    if outcome.error is not None:
        return outcome.error
    return Paused("The tuning is paused; resume() goes on.") if outcome.status == "paused" else Cancelled("Cancelled.")
