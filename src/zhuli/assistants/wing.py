"""The wing of assistants, built: what clients can do to runs, and the engine that executes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from zhuli.assistants.runs.commands import RunCommands
from zhuli.assistants.runs.engine import Engine
from zhuli.assistants.runs.handler import RunHandler
from zhuli.assistants.runs.history import History
from zhuli.assistants.runs.images import Images
from zhuli.ground import Ground
from zhuli.knowledge.files.file_service import repeat
from zhuli.ports import Tool
from zhuli.store import kept_answers
from zhuli.store.assistants import chat_completions, runs
from zhuli.understanding.dialogue.understanding import Understandings
from zhuli.worker.loop import Chore, JobKind


@dataclass
class AssistantsWing:
    """Implements ground.Wing."""

    ground: Ground
    runs: RunCommands
    engine: Engine
    handler: RunHandler
    images: Images

    def jobs(self) -> dict[str, JobKind]:
        return {runs.JOB: JobKind(self.handler, self.ground.settings.worker_slots)}

    def chores(self) -> list[Chore]:
        """Runs must expire also where none are executed."""
        return [
            Chore(1.0, self.handler.expire_overdue),
            Chore(60.0, self.handler.drop_old_deltas),
            Chore(60.0, self._forget_answers),
        ]

    async def _forget_answers(self) -> None:
        """Delete what was answered to requests with a key more than a day ago, and stored chats that are past their time."""
        now = self.ground.clock.now()
        await repeat(self.ground.database, partial(kept_answers.forget, now=now))
        oldest = now - self.ground.settings.stored_chat_days * 86_400
        await repeat(self.ground.database, partial(chat_completions.forget, before=oldest))

    async def start(self) -> None:
        """Nothing: runs that were left are in the queue."""

    def begin_to_stop(self) -> None:
        """Nothing: running turns may finish."""

    async def aclose(self) -> None:
        """Nothing of its own is open."""


def build(ground: Ground, *, understandings: Understandings, tools: Mapping[str, Tool]) -> AssistantsWing:
    """tools: those that run in the server, by name."""
    images = Images(ground.database, ground.blobs)
    engine = Engine(
        database=ground.database,
        hints=ground.hints,
        catalog=ground.catalog,
        history=History(ground.database),
        images=images,
        clock=ground.clock,
        telemetry=ground.telemetry,
        settings=ground.settings,
        understandings=understandings,
    )
    engine.tools.update(tools)
    commands = RunCommands(ground.database, ground.catalog, ground.clock, ground.settings)
    return AssistantsWing(ground, commands, engine, RunHandler(engine), images)
