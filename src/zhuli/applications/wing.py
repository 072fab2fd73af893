"""The wing of applications, built: each room is an application of its own, and stands on the wings below through their doors."""

from dataclasses import dataclass

from zhuli.applications.opinion.room import OpinionRoom
from zhuli.applications.opinion.room import build as build_opinion
from zhuli.applications.recommender.room import RecommenderRoom
from zhuli.applications.recommender.room import build as build_recommender
from zhuli.applications.support.room import SupportRoom
from zhuli.applications.support.room import build as build_support
from zhuli.assistants.wing import AssistantsWing
from zhuli.ground import Ground, Wing
from zhuli.knowledge.wing import KnowledgeWing
from zhuli.learning.wing import LearningWing
from zhuli.safety.wing import SafetyWing
from zhuli.understanding.wing import UnderstandingWing
from zhuli.worker.loop import Chore, JobKind


@dataclass(frozen=True, slots=True)
class Below:
    """What applications are built of."""

    knowledge: KnowledgeWing
    learning: LearningWing
    safety: SafetyWing
    understanding: UnderstandingWing
    assistants: AssistantsWing


@dataclass
class ApplicationsWing:
    """Implements ground.Wing, as each of its rooms does."""

    opinion: OpinionRoom
    recommender: RecommenderRoom
    support: SupportRoom

    @property
    def rooms(self) -> tuple[Wing, ...]:
        """In the order in which they are started."""
        return self.opinion, self.recommender, self.support

    def jobs(self) -> dict[str, JobKind]:
        return {kind: job for room in self.rooms for kind, job in room.jobs().items()}

    def chores(self) -> list[Chore]:
        return [chore for room in self.rooms for chore in room.chores()]

    async def start(self) -> None:
        for room in self.rooms:
            await room.start()

    def begin_to_stop(self) -> None:
        for room in self.rooms:
            room.begin_to_stop()

    async def aclose(self) -> None:
        for room in reversed(self.rooms):
            await room.aclose()


def build(ground: Ground, below: Below) -> ApplicationsWing:
    """The applications, each made by its own room.py."""
    return ApplicationsWing(
        opinion=build_opinion(ground, below.learning, below.assistants),
        recommender=build_recommender(ground, below.assistants),
        support=build_support(
            ground,
            knowledge=below.knowledge,
            learning=below.learning,
            understanding=below.understanding,
            assistants=below.assistants,
        ),
    )
