"""The recommender, built: what clients do, what serves lists, and the jobs that make vectors, train, and delete."""

from dataclasses import dataclass

from zhuli.applications.recommender.commands import RecommenderCommands
from zhuli.applications.recommender.holdings import RecommenderHoldings
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


def build(ground: Ground, assistants: AssistantsWing) -> RecommenderRoom:
    """Embedders come from the catalog; what it has of end users is told to the wing of assistants."""
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
    assistants.holdings.append(RecommenderHoldings())
    return room
