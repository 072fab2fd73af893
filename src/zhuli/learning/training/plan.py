"""What a tuning is about to do, and the doing of its training: alone, as a trial of a search, or as one of several workers.

A plan can be pickled, for other processes train by it too. It knows nothing of reports and of what is kept in the end.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from zhuli import registry
from zhuli.core.errors import ConfigurationError
from zhuli.learning.neural import model_folder
from zhuli.learning.training import limits, new_folder
from zhuli.learning.training.control import Control
from zhuli.learning.training.data.loading import Data, load
from zhuli.learning.training.distributed.distributed_workers import WorkerGroup
from zhuli.learning.training.event_log import EventLog
from zhuli.learning.training.failures import TuningFailed, known
from zhuli.learning.training.fitting import checkpoints
from zhuli.learning.training.fitting.adapters import with_adapters
from zhuli.learning.training.fitting.auto import SMALL_ENCODER_LAYERS, resolved
from zhuli.learning.training.fitting.few_shot import fit_few_shot
from zhuli.learning.training.fitting.freezing import set_dropout, what_learns
from zhuli.learning.training.fitting.head_first import fit_head_first
from zhuli.learning.training.fitting.loop import Fitted, Report, fit
from zhuli.learning.training.precision import device
from zhuli.learning.training.tuned import answers
from zhuli.models import bases
from zhuli.models.bases import BaseFacts
from zhuli.ports import Task
from zhuli.types.learning.example import Metrics
from zhuli.types.learning.hyperparameters import Hyperparameters
from zhuli.types.learning.tuning import TASK, Spec

CHECKPOINTS = "checkpoints"
FROM_WORKERS = "workers"
NEEDED_FIRST = ("seed", "event_log", "control", "folder")

EachEpoch = Callable[[Task, Any, int, Metrics], None]
"""Task, model, step and metrics at the end of an epoch."""


@dataclass(frozen=True)
class Plan:
    """spec, data and base of a tuning. folder: the tuning's."""

    spec: Spec
    folder: Path
    data: Data
    base: Path
    facts: BaseFacts

    def options(self, given: Hyperparameters) -> Hyperparameters:
        """With every "auto" resolved; TuningFailed for what does not go with the task."""
        labels = self._labels_of_training()
        limits.check(given, task=self.spec.task, labels=labels)
        possible = limits.within(given, self.facts)
        return resolved(possible, task=self.spec.task, base=self.facts, examples=self.data.train, labels=labels)

    def begin(self, options: Hyperparameters) -> tuple[Task, Any]:
        """The task and a model that has learned nothing yet: the same for the same seed."""
        state = model_folder.read(self.base).state if self._goes_on() else {}
        task: Task = registry.find("tasks", self.spec.task)(options, state)
        torch.manual_seed(self.spec.seed)
        model = self._begun(task)
        if options.trainable == "lora":
            with_adapters(model, options)
        what_learns(model, options)
        set_dropout(model, float(options.dropout))
        return task, model.to(device())

    def _begun(self, task: Task) -> Any:
        try:
            return task.begin(self.base, self.data.train)
        except (OSError, ValueError, SafetensorError) as error:
            if known(error) is not None:
                raise
            name = self.spec.base.name
            why = str(error).replace(str(self.base), name).partition("\n")[0]
            raise TuningFailed("base_unusable", f"The base '{name}' can't be opened: {why}", param="model") from error

    def heads_first(self, options: Hyperparameters) -> bool:
        """Whether a new head is fitted before the encoder learns: for texts, and for relations where the encoder is deep.

        Without, e5-small (12 layers) stayed at the most frequent relation for hundreds of steps; MiniLM (6) is better without
        (docs/fine-tuning-results.md).
        """
        deep = self.facts.layers > SMALL_ENCODER_LAYERS
        suits = self.spec.task == "text_classification" or (self.spec.task == "relation_extraction" and deep)
        may = suits and options.trainable in ("all", "top", "lora")
        return may and options.max_steps is None and not self._goes_on()

    def _goes_on(self) -> bool:
        """Whether the base is a tuned model of the same task."""
        return (self.base / TASK).exists() and model_folder.read(self.base).task == self.spec.task

    def _labels_of_training(self) -> dict[str, int]:
        task: Task = registry.find("tasks", self.spec.task)(self.spec.hyperparameters, {})
        counts: dict[str, int] = {}
        for example in self.data.train:
            for label in task.labels_of(example):
                counts[label] = counts.get(label, 0) + 1
        return counts


