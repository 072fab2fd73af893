"""The wing of understanding, built: domains, and the understanding of messages in them. It has no jobs."""

from dataclasses import dataclass

from zhuli.ground import Ground
from zhuli.understanding.dialogue.loaded_understanders import LoadedUnderstanders
from zhuli.understanding.dialogue.understander_services import Predict
from zhuli.understanding.dialogue.understanding import Understandings
from zhuli.understanding.domains.saving import Domains
from zhuli.worker.loop import Chore, JobKind


@dataclass
class UnderstandingWing:
    """Implements ground.Wing."""

    understandings: Understandings
    domains: Domains

    def jobs(self) -> dict[str, JobKind]:
        return {}

    def chores(self) -> list[Chore]:
        return []

    async def start(self) -> None:
        """Nothing: an understander is prepared when its domain is first asked."""

    def begin_to_stop(self) -> None:
        """Nothing."""

    async def aclose(self) -> None:
        await self.domains.aclose()
        await self.understandings.aclose()


def build(ground: Ground, *, predict: Predict) -> UnderstandingWing:
    """predict: asks tuned models, for understanders that use some."""
    settings = ground.settings
    loaded = LoadedUnderstanders(
        folder=settings.data_dir / "understanding",
        database=ground.database,
        catalog=ground.catalog,
        answer=predict,
        most=settings.understanders,
        plugins=settings.understander_plugins,
    )
    understandings = Understandings(loaded, ground.clock, ground.telemetry)
    domains = Domains(ground.database, understandings, ground.clock, plugins=settings.understander_plugins)
    return UnderstandingWing(understandings, domains)
