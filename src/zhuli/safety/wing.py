"""The wing of safety, built: moderation of texts for clients and guards."""

from dataclasses import dataclass

from zhuli.ground import Ground
from zhuli.safety.guarding import Guarding
from zhuli.safety.moderation.moderating import Moderations
from zhuli.worker.loop import Chore, JobKind


@dataclass
class SafetyWing:
    """Implements ground.Wing."""

    ground: Ground
    moderations: Moderations
    guarding: Guarding

    def jobs(self) -> dict[str, JobKind]:
        return {}

    def chores(self) -> list[Chore]:
        return []

    async def start(self) -> None:
        """Nothing: what judges is loaded with the first text."""

    def begin_to_stop(self) -> None:
        """Nothing: judging takes moments."""

    async def aclose(self) -> None:
        """Nothing: the embedder is the catalog's."""


def build(ground: Ground) -> SafetyWing:
    moderations = Moderations(ground.database, ground.catalog)
    return SafetyWing(ground, moderations, Guarding(moderations))
