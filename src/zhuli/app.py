"""The composition root: build_app() makes every object once and hands it to who needs it."""

import asyncio
import logging
import shlex
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from zhuli import registry
from zhuli.assistants.runs.commands import RunCommands
from zhuli.assistants.runs.engine import Engine
from zhuli.assistants.runs.handler import RunHandler
from zhuli.assistants.runs.history import History
from zhuli.assistants.runs.images import Images
from zhuli.core.clock import Clock, SystemClock
from zhuli.core.errors import ZhuliError
from zhuli.core.hints import Hints
from zhuli.core.telemetry import Telemetry
from zhuli.core.traces import make_tracer
from zhuli.knowledge.files.discarding import BlobDiscarding
from zhuli.knowledge.files.file_service import FileService, repeat
from zhuli.knowledge.files.uploads import Uploads
from zhuli.knowledge.retrieval.indexing.process_indexes import ProcessIndexes
from zhuli.knowledge.retrieval.ingesting.clean_up import CleanUp
from zhuli.knowledge.retrieval.ingesting.discarding import Discarding
from zhuli.knowledge.retrieval.ingesting.embedding_units import MOST_CHARACTERS
from zhuli.knowledge.retrieval.ingesting.ingestion import READING_SECONDS, Ingestion, IngestionHandler, forget_copies
from zhuli.knowledge.retrieval.reading.reader import Reader
from zhuli.knowledge.retrieval.searching.knowledge import Knowledge
from zhuli.learning.jobs.child_process import PROGRAM
from zhuli.learning.jobs.commands import TuningCommands
from zhuli.learning.jobs.discarding import FolderDiscarding
from zhuli.learning.jobs.handler import TuningHandler, Tunings
from zhuli.learning.jobs.registering import Registering
from zhuli.learning.predicting.answering import Answering
from zhuli.learning.predicting.predictor import Predictor
from zhuli.models import bases
from zhuli.models.catalog import Catalog
from zhuli.ports import BlobStore
from zhuli.settings import Settings
from zhuli.store import jobs, kept_answers, migrate, projects
from zhuli.store.assistants import chat_completions, runs
from zhuli.store.database import Database
from zhuli.store.knowledge import blobs, chunks, vector_stores
from zhuli.store.learning import fine_tuning, tuned_models
from zhuli.store.opening import open_database
from zhuli.understanding.dialogue.loaded_understanders import LoadedUnderstanders
from zhuli.understanding.dialogue.understanding import Understandings
from zhuli.understanding.domains.saving import Domains
from zhuli.worker.loop import Chore, Handler, Worker

log = logging.getLogger(__name__)

_MODELS_SECONDS = 5.0
"""How often the tuned models are looked up, should a hint be lost."""


@dataclass
class App:
    """A running zhuli, with or without an HTTP edge and workers around it."""

    settings: Settings
    clock: Clock
    hints: Hints
    database: Database
    catalog: Catalog
    blobs: BlobStore
    telemetry: Telemetry
    runs: RunCommands
    engine: Engine
    reader: Reader
    library: ProcessIndexes
    knowledge: Knowledge
    files: FileService
    uploads: Uploads
    predictor: Predictor
    predictions: Answering
    understandings: Understandings
    domains: Domains
    tuning: TuningCommands
    tunings: dict[str, TuningHandler]
    ready: bool = False
    _worker: Worker | None = None
    _working: asyncio.Task[None] | None = None
    _watching: asyncio.Task[None] | None = None

    async def start(self, *, work: bool) -> None:
        """Bring the schema up to date, and begin to work if `work`."""
        await self.database.run(migrate.upgrade)
        await self.database.run(projects.ensure_default, now=self.clock.now())
        await self.database.begin()
        if not self.database.shared:
            await self.database.run(jobs.release_all)  # nobody else can hold a lease
            await self.database.run(kept_answers.release_all)
        await self.database.run(self.catalog.tuned.read)
        self._watching = asyncio.create_task(self._watch_models())
        await self._load_embedders()
        forget_copies(self.settings.data_dir, older_than=READING_SECONDS if self.database.shared else 0.0)
        if work:  # also without slots: runs must expire
            self._worker = make_worker(self)
            self._working = asyncio.create_task(self._work(self._worker))
        self.ready = True

    async def _load_embedders(self) -> None:
        """Those of the stores there are: reading a large vocabulary stops the whole process for seconds, so not later."""
        for name in await self.database.run(vector_stores.embedders):
            if (entry := self.catalog.embedders.get(name)) is not None:
                try:
                    await entry.embedder.start()
                except ZhuliError as error:
                    log.warning("The embedder '%s' can't be used: %s", name, error.message)

    async def _watch_models(self) -> None:
        """Know of tuned models and aliases what other processes do to them; hints may be lost."""
        with self.hints.listen(tuned_models.TOPIC) as changes:
            while not self.hints.closed:
                with suppress(TimeoutError):
                    await asyncio.wait_for(changes.get(), _MODELS_SECONDS)
                try:
                    await self.database.run(self.catalog.tuned.read)
                except Exception:
                    log.exception("The tuned models can't be looked up; trying again")

    async def _work(self, worker: Worker) -> None:
        """Work until begin_to_stop(); then followers have nothing more to wait for in this process."""
        await worker.run()
        self.hints.close()

    async def forget_answers(self) -> None:
        """Delete what was answered to requests with a key more than a day ago, and stored chats that are past their time."""
        now = self.clock.now()
        await repeat(self.database, partial(kept_answers.forget, now=now))
        oldest = now - self.settings.stored_chat_days * 86_400
        await repeat(self.database, partial(chat_completions.forget, before=oldest))

    def begin_to_stop(self) -> None:
        """Claim nothing more; running turns may finish."""
        self.ready = False
        for handler in self.tunings.values():
            handler.begin_to_stop()
        if self._worker is not None:
            self._worker.stop()
        else:
            self.hints.close()

    async def work_until_stopped(self) -> None:
        """Wait for the worker's end: it ends after begin_to_stop()."""
        if self._working is not None:
            await self._working

    async def stop(self) -> None:
        """Finish or put back what is running, then free everything."""
        self.begin_to_stop()
        await self.work_until_stopped()
        self.hints.close()
        await self.domains.aclose()
        await self.understandings.aclose()
        await self.predictor.aclose()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])
        await self.library.aclose()
        await self.reader.aclose()
        await self.catalog.aclose()
        await self.blobs.aclose()
        await self.telemetry.aclose()
        await self.database.aclose()


