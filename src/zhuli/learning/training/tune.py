"""A tuning from its folder to its model: the one story behind the server, the command line and the Python API.

Every end, good or bad, is an event and an Outcome. Whatever stands in the folder already is not done again, so that a
tuning that was paused or killed goes on.
"""

import json
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch

from zhuli import registry
from zhuli.core import whole_file
from zhuli.learning.training import epoch_models, finished_model, limits
from zhuli.learning.training.control import Control, Stopped
from zhuli.learning.training.evaluating import evaluation
from zhuli.learning.training.evaluating.calibrating import calibrate
from zhuli.learning.training.event_log import EventLog, Listener
from zhuli.learning.training.failures import TuningFailed, known
from zhuli.learning.training.fitting import checkpoints
from zhuli.learning.training.fitting.loop import Fitted
from zhuli.learning.training.plan import (
    CHECKPOINTS,
    Plan,
    Trained,
    attempt,
    learned_by_workers,
    plan,
    read_data,
    read_spec,
    train,
    work,
)
from zhuli.learning.training.reporting.tensorboard_files import TensorBoard
from zhuli.learning.training.tuned import answers
from zhuli.types.learning.example import Example, Prediction
from zhuli.types.learning.hyperparameters import Hyperparameters
from zhuli.types.learning.tuning import MODEL

BEFORE = "before.json"
"""What the base answered, kept so that it is not asked again after a pause."""

TEXTS_EVALUATED = 100
"""At most so many answers are written for evaluation: on a processor each takes seconds, before and after."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """How a tuning ended. model: its folder, when it succeeded. report: what evaluation found, {} without one."""

    status: Literal["succeeded", "failed", "cancelled", "paused"]
    model: Path | None
    report: dict[str, Any]
    error: TuningFailed | None


def tune(folder: Path, *, control: Control | None = None, listeners: Sequence[Listener] = ()) -> Outcome:
    """Run the tuning in `folder`, or go on with it, to its end; gives what it came to, and raises nothing."""
    return _told(folder, listeners, lambda event_log: _tuned(folder, event_log, control or Control()))


def check(folder: Path, *, control: Control | None = None, listeners: Sequence[Listener] = ()) -> Outcome:
    """Read the data only; the Outcome's report is what is in it."""

    def checked(event_log: EventLog) -> Outcome:
        (control or Control()).check()
        data = read_data(read_spec(folder), folder)
        report = data.report.model_dump(mode="json")
        event_log.write("succeeded", "The data can be used.", report=report)
        return Outcome("succeeded", None, report, None)

    return _told(folder, listeners, checked)


def _told(folder: Path, listeners: Sequence[Listener], story: Callable[[EventLog], Outcome]) -> Outcome:
    """Tell the story's end to the event log, whatever it is."""
    if not folder.is_dir():
        return Outcome("failed", None, {}, TuningFailed("server_error", f"There is no folder {folder}."))
    board = TensorBoard(folder)
    event_log = EventLog(folder, listeners=[*listeners, board])
    try:
        return story(event_log)
    except Stopped as stopped:
        event_log.write(stopped.how, f"The tuning is {stopped.how}.")
        return Outcome(stopped.how, None, {}, None)
    except Exception as error:
        return _failed(event_log, error)
    finally:
        board.close()


def _failed(event_log: EventLog, error: Exception) -> Outcome:
    failure = known(error)
    if failure is None:
        log.exception("A tuning ended with an error that nobody expected.")
        failure = TuningFailed("server_error", "The training ended with an error of the server; its log says more.")
    try:
        event_log.write("failed", failure.message, level="error", code=failure.code, param=failure.param)
    except OSError:
        # Without space even this line does not fit: the outcome says it all the same.
        log.exception("The event log can't be written.")
    return Outcome("failed", None, {}, failure)


def _tuned(folder: Path, event_log: EventLog, control: Control) -> Outcome:
    spec = read_spec(folder)
    if (folder / MODEL).is_dir():
        return _succeeded(folder, event_log)
    torch.set_num_threads(spec.threads or os.cpu_count() or 1)
    data = read_data(spec, folder)
    data_report = data.report.model_dump(mode="json")
    event_log.write("message", _counted(data_report), data=data_report)
    todo = plan(folder, spec, data)
    control.check()
    options, searched = _searched(todo, event_log, control)
    event_log.write("message", f"Hyperparameters: {_shown(options)}.", hyperparameters=options.model_dump(mode="json"))
    for warning in limits.told(spec.hyperparameters, options):
        event_log.write("message", warning, level="warn")
    examples = _held_out(todo)
    before = _before(todo, options, examples, event_log=event_log, control=control)
    done = _trained(todo, options, event_log, control)
    event_log.write("message", "The training has ended; now the model is measured on what was held out, and written.")
    report: dict[str, Any] = {"data": data_report, "hyperparameters": options.model_dump(mode="json")}
    report |= _evaluated(todo, done, before, examples, options=options, control=control)
    report["training"] = {name: value for name, value in asdict(done.fitted).items() if name != "history"}
    if searched is not None:
        report |= {"search": searched, "trials": searched["trials"]}
    return _kept(todo, done, options, report, event_log)


