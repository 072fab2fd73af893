"""The wing of assistants, built: what clients can do to runs, and the engine that executes them."""

from dataclasses import dataclass, field
from functools import partial

from zhuli.assistants.end_users.commands import EndUserCommands
from zhuli.assistants.end_users.forgetting import EndUserForgetting
from zhuli.assistants.end_users.holdings import Holdings
from zhuli.assistants.responses.commands import ResponseCommands
from zhuli.assistants.responses.conversations import ConversationCommands
from zhuli.assistants.runs.clean_up import CleanUp
from zhuli.assistants.runs.commands import RunCommands
from zhuli.assistants.runs.engine import Engine
from zhuli.assistants.runs.guarded import Judge
from zhuli.assistants.runs.handler import RunHandler
from zhuli.assistants.runs.history import History
from zhuli.assistants.runs.images import Images
from zhuli.assistants.runs.replaying import Replaying
from zhuli.assistants.runs.tool_services import Above, ServerToolServices
from zhuli.assistants.runs.toolbox import Toolbox, configured, made_tool
from zhuli.ground import Ground
from zhuli.knowledge.files.file_service import repeat
from zhuli.knowledge.wing import KnowledgeWing
from zhuli.learning.datasets.forgetting import VersionForgetting
from zhuli.store import deletions, kept_answers
from zhuli.store.assistants import chat_completions, runs
from zhuli.store.assistants.leftovers import CLEAN_UP
from zhuli.understanding.dialogue.understanding import Understandings
from zhuli.worker.loop import Chore, JobKind


@dataclass
class AssistantsWing:
    """Implements ground.Wing. holdings: what rooms above have of end users; each room adds its own when it is built."""

    ground: Ground
    runs: RunCommands
    responses: ResponseCommands
    conversations: ConversationCommands
    engine: Engine
    handler: RunHandler
    images: Images
    tools: Toolbox
    replaying: Replaying
    end_users: EndUserCommands
    forgetting: EndUserForgetting
    above: Above
    holdings: list[Holdings] = field(default_factory=list)

    def jobs(self) -> dict[str, JobKind]:
        return {
            runs.JOB: JobKind(self.handler, self.ground.settings.worker_slots),
            CLEAN_UP: JobKind(CleanUp(self.ground.database), 1),
            deletions.JOB: JobKind(self.forgetting, 1),
        }

    def chores(self) -> list[Chore]:
        """Runs must expire also where none are executed."""
        return [
            Chore(1.0, self.handler.expire_overdue),
            Chore(60.0, self.handler.drop_old_deltas),
            Chore(60.0, self._forget_answers),
            Chore(60.0, self.responses.sweep),
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
        await self.tools.aclose()


def build(ground: Ground, *, understandings: Understandings, knowledge: KnowledgeWing, judge: Judge) -> AssistantsWing:
    """knowledge: what the tools search, and where their files are. judge: of runs' guards."""
    above = Above()
    tools = toolbox(ground, knowledge, above)
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
        tools=tools,
        judge=judge,
    )
    commands = RunCommands(ground.database, ground.catalog, ground.clock, ground.settings, tools)
    replaying = Replaying(ground.database, ground.hints, commands)
    versions = VersionForgetting(ground.database, ground.blobs, ground.clock, ground.settings.data_dir)
    holdings = list[Holdings]()
    return AssistantsWing(
        ground,
        commands,
        ResponseCommands(ground.database, ground.catalog, ground.clock, ground.settings, tools, images, commands),
        ConversationCommands(ground.database, ground.clock, images),
        engine,
        RunHandler(engine),
        images,
        tools,
        replaying,
        EndUserCommands(ground.database, ground.blobs, ground.hints, ground.clock, holdings),
        EndUserForgetting(ground.database, ground.clock, versions, holdings),
        above,
        holdings,
    )


def toolbox(ground: Ground, knowledge: KnowledgeWing, above: Above) -> Toolbox:
    """The tools of this server, each made with its settings; ConfigurationError."""
    folder = ground.settings.data_dir / "tools"
    made = {
        name: made_tool(
            name, plugin, own, ServerToolServices(folder / name, knowledge.searcher, knowledge.files, above)
        )
        for name, plugin, own in configured(ground.settings.tools)
    }
    return Toolbox(made, seconds=ground.settings.tool_seconds)
