"""The recommender, built: what clients do, what serves lists, and the jobs that make vectors, train, and delete."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from zhuli.applications.recommender.commands import RecommenderCommands
from zhuli.applications.recommender.serving import Serving
from zhuli.applications.recommender.training import Discarding, TrainingHandler
from zhuli.applications.recommender.vectors import ItemVectors
from zhuli.assistants.wing import AssistantsWing
from zhuli.ground import Ground
from zhuli.store.applications import recommender as store
from zhuli.worker.loop import Chore, JobKind


@dataclass
class RecommenderRoom:
    """Implements ground.Wing."""

    ground: Ground
    commands: RecommenderCommands
    serving: Serving
    vectors: ItemVectors
    trainings: TrainingHandler
    discarding: Discarding

    def jobs(self) -> dict[str, JobKind]:
        return {
            store.VECTORS: JobKind(self.vectors, 1),
            store.TRAINING: JobKind(self.trainings, 1, apart=True),
            store.DISCARD: JobKind(self.discarding, 1),
        }

    def chores(self) -> list[Chore]:
        return []

    async def start(self) -> None:
        """Nothing: a recommender comes into memory with its first request."""

    def begin_to_stop(self) -> None:
        """Nothing: a child that trains is killed with its job, which is put back."""

    async def aclose(self) -> None:
        """Nothing is open."""

    async def forget(self, project: str, user: str, _: Sequence[str]) -> Counter[str]:
        """Delete an end user's events and lists."""
        gone: Counter[str] = Counter()
        while some := await self.ground.database.run(store.forget_some, project, user):
            gone.update(some)
            await asyncio.sleep(0)
        return gone


def build(ground: Ground, assistants: AssistantsWing) -> RecommenderRoom:
    """Embedders come from the catalog; an end user's deletion is told to it."""
    settings, database = ground.settings, ground.database
    vectors = ItemVectors(database, ground.catalog)
    room = RecommenderRoom(
        ground,
        RecommenderCommands(database, ground.catalog, ground.clock),
        Serving(database, ground.catalog, ground.clock, settings.data_dir),
        vectors,
        TrainingHandler(database, vectors, ground.clock, settings.data_dir),
        Discarding(database, settings.data_dir),
    )
    assistants.forgetting.also.append(room.forget)
    return room