def _compared(report: dict[str, Any]) -> str:
    if "after" not in report:
        return "Nothing was held out to measure the model on."
    name = report["metric"]
    before, after = report["before"].get(name), report["after"].get(name)
    shown = f"{before:.4g} before, {after:.4g} after" if before is not None and after is not None else "not measured"
    return f"On {report['examples']} held-out examples: {name} {shown}."


def _counted(report: dict[str, Any]) -> str:
    counts = report["counts"]
    return "Examples: " + ", ".join(f"{counts[name]:,} for {name}" for name in counts) + "."


def _shown(options: Hyperparameters) -> str:
    names = ("trainable", "learning_rate", "batch_size", "n_epochs", "precision")
    return ", ".join(f"{name} {getattr(options, name)}" for name in names)


def _searched(todo: Plan, event_log: EventLog, control: Control) -> tuple[Hyperparameters, dict[str, Any] | None]:
    """The hyperparameters to train with, and what a search for them found."""
    spec = todo.spec
    if spec.search is None:
        return todo.options(spec.hyperparameters), None
    from zhuli.learning.training.searching.search import search  # Optuna takes a second and is for few

    task = registry.find("tasks", spec.task)
    found = search(
        spec.search,
        spec.hyperparameters,
        partial(attempt, todo),
        task=spec.task,
        metric="loss" if task.generates else task.metric,
        folder=todo.folder,
        seed=spec.seed,
        event_log=event_log,
        control=control,
    )
    return todo.options(found.options), found.report()


def _held_out(todo: Plan) -> list[Example]:
    """What before and after are compared on: test data, without it validation data."""
    examples = list(todo.data.test or todo.data.validation)
    return examples[:TEXTS_EVALUATED] if registry.find("tasks", todo.spec.task).generates else examples


def _before(
    todo: Plan, options: Hyperparameters, examples: Sequence[Example], *, event_log: EventLog, control: Control
) -> list[Prediction]:
    kept = todo.folder / BEFORE
    if kept.exists():
        predictions: list[Prediction] = json.loads(kept.read_text(encoding="utf-8"))
        return predictions
    plugin = registry.find("tasks", todo.spec.task)
    if plugin.untrained == "majority":
        return [plugin(options, {}).majority(todo.data.train)] * len(examples)
    event_log.write("message", f"The base answers {len(examples)} held-out examples, to be compared with later.")
    task, model = todo.begin(options)
    predictions = answers(task, model, examples, batch_size=int(options.batch_size), control=control)
    whole_file.replace(kept, json.dumps(predictions, ensure_ascii=False, default=float).encode())
    return predictions


def _trained(todo: Plan, options: Hyperparameters, event_log: EventLog, control: Control) -> Trained:
    if todo.spec.workers is not None:
        from zhuli.learning.training.distributed.ray_workers import train_on_workers  # Ray takes seconds and is for few

        fitted: Fitted = train_on_workers(
            todo.spec.workers, partial(work, todo, options), folder=todo.folder, event_log=event_log, control=control
        )
        return learned_by_workers(todo, options, fitted)
    writer = epoch_models.Writer(todo, options, event_log)
    return train(
        todo,
        options,
        event_log=event_log,
        control=control,
        checkpoints_folder=todo.folder / CHECKPOINTS,
        each_epoch=writer.write,
    )


def _evaluated(
    todo: Plan,
    done: Trained,
    before: list[Prediction],
    examples: Sequence[Example],
    *,
    options: Hyperparameters,
    control: Control,
) -> dict[str, Any]:
    """Merge, calibrate, answer, compare."""
    finished_model.settle(done.model, options)
    found = calibrate(done.task, done.model, todo.data.validation, control=control)
    report: dict[str, Any] = {} if found is None else {"calibration": found}
    if examples:
        after = answers(done.task, done.model, examples, batch_size=2 * int(options.batch_size), control=control)
        report |= evaluation.compare(done.task, before, after, examples, seed=todo.spec.seed)
    return report


def _kept(todo: Plan, done: Trained, options: Hyperparameters, report: dict[str, Any], event_log: EventLog) -> Outcome:
    """The reports, then the model, whole; only then is anything thrown away."""
    folder = todo.folder
    evaluation.write_reports(folder, todo.spec, report, done.fitted.history)
    epoch_models.serve(todo, done.task)
    finished_model.write(folder / MODEL, todo, done.task, done.model, options, report=report)
    for left in (folder / CHECKPOINTS).rglob(checkpoints.FILE):
        left.unlink()
    event_log.write("report", _compared(report), report=report)
    return _succeeded(folder, event_log)


def _succeeded(folder: Path, event_log: EventLog) -> Outcome:
    """Also for a folder whose model stands although nobody was told: its process died in between."""
    report = json.loads((folder / evaluation.REPORT).read_text(encoding="utf-8"))
    event_log.write(
        "succeeded", "The tuning has succeeded.", trained_tokens=report.get("training", {}).get("trained_tokens", 0)
    )
    return Outcome("succeeded", folder / MODEL, report, None)
