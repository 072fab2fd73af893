"""The wing of learning, built: fine-tuning jobs, tuned models as every process knows them, predictions."""

import asyncio
import logging
import shlex
from contextlib import suppress
from dataclasses import dataclass

from zhuli.ground import Ground
from zhuli.learning.datasets.commands import DataSetCommands
from zhuli.learning.datasets.discarding import LogDiscarding
from zhuli.learning.datasets.handler import DataSetHandler
from zhuli.learning.datasets.labelling import Labelling
from zhuli.learning.evals.commands import EvalCommands
from zhuli.learning.evals.evaluating import Evaluating
from zhuli.learning.evals.grading.grading import Grading
from zhuli.learning.evals.handler import EvalHandler, Evaluations
from zhuli.learning.evals.sources import Sources
from zhuli.learning.evals.targets import Targets
from zhuli.learning.feedback.giving import FeedbackCommands
from zhuli.learning.feedback.signals import Signals
from zhuli.learning.jobs.child_process import PROGRAM
from zhuli.learning.jobs.commands import TuningCommands
from zhuli.learning.jobs.discarding import FolderDiscarding
from zhuli.learning.jobs.handler import TuningHandler, Tunings
from zhuli.learning.jobs.registering import Registering, ResultFiles
from zhuli.learning.predicting.answering import Answering
from zhuli.learning.predicting.in_service import InService
from zhuli.learning.predicting.predictor import Predictor
from zhuli.learning.retuning import circle
from zhuli.learning.retuning.circle import Circle
from zhuli.learning.retuning.commands import RetuningCommands
from zhuli.learning.retuning.evaluating import RecordAnswers
from zhuli.learning.retuning.serving import Serving
from zhuli.learning.retuning.steps import Steps
from zhuli.learning.retuning.watching import DriftWatch
from zhuli.store.learning import (
    dataset_deletion,
    datasets,
    eval_runs,
    fine_tuning,
    predictions,
    retuning,
    tuned_models,
)
from zhuli.worker.loop import Chore, JobKind

log = logging.getLogger(__name__)

_MODELS_SECONDS = 5.0
"""How often the tuned models are looked up, should a hint be lost."""


@dataclass
class LearningWing:
    """Implements ground.Wing."""

    ground: Ground
    fine_tuning: TuningCommands
    handlers: dict[str, TuningHandler]
    predictor: Predictor
    predictions: Answering
    feedback: FeedbackCommands
    evals: EvalCommands
    eval_handler: EvalHandler
    datasets: DataSetCommands
    labelling: Labelling
    signals: Signals
    dataset_handler: DataSetHandler
    service: InService
    retuning: RetuningCommands
    drift: DriftWatch
    steps: Steps
    circle: Circle
    _watching: asyncio.Task[None] | None = None

    def jobs(self) -> dict[str, JobKind]:
        slots = self.ground.settings.tuning_slots
        return {
            fine_tuning.CHECK: JobKind(self.handlers[fine_tuning.CHECK], min(slots, 1), apart=True),
            fine_tuning.TUNE: JobKind(self.handlers[fine_tuning.TUNE], slots, apart=True),
            eval_runs.JOB: JobKind(self.eval_handler, self.ground.settings.eval_slots, apart=True),
            dataset_deletion.DISCARD: JobKind(LogDiscarding(self.ground.database), 1),
            datasets.WORK: JobKind(self.dataset_handler, min(self.ground.settings.worker_slots, 2), apart=True),
            retuning.STEP: JobKind(self.steps, 1),
            tuned_models.DISCARD: JobKind(FolderDiscarding(self.ground.database, self.ground.settings.data_dir), 1),
        }

    def chores(self) -> list[Chore]:
        chores = [Chore(60.0, self._forget_predictions)]
        if self.ground.settings.feedback_signals:
            chores.append(Chore(20.0, self.signals.look))
        return [*chores, Chore(circle.EVERY_SECONDS, self.circle.turn)]

    async def _forget_predictions(self) -> None:
        before = self.ground.clock.now() - self.ground.settings.stored_prediction_days * 86_400
        while await self.ground.database.run(predictions.forget, before=before):
            await asyncio.sleep(0)

    async def start(self) -> None:
        await self.ground.database.run(self.ground.catalog.tuned.read)
        self._watching = asyncio.create_task(self._watch_models())

    async def _watch_models(self) -> None:
        """Know of tuned models and aliases what other processes do to them; hints may be lost."""
        with self.ground.hints.listen(tuned_models.TOPIC) as changes:
            while not self.ground.hints.closed:
                with suppress(TimeoutError):
                    await asyncio.wait_for(changes.get(), _MODELS_SECONDS)
                try:
                    await self.ground.database.run(self.ground.catalog.tuned.read)
                except Exception:
                    log.exception("The tuned models can't be looked up; trying again")

    def begin_to_stop(self) -> None:
        """A training child makes a checkpoint, and its job is put back."""
        for handler in self.handlers.values():
            handler.begin_to_stop()

    async def aclose(self) -> None:
        self.circle.aclose()
        await self.service.aclose()
        await self.predictor.aclose()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])


def build(ground: Ground, *, files: ResultFiles) -> LearningWing:
    """files: where result files of fine-tuning jobs go."""
    settings, database, catalog = ground.settings, ground.database, ground.catalog
    predictor = Predictor(seconds=settings.prediction_seconds, models=settings.prediction_models)
    commands = TuningCommands(database, ground.blobs, catalog, ground.clock, settings.models)
    program = shlex.split(settings.tuning_command or "") or PROGRAM
    registering = Registering(database, files, catalog, ground.clock, settings.data_dir, settings.models)
    tunings = Tunings(
        database, registering, ground.clock, settings.data_dir, settings.models, settings.max_attempts, program
    )
    handlers = {kind: TuningHandler(tunings) for kind in (fine_tuning.CHECK, fine_tuning.TUNE)}
    serving = Serving(database, catalog)
    service = InService(catalog, predictor, serving, ground.clock)
    deciding = RetuningCommands(database, catalog, ground.clock)
    drift = DriftWatch(database, ground.clock)
    asked = RecordAnswers(catalog, ground.blobs, predictor)
    answering = Answering(
        database,
        catalog,
        service,
        ground.clock,
        ground.meter,
        ground.telemetry.calls,
        stores=settings.store_predictions,
    )
    data_sets = DataSetCommands(database, ground.blobs, ground.clock, settings.data_dir)
    evals, eval_handler = _evals(ground, answering)
    labelling = Labelling(database, catalog, ground.blobs, answering.answer, settings.data_dir)
    return LearningWing(
        ground,
        commands,
        handlers,
        predictor,
        answering,
        FeedbackCommands(database, ground.clock),
        evals,
        eval_handler,
        data_sets,
        labelling,
        Signals(database, ground.clock),
        DataSetHandler(database, files, ground.clock, settings.data_dir, labelling),
        service,
        deciding,
        drift,
        Steps(database, catalog, ground.clock, commands, asked, serving),
        Circle(database, ground.clock, ground.hints, serving, drift, deciding),
    )


def _evals(ground: Ground, predictions: Answering) -> tuple[EvalCommands, EvalHandler]:
    settings, database, clock = ground.settings, ground.database, ground.clock
    targets = Targets(database, ground.catalog, predictions)
    sources = Sources(database, ground.blobs, settings.eval_items)
    evaluating = Evaluating(targets, Grading(ground.catalog, targets), clock)
    evaluations = Evaluations(database, sources, evaluating, clock, settings.eval_seconds, settings.max_attempts)
    return EvalCommands(database, targets, sources, clock), EvalHandler(evaluations)