@dataclass
class Trained:
    """The outcome of a training: the task, its model, and how the fitting went."""

    task: Task
    model: Any
    fitted: Fitted


def read_spec(folder: Path) -> Spec:
    """TuningFailed says what is wrong with it."""
    try:
        return new_folder.read(folder)
    except ConfigurationError as error:
        raise TuningFailed("invalid_hyperparameters", str(error)) from error


def read_data(spec: Spec, folder: Path) -> Data:
    """All parts, checked; TuningFailed names the line that is wrong."""
    task: Task = registry.find("tasks", spec.task)(spec.hyperparameters, {})
    return load(spec, task, folder, window=_window(spec))


def _window(spec: Spec) -> int | None:
    """Tokens read at once, as far as that is known before the base is made ready."""
    asked = spec.hyperparameters.max_length
    models_file = Path(spec.models_file) if spec.models_file else None
    try:
        window = bases.window(spec.base, data_dir=Path(spec.data_dir), models_file=models_file)
    except ConfigurationError:
        return None  # what is wrong with the base is said when it is opened
    return window if asked == "auto" or window is None else min(window, asked)


def plan(folder: Path, spec: Spec, data: Data) -> Plan:
    """Make the base ready; TuningFailed says what can't be used."""
    models_file = Path(spec.models_file) if spec.models_file else None
    try:
        base = bases.folder(spec.base, data_dir=Path(spec.data_dir), models_file=models_file)
        facts = bases.facts(base)
    except ConfigurationError as error:
        raise TuningFailed("base_unusable", str(error), param="model") from error
    limits.check_base(spec.task, facts)
    return Plan(spec, folder, data, base, facts)


def train(
    plan: Plan,
    options: Hyperparameters,
    *,
    event_log: EventLog,
    control: Control,
    checkpoints_folder: Path | None,
    report: Report | None = None,
    each_epoch: EachEpoch | None = None,
) -> Trained:
    """From the base, or from the checkpoint in `checkpoints_folder`, to the end."""
    task, model = plan.begin(options)
    validation = plan.data.validation

    def measured(model: Any) -> Metrics:
        found = answers(task, model, validation, batch_size=2 * int(options.batch_size), control=control)
        return task.measure(validation, found)

    common: dict[str, Any] = {
        "seed": plan.spec.seed,
        "event_log": event_log,
        "control": control,
        "folder": checkpoints_folder,
        "evaluate": None if task.generates else measured,
    }
    if options.trainable == "few_shot":
        return Trained(task, model, fit_few_shot(task, model, plan.data.train, validation, options, **common))
    if plan.heads_first(options):
        fit_head_first(task, model, plan.data.train, options, **{name: common[name] for name in NEEDED_FIRST})
    after_epoch = None if each_epoch is None else lambda step, metrics: each_epoch(task, model, step, metrics)
    fitted = fit(task, model, plan.data.train, validation, options, **common, report=report, each_epoch=after_epoch)
    return Trained(task, model, fitted)


def attempt(plan: Plan, options: Hyperparameters, *, folder: Path, report: Report, control: Control) -> Metrics:
    """A trial of a search: train with these hyperparameters, and say what validation says of it."""
    done = train(
        plan,
        plan.options(options),
        event_log=EventLog(folder),
        control=control,
        checkpoints_folder=None,
        report=report,
    )
    metrics = dict(done.fitted.best or {})
    if plan.data.validation and not done.task.generates and done.task.metric not in metrics:
        found = answers(done.task, done.model, plan.data.validation, batch_size=32, control=control)
        metrics |= done.task.measure(plan.data.validation, found)
    return metrics


def work(plan: Plan, options: Hyperparameters, *, event_log: EventLog, control: Control) -> Fitted:
    """One of several workers; the first leaves what was learned in the tuning's folder."""
    place = plan.folder / CHECKPOINTS
    done = train(plan, options, event_log=event_log, control=control, checkpoints_folder=place)
    if WorkerGroup().rank == 0:
        what_learns(done.model, options)  # few_shot has frozen the encoder in between
        checkpoints.write(place / FROM_WORKERS, {"weights": checkpoints.learned(done.model)})
    return done.fitted


def learned_by_workers(plan: Plan, options: Hyperparameters, fitted: Fitted) -> Trained:
    """The model that the workers trained, in this process."""
    task, model = plan.begin(options)
    left = checkpoints.read(plan.folder / CHECKPOINTS / FROM_WORKERS) or {}
    checkpoints.put_back(model, left["weights"])
    model.eval()
    return Trained(task, model, fitted)
