"""The wing of safety, built: moderation of texts for clients and guards, audits of models."""

from dataclasses import dataclass

from zhuli.ground import Ground
from zhuli.safety.audits.asking import Asking, Predict
from zhuli.safety.audits.handler import Audits
from zhuli.safety.guarding import Guarding
from zhuli.safety.moderation.moderating import Moderations
from zhuli.store.safety import audits
from zhuli.worker.loop import Chore, JobKind


@dataclass
class SafetyWing:
    """Implements ground.Wing."""

    ground: Ground
    moderations: Moderations
    guarding: Guarding
    audits: Audits

    def jobs(self) -> dict[str, JobKind]:
        return {audits.JOB: JobKind(self.audits, 1)}

    def chores(self) -> list[Chore]:
        return []

    async def start(self) -> None:
        """Nothing: what judges is loaded with the first text."""

    def begin_to_stop(self) -> None:
        """Nothing: judging takes moments."""

    async def aclose(self) -> None:
        """Nothing: the embedder is the catalog's."""


def build(ground: Ground, *, predict: Predict) -> SafetyWing:
    """predict: what tuned models answer, which audits ask."""
    moderations = Moderations(ground.database, ground.catalog)
    asking = Asking(ground.database, ground.catalog, moderations, predict)
    audited = Audits(ground.database, asking, ground.clock, max_attempts=ground.settings.max_attempts)
    return SafetyWing(ground, moderations, Guarding(moderations), audited)
