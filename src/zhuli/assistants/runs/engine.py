"""What executions of runs share, and the one way to end a run that is not simply finished."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import orjson
from sqlalchemy import Connection

from zhuli.assistants.runs import lifecycle
from zhuli.assistants.runs.guarded import Judge
from zhuli.assistants.runs.history import History
from zhuli.assistants.runs.images import Images
from zhuli.assistants.runs.outcomes import Cancelled, End, Failed
from zhuli.assistants.runs.toolbox import Toolbox
from zhuli.core.clock import Clock
from zhuli.core.hints import Hints
from zhuli.core.telemetry import Telemetry
from zhuli.models.catalog import Catalog
from zhuli.settings import Settings
from zhuli.store.assistants import runs
from zhuli.store.database import Database
from zhuli.store.jobs import Job
from zhuli.types.assistants.event import RunEvent
from zhuli.types.assistants.run import Run
from zhuli.types.understanding.domain import Domain
from zhuli.types.understanding.understanding import DialogueState, Understanding
from zhuli.understanding.dialogue.understanding import Understandings

log = logging.getLogger(__name__)

Reviewer = Callable[[str, Domain, Run, DialogueState, Understanding], Awaitable[Understanding]]
"""What somebody above makes of what was understood, before it is in the run's log: project, domain, run, and the state before it.

Done again for the same message, when a process died, it gives the same.
"""


@dataclass(frozen=True, slots=True)
class Engine:
    """Made once, by the composition root."""

    database: Database
    hints: Hints
    catalog: Catalog
    history: History
    images: Images
    clock: Clock
    telemetry: Telemetry
    settings: Settings
    understandings: Understandings
    tools: Toolbox
    judge: Judge
    reviewers: list[Reviewer] = field(default_factory=list)
    """Of applications, which are built later."""

    async def end(self, run_id: str, end: End, job: Job | None = None) -> None:
        """Close what is open and end the run, in one transaction; a run that is being cancelled is cancelled."""
        events = await self.database.run(_end, run_id, end, self.clock.now(), job)
        self.note_rest(run_id, events[-1], end.message if isinstance(end, Failed) else "")

    def note_rest(self, run_id: str, last: RunEvent, why: str = "") -> None:
        """Tell operators that a run has ended or waits for its client."""
        status = last.name.removeprefix("thread.run.")
        self.telemetry.run_rested(status, self.clock.now() - orjson.loads(last.data)["created_at"])
        level = logging.WARNING if why else logging.INFO
        if log.isEnabledFor(level):
            fields = {"run_id": run_id, "status": status}
            log.log(level, "Run %s%s", status, f": {why}" if why else "", extra={"fields": fields})


def _end(connection: Connection, run_id: str, end: End, now: float, job: Job | None) -> list[RunEvent]:
    if runs.lock_status(connection, run_id) == "cancelling":
        end, job = Cancelled(), None
    usages = runs.turn_usages(connection, run_id)
    changes = lifecycle.ending(end, runs.open_items(connection, run_id), usages, int(now))
    return runs.record(connection, run_id, changes, now=now, job=job)
