"""The composition root: build_app() lays the ground and builds the wings on it; each wing knows what is in it."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from zhuli.applications.wing import ApplicationsWing, Below
from zhuli.applications.wing import build as build_applications
from zhuli.assistants.wing import AssistantsWing
from zhuli.assistants.wing import build as build_assistants
from zhuli.core.clock import Clock, SystemClock
from zhuli.ground import Ground, Wing, lay
from zhuli.knowledge.wing import KnowledgeWing
from zhuli.knowledge.wing import build as build_knowledge
from zhuli.learning.wing import LearningWing
from zhuli.learning.wing import build as build_learning
from zhuli.safety.wing import SafetyWing
from zhuli.safety.wing import build as build_safety
from zhuli.settings import Settings
from zhuli.store import jobs, kept_answers, migrate, projects
from zhuli.store.assistants import runs
from zhuli.understanding.wing import UnderstandingWing
from zhuli.understanding.wing import build as build_understanding
from zhuli.worker.loop import Worker


@dataclass
class App(Ground):
    """A running zhuli, with or without an HTTP edge and workers around it: the ground, and the wings on it."""

    assistants: AssistantsWing
    understanding: UnderstandingWing
    knowledge: KnowledgeWing
    learning: LearningWing
    safety: SafetyWing
    applications: ApplicationsWing
    ready: bool = False
    _worker: Worker | None = None
    _working: asyncio.Task[None] | None = None

    @property
    def wings(self) -> tuple[Wing, ...]:
        """In the order in which they are built: each may use those before it."""
        return self.knowledge, self.learning, self.safety, self.understanding, self.assistants, self.applications

    @property
    def apart(self) -> set[str]:
        """Kinds of jobs that are done by processes of their own."""
        return {kind for wing in self.wings for kind, job in wing.jobs().items() if job.apart}

    async def start(self, *, work: bool) -> None:
        """Bring the schema up to date, and begin to work if `work`."""
        await self.database.run(migrate.upgrade)
        await self.database.run(projects.ensure_default, now=self.clock.now())
        await self.database.begin()
        await self.meter.start()
        if not self.database.shared:
            await self.database.run(jobs.release_all, apart=self.apart)  # nobody else can hold a lease
            await self.database.run(kept_answers.release_all)
        for wing in self.wings:
            await wing.start()
        if work:  # also without slots: runs must expire
            self._worker = make_worker(self)
            self._working = asyncio.create_task(self._work(self._worker))
        self.ready = True

    async def _work(self, worker: Worker) -> None:
        """Work until begin_to_stop(); then followers have nothing more to wait for in this process."""
        await worker.run()
        if not self.job_slots:
            await self._let_followers_end()
        self.hints.close()

    async def _let_followers_end(self) -> None:
        """Runs go on in other processes: who follows one here has the grace that a run of this process would have."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.settings.grace_seconds):
                while self.hints.listened_to(runs.TOPIC):
                    await asyncio.sleep(0.05)

    def begin_to_stop(self) -> None:
        """Claim nothing more; running turns may finish."""
        self.ready = False
        for wing in self.wings:
            wing.begin_to_stop()
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
        for wing in reversed(self.wings):
            await wing.aclose()
        await self.aclose()


def build_app(settings: Settings, *, clock: Clock | None = None) -> App:
    """Everything that `settings` describes; nothing is started yet."""
    ground = lay(settings, clock or SystemClock())
    knowledge = build_knowledge(ground)
    learning = build_learning(ground, files=knowledge.files)
    safety = build_safety(ground, predict=learning.predictions.answer)
    understanding = build_understanding(ground, predict=learning.predictions.answer)
    assistants = build_assistants(
        ground, understandings=understanding.understandings, knowledge=knowledge, judge=safety.guarding
    )
    learning.evals.targets.assistants = assistants.replaying  # goes up: evals ask whole assistants
    applications = build_applications(ground, Below(knowledge, learning, safety, understanding, assistants))
    assistants.above.recommend = applications.recommender.serving.recommend
    return App(
        **vars(ground),
        assistants=assistants,
        understanding=understanding,
        knowledge=knowledge,
        learning=learning,
        safety=safety,
        applications=applications,
    )


def make_worker(app: App) -> Worker:
    """The worker of this process: the jobs and chores of all wings."""
    kinds = {kind: job for wing in app.wings for kind, job in wing.jobs().items()}
    chores = [*app.chores(), *(chore for wing in app.wings for chore in wing.chores())]
    slots = {kind: job.slots if app.job_slots else 0 for kind, job in kinds.items()}
    handlers = {kind: job.handler for kind, job in kinds.items()}
    return Worker(app.database, app.hints, handlers, slots, chores, app.clock, app.settings, app.apart)
