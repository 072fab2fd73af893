"""The one training loop of all tasks. A Task says what is learned; this says when: steps, evaluations, the end.

Every step draws its random numbers from a seed of its own, so that weights depend on nothing but the seed and the data:
not on evaluations, pauses or crashes in between. Knows neither files of data nor how a model is saved.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from zhuli.learning.training.batching import batches, truncation_report
from zhuli.learning.training.batching.rows import Rows, rows_of
from zhuli.learning.training.control import Control, Stopped
from zhuli.learning.training.distributed.distributed_workers import WorkerGroup
from zhuli.learning.training.event_log import EventLog
from zhuli.learning.training.failures import TuningFailed
from zhuli.learning.training.fitting import checkpoints, optimizers
from zhuli.learning.training.fitting.frozen_features import frozen_rows
from zhuli.learning.training.fitting.training_state import TrainingState
from zhuli.learning.training.precision import autocast, usable
from zhuli.ports import Loss, Task
from zhuli.types.learning.example import Example, Feature, Metrics
from zhuli.types.learning.hyperparameters import EarlyStopping, Hyperparameters

Evaluate = Callable[[Any], Metrics]
Report = Callable[[int, Metrics], None]

SAYING_SECONDS = 1.0
CHECKPOINT_SECONDS = 30.0
CHECKPOINT_SHARE = 20
"""Checkpoints take at most a twentieth of the time, whatever the size of the model."""

TOKENS_AT_ONCE = 2048
"""Of a batch of a language model, whose activations take about 2 MB a token for SmolLM2-135M; padding counts."""

HALF_PRECISION_SCALE = 1024.0
"""Small gradients vanish in fp16 unless the loss is scaled up: the static scale of Micikevicius et al. (2018)."""


@dataclass
class Fitted:
    """How a training went. history: an entry a step. best: of the weights that were kept, if there was a validation."""

    steps: int
    epochs: float
    seconds: float
    examples_per_second: float
    trained_tokens: int
    history: list[dict[str, Any]]
    best: Metrics | None
    stopped_early: bool


def fit(
    task: Task,
    model: Any,
    train: Sequence[Example],
    validation: Sequence[Example],
    options: Hyperparameters,
    *,
    seed: int,
    event_log: EventLog,
    control: Control,
    folder: Path | None = None,
    evaluate: Evaluate | None = None,
    report: Report | None = None,
    each_epoch: Report | None = None,
) -> Fitted:
    """Train what has requires_grad, in place; the best weights are in the model afterwards.

    folder: of the checkpoint, from which it goes on if there is one; None: none. evaluate: of the model on validation;
    None: only the loss. report: called after each evaluation, may raise to end everything. each_epoch: called with the
    step and its metrics when an epoch has ended. Raises Stopped, and TuningFailed if the loss diverges.
    """
    read = [task.features(example, learn=True) for example in train]
    features, held_out = [row for rows in read for row in rows], rows_of(task, validation)
    if not features:
        raise TuningFailed(
            "invalid_training_file", "The training data has nothing to learn from.", param="training_file"
        )
    length = getattr(task, "length", options.max_length)
    if length != "auto" and (warning := truncation_report.told(train, read, length=length)):
        event_log.write("message", warning, level="warn")
    torch.manual_seed(seed)
    with torch.no_grad(), autocast(usable(options)):
        model.eval()
        task.prepare(model, [*features, *held_out])
    training = _Training(task, model, features, held_out, options, seed=seed, event_log=event_log, control=control)
    training.folder, training.evaluate = folder, evaluate
    training.report, training.each_epoch = report, each_epoch
    return training.run(len(train))


class _Training:
    """One training from its first step, or from its checkpoint, to its last."""

    folder: Path | None = None
    evaluate: Evaluate | None = None
    report: Report | None = None
    each_epoch: Report | None = None

    def __init__(
        self,
        task: Task,
        model: Any,
        features: list[Feature],
        held_out: list[Feature],
        options: Hyperparameters,
        *,
        seed: int,
        event_log: EventLog,
        control: Control,
    ) -> None:
        self.task, self.model, self.options, self.seed = task, model, options, seed
        self.event_log, self.control, self.workers = event_log, control, WorkerGroup()
        self.device = next(model.parameters()).device
        self.frozen = options.trainable == "head"
        self.rows, self.held_out = self._rows(features), self._rows(held_out)
        self.optimizer = optimizers.optimizer_for(model, options)
        self.precision = usable(options)
        self.scale = HALF_PRECISION_SCALE if self.precision == "fp16" else 1.0
        self.steps_per_epoch = math.ceil(math.ceil(len(features) / int(options.batch_size)) / int(options.accumulation))
        planned = self.steps_per_epoch * int(options.n_epochs)
        self.total = min(planned, options.max_steps or planned)
        self.evaluation_steps = _evaluation_steps(self.steps_per_epoch, int(options.evaluations_per_epoch))
        self.at = TrainingState(plan=f"{seed} {len(features)} {len(held_out)} {options.model_dump_json()}")
        self.epoch: tuple[int, list[list[list[int]]]] = (-1, [])
        self.said, self.started, self.saved = -math.inf, time.monotonic(), -math.inf
        self.saving_seconds = 0.0

    def run(self, examples: int) -> Fitted:
        self._resume()
        try:
            self._go()
        except Stopped as stopped:
            if stopped.how == "paused":
                self._save()
            raise
        if self.at.best_weights is not None:
            checkpoints.put_back(self.model, self.at.best_weights)
        self.model.eval()
        epochs = self.at.step / self.steps_per_epoch
        return Fitted(
            steps=self.at.step,
            epochs=round(epochs, 3),
            seconds=round(self.at.seconds, 3),
            examples_per_second=round(examples * epochs / max(self.at.seconds, 1e-9), 3),
            trained_tokens=self.at.tokens,
            history=self.at.history,
            best=self.at.best,
            stopped_early=self.at.stopped_early,
        )

    def _go(self) -> None:
        """To the end. A stop between a step and its evaluation is made good by evaluating first."""
        while True:
            self._stop_if_asked()
            if self._evaluation_is_due():
                self._evaluate()
                self._stop_if_asked()
            self._save_if_due()
            if self.at.step == self.total or self.at.stopped_early:
                return
            self._step()

    def _rows(self, features: list[Feature]) -> Rows:
        if self.frozen and features:
            return frozen_rows(self.task, self.model, features, device=self.device, control=self.control)
        return Rows(self.task, features)

    def _step(self) -> None:
        """The batches of one step, and the move that their gradients ask for."""
        started = time.monotonic()
        number = self.at.step + 1
        torch.manual_seed((self.seed * 1_000_003 + number) * 64 + self.workers.rank)
        self.model.train()
        sums, rows = [0.0, 0.0, 0.0], self._rows_of_step(number)
        for batch in rows:
            for part in self._at_once(self.workers.share(batch)):
                loss = self._loss(self.rows, part)
                (loss.total * self.scale).backward()
                sums = [a + b for a, b in zip(sums, (float(loss.total.detach()), loss.weight, loss.right), strict=True)]
        self.workers.add_gradients(self.model)
        total, weight, right = self.workers.add(sums)
        weight = max(weight, 1.0)
        rate = float(self.options.learning_rate) * optimizers.rate_factor(
            number, total=self.total, options=self.options
        )
        tokens = sum(self.rows.lengths[row] for batch in rows for row in batch)
        norm = optimizers.step(
            self.optimizer, weight=weight * self.scale, max_norm=float(self.options.max_grad_norm), rate=rate
        )
        loss_now = total / weight if math.isfinite(norm) else math.nan
        self.at.stepped(loss=loss_now, accuracy=right / weight, rate=rate, tokens=tokens)
        self.at.seconds += time.monotonic() - started
        if not self._evaluation_is_due():
            self._say(always=False)

    def _at_once(self, batch: Sequence[int]) -> list[list[int]]:
        """A batch in parts that fit into memory; only where a row's loss does not depend on the others of its batch."""
        most = TOKENS_AT_ONCE if self.task.generates else None
        return batches.parts(batch, self.rows.lengths, most=most)

    def _rows_of_step(self, number: int) -> list[list[int]]:
        """The batches of step 1, 2, …, by rows."""
        epoch, position = divmod(number - 1, self.steps_per_epoch)
        if self.epoch[0] != epoch:
            size, bucketing = int(self.options.batch_size), bool(self.options.bucketing) and not self.frozen
            made = batches.batches(self.rows.lengths, size, bucketing=bucketing, seed=self.seed, epoch=epoch)
            self.epoch = epoch, batches.steps(made, int(self.options.accumulation))
        return self.epoch[1][position]

    def _loss(self, rows: Rows, numbers: Sequence[int]) -> Loss:
        batch, hidden = rows.batch(numbers, device=self.device)
        with autocast(self.precision):
            return self.task.loss(self.model, batch, hidden)

    def _evaluation_is_due(self) -> bool:
        step = self.at.step
        due = step == self.total or (step - 1) % self.steps_per_epoch + 1 in self.evaluation_steps
        return 0 < step != self.at.evaluated and due

    def _evaluate(self) -> None:
        """After a step: measure, remember the best, tell everybody, and decide whether to go on."""
        self.model.eval()
        metrics = self._held_out_loss() if len(self.held_out) else {}
        stopping = self.options.early_stopping
        name = self._watched()
        if len(self.held_out) and self.evaluate is not None and name != "loss":
            metrics |= self.evaluate(self.model)
        self.at.evaluated = self.at.step
        if metrics:
            better = self.at.measured(metrics, _value(metrics, name))
            if isinstance(stopping, EarlyStopping):
                if better:
                    self.at.best_weights = checkpoints.learned(self.model)
                self.at.stopped_early = self.at.without_progress >= stopping.patience and self.at.step < self.total
            else:
                self.at.best = metrics
        self._say(always=not self.frozen or self.at.step == self.total or self.at.stopped_early)
        if self.report is not None and metrics:
            self.report(self.at.step, metrics)
        epoch_ends = self.at.step % self.steps_per_epoch == 0 or self.at.step == self.total
        if self.each_epoch is not None and epoch_ends and self.workers.rank == 0:
            self.each_epoch(self.at.step, self.at.history[-1])

    def _watched(self) -> str:
        """The metric by which weights are compared; on cached features only the loss is cheap."""
        stopping = self.options.early_stopping
        chosen = stopping.metric if isinstance(stopping, EarlyStopping) else "auto"
        if chosen != "auto":
            return chosen
        return "loss" if self.evaluate is None or self.frozen else self.task.metric

    def _held_out_loss(self) -> Metrics:
        total = weight = right = 0.0
        for numbers in batches.by_length(self.held_out.lengths, 2 * int(self.options.batch_size)):
            if self.workers.size == 1:
                self._stop_if_asked()
            with torch.no_grad():
                loss = self._loss(self.held_out, numbers)
            total, weight, right = total + float(loss.total), weight + loss.weight, right + loss.right
        weight = max(weight, 1.0)
        return {"valid_loss": total / weight, "valid_mean_token_accuracy": right / weight}

    def _say(self, *, always: bool) -> None:
        """A line for those who wait: at most one a second, but after every evaluation that takes time."""
        now = time.monotonic()
        if not always and now - self.said < SAYING_SECONDS:
            return
        self.said = now
        entry = self.at.history[-1]
        message = f"Step {self.at.step}/{self.total}: training loss={entry['train_loss']:.2f}"
        if "valid_loss" in entry:
            message += f", validation loss={entry['valid_loss']:.2f}"
        left = round(self.at.seconds / self.at.step * (self.total - self.at.step), 1)
        self.event_log.write("metrics", message, **entry, total_steps=self.total, seconds_left=left)

    def _stop_if_asked(self) -> None:
        """All workers stop at the same step."""
        wanted = {None: 0.0, "pause": 1.0, "cancel": 1000.0}[self.control.wanted]
        asked = self.workers.add([wanted])[0]
        if asked >= 1000:
            raise Stopped("cancelled")
        if asked:
            raise Stopped("paused")

    def _resume(self) -> None:
        state = checkpoints.read(self.folder) if self.folder is not None else None
        if state is None:
            return
        if state["standing"]["plan"] != self.at.plan:
            self.event_log.write(
                "message", "The checkpoint is of other data or hyperparameters: training starts anew.", level="warn"
            )
            return
        checkpoints.put_back(self.model, state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.at = TrainingState(**state["standing"])
        self.saved = time.monotonic()
        self.event_log.write("message", f"Training goes on after step {self.at.step}/{self.total}.")

    def _save_if_due(self) -> None:
        """Now and then, and at the end of an epoch that took long enough for it."""
        since = time.monotonic() - max(self.saved, self.started)
        ended = self.at.step > 0 and self.at.evaluated == self.at.step
        if since > CHECKPOINT_SHARE * self.saving_seconds and (ended or since > CHECKPOINT_SECONDS):
            self._save()

    def _save(self) -> None:
        if self.folder is None or self.workers.rank > 0 or self.at.step == 0:
            return
        started = time.monotonic()
        weights, optimizer = checkpoints.learned(self.model), self.optimizer.state_dict()
        checkpoints.write(self.folder, {"standing": vars(self.at), "weights": weights, "optimizer": optimizer})
        self.saved = time.monotonic()
        self.saving_seconds = self.saved - started


def _evaluation_steps(steps: int, evaluations: int) -> set[int]:
    """Within an epoch, evenly, the last always."""
    return {math.ceil(steps * number / evaluations) for number in range(1, evaluations + 1)}


def _value(metrics: Metrics, name: str) -> float:
    """More is better."""
    if name == "loss":
        return -float(metrics["valid_loss"])
    if not isinstance(metrics.get(name), int | float):
        known = ", ".join(sorted(key for key, value in metrics.items() if isinstance(value, int | float)))
        raise TuningFailed(
            "invalid_hyperparameters",
            f"There is no metric '{name}' to stop by. This task has: loss, {known}.",
            param="hyperparameters.early_stopping.metric",
        )
    return float(metrics[name])
