"""The opinion monitor, built: its commands, the jobs that read and deliver, and what is looked after now and then."""

from dataclasses import dataclass

from zhuli.applications.opinion.commands import OpinionCommands
from zhuli.applications.opinion.delivering import Delivering
from zhuli.applications.opinion.handler import ReadingHandler
from zhuli.applications.opinion.holdings import OpinionHoldings
from zhuli.applications.opinion.watching import Watch
from zhuli.assistants.wing import AssistantsWing
from zhuli.ground import Ground
from zhuli.learning.wing import LearningWing
from zhuli.store.applications import opinion, opinion_alerts
from zhuli.worker.loop import Chore, JobKind

_READERS = 2
_DELIVERIES = 8


@dataclass
class OpinionRoom:
    """Implements ground.Wing."""

    ground: Ground
    commands: OpinionCommands
    reading: ReadingHandler
    delivering: Delivering

    def jobs(self) -> dict[str, JobKind]:
        return {
            opinion.READ: JobKind(self.reading, _READERS, apart=True),
            opinion_alerts.DELIVER: JobKind(self.delivering, _DELIVERIES, apart=True),
        }

    def chores(self) -> list[Chore]:
        return [Chore(2.0, self._deliver_again), Chore(20.0, self._escalate), Chore(60.0, self._read_again)]

    async def _deliver_again(self) -> None:
        await self.ground.database.run(opinion_alerts.due, now=self.ground.clock.now())

    async def _escalate(self) -> None:
        now = self.ground.clock.now()
        for each in await self.ground.database.run(opinion_alerts.overdue, now=now):
            await self.ground.database.run(opinion_alerts.escalate, each.project, each.alert, now=now)

    async def _read_again(self) -> None:
        """Monitors whose reading has stopped: a model may be there by now."""
        behind = await self.ground.database.run(opinion.behind)
        if behind:
            await self.ground.database.run(opinion.wake, behind)

    async def start(self) -> None: ...

    def begin_to_stop(self) -> None: ...

    async def aclose(self) -> None: ...


def build(ground: Ground, learning: LearningWing, assistants: AssistantsWing) -> OpinionRoom:
    """The room, on the wing of learning; what it has of end users is told to that of assistants."""
    database, clock, predict = ground.database, ground.clock, learning.predictions.answer
    watch = Watch(database, predict, clock)
    room = OpinionRoom(
        ground,
        OpinionCommands(database, clock),
        ReadingHandler(database, predict, watch, clock),
        Delivering(database, ground.settings, clock),
    )
    assistants.holdings.append(OpinionHoldings())
    return room
