"""The room of customer support, built: desks, their tasks, and the handing over of runs."""

from dataclasses import dataclass

from zhuli.applications.support.commands import DeskCommands
from zhuli.applications.support.evaluating import Evaluating
from zhuli.applications.support.handing_over import HandingOver
from zhuli.applications.support.handler import Does, SupportHandler
from zhuli.applications.support.holdings import SupportHoldings
from zhuli.applications.support.publishing import Publishing
from zhuli.applications.support.queue import HandoffQueue
from zhuli.assistants.wing import AssistantsWing
from zhuli.ground import Ground
from zhuli.knowledge.wing import KnowledgeWing
from zhuli.learning.wing import LearningWing
from zhuli.store.applications import support as store
from zhuli.understanding.wing import UnderstandingWing
from zhuli.worker.loop import Chore, JobKind


@dataclass
class SupportRoom:
    """Implements ground.Wing."""

    ground: Ground
    desks: DeskCommands
    queue: HandoffQueue
    handler: SupportHandler

    def jobs(self) -> dict[str, JobKind]:
        return {store.WORK: JobKind(self.handler, min(self.ground.settings.worker_slots, 1), apart=True)}

    def chores(self) -> list[Chore]:
        return []

    async def start(self) -> None:
        """Nothing: tasks that were left are in the queue."""

    def begin_to_stop(self) -> None:
        """Nothing: a task is done again from its beginning."""

    async def aclose(self) -> None:
        """Nothing."""


def build(
    ground: Ground,
    *,
    knowledge: KnowledgeWing,
    learning: LearningWing,
    understanding: UnderstandingWing,
    assistants: AssistantsWing,
) -> SupportRoom:
    """Its reviewer joins the engine of runs."""
    database, catalog, clock = ground.database, ground.catalog, ground.clock
    publishing = Publishing(database, catalog, clock, knowledge.files, learning.datasets, understanding.domains)
    folder = ground.settings.data_dir
    evaluating = Evaluating(database, catalog, clock, folder, understanding.domains, understanding.understandings)
    others: dict[str, Does] = {"publish": publishing, "evaluation": evaluating}
    handler = SupportHandler(database, catalog, ground.blobs, clock, folder, others)
    assistants.engine.reviewers.append(HandingOver(database, clock))
    queue = HandoffQueue(database, assistants.runs, learning.feedback, clock, embedder=catalog.default_embedder)
    room = SupportRoom(ground, DeskCommands(database, clock), queue, handler)
    assistants.holdings.append(SupportHoldings())
    return room