def build_app(settings: Settings, *, clock: Clock | None = None) -> App:
    """Everything that `settings` describes; nothing is started yet."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    clock = clock or SystemClock()
    hints = Hints()
    database = open_database(settings.database, hints, durable=settings.durable)
    catalog = Catalog.load(settings.models, settings.data_dir, engines=settings.tuned_engines)
    bases.check(settings.models, entries=catalog.entries)
    blobs: BlobStore = registry.find("blobs", settings.blobs.partition(":")[0])(settings.blobs)
    telemetry = Telemetry(make_tracer(settings.otel_endpoint, settings.otel_service_name))
    predictor = Predictor(seconds=settings.prediction_seconds, models=settings.prediction_models)
    predictions = Answering(database, catalog, predictor)
    minds = LoadedUnderstanders(
        folder=settings.data_dir / "understanding",
        database=database,
        catalog=catalog,
        answer=predictions.answer,
        most=settings.understanders,
        plugins=settings.understander_plugins,
    )
    understandings = Understandings(minds, clock, telemetry)
    engine = Engine(
        database=database,
        hints=hints,
        catalog=catalog,
        history=History(database),
        images=Images(database, blobs),
        clock=clock,
        telemetry=telemetry,
        settings=settings,
        understandings=understandings,
    )
    commands = RunCommands(database, catalog, clock, settings)
    reader = Reader(
        processes=settings.parse_processes,
        seconds=settings.parse_seconds,
        memory_bytes=settings.parse_memory_bytes,
        max_characters=MOST_CHARACTERS,
    )
    library = ProcessIndexes.of(database, settings)
    knowledge = Knowledge(database, catalog, library, clock)
    engine.tools["file_search"] = registry.find("tools", "file_search")(knowledge.search)
    files = FileService(database, blobs, clock)
    uploads = Uploads(files)
    tuning = TuningCommands(database, blobs, catalog, clock, settings.models)
    program = shlex.split(settings.tuning_command or "") or PROGRAM
    registering = Registering(database, files, catalog, clock, settings.data_dir, settings.models)
    tunings = Tunings(database, registering, clock, settings.data_dir, settings.models, settings.max_attempts, program)
    return App(
        settings,
        clock,
        hints,
        database,
        catalog,
        blobs,
        telemetry,
        commands,
        engine,
        reader,
        library,
        knowledge,
        files,
        uploads,
        predictor,
        predictions,
        understandings,
        Domains(database, understandings, clock, plugins=settings.understander_plugins),
        tuning,
        {kind: TuningHandler(tunings) for kind in (fine_tuning.CHECK, fine_tuning.TUNE)},
    )


def make_worker(app: App) -> Worker:
    """The worker of this process: which kinds of job it handles, and what it looks after."""
    settings = app.settings
    runner = RunHandler(app.engine)
    handlers: dict[str, Handler] = {
        runs.JOB: runner,
        vector_stores.JOB: IngestionHandler(_ingestion(app)),
        vector_stores.CLEAN_UP: CleanUp(app.database, app.library.forget),
        chunks.DISCARD: Discarding(app.database),
        blobs.DISCARD: BlobDiscarding(app.database, app.blobs),
        **app.tunings,
        tuned_models.DISCARD: FolderDiscarding(app.database, settings.data_dir),
    }
    working = settings.worker_slots > 0
    slots = {
        runs.JOB: settings.worker_slots,
        vector_stores.JOB: settings.ingest_slots if working else 0,
        vector_stores.CLEAN_UP: 1 if working else 0,
        chunks.DISCARD: 1 if working else 0,
        blobs.DISCARD: 4 if working else 0,
        fine_tuning.CHECK: min(settings.tuning_slots, 1) if working else 0,
        fine_tuning.TUNE: settings.tuning_slots if working else 0,
        tuned_models.DISCARD: 1 if working else 0,
    }
    chores = [
        Chore(1.0, runner.expire_overdue),
        Chore(60.0, runner.drop_old_deltas),
        Chore(60.0, app.forget_answers),
        Chore(5.0, app.files.expire),
        Chore(5.0, app.uploads.expire),
    ]
    return Worker(app.database, app.hints, handlers, slots, chores, app.clock, settings)


def _ingestion(app: App) -> Ingestion:
    return Ingestion(
        database=app.database,
        blobs=app.blobs,
        catalog=app.catalog,
        reader=app.reader,
        embedding=app.library.embedding,
        clock=app.clock,
        telemetry=app.telemetry,
        data_dir=app.settings.data_dir,
        max_attempts=app.settings.max_attempts,
        added=app.library.keeping_up.notice,
    )
