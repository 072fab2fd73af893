"""What goes on by itself: what was served is written, windows are looked at, policies make candidates, candidates are taken on.

A chore in each worker process; what two of them do at once is done once, by the store.
"""

import logging

from zhuli.core.clock import Clock
from zhuli.core.errors import Conflict, ZhuliError
from zhuli.learning.retuning.commands import RetuningCommands
from zhuli.learning.retuning.serving import Serving
from zhuli.learning.retuning.watching import DriftWatch
from zhuli.store.database import Database
from zhuli.store.learning import datasets, retuning
from zhuli.types.learning.retuning import CandidateCreate, Policy

log = logging.getLogger(__name__)

EVERY_SECONDS = 1.0


class Circle:
    """Made once for a process."""

    def __init__(
        self, database: Database, clock: Clock, serving: Serving, watch: DriftWatch, commands: RetuningCommands
    ) -> None:
        self._database = database
        self._clock = clock
        self._serving = serving
        self._watch = watch
        self._commands = commands

    async def turn(self) -> None:
        """Once around."""
        policies = await self._database.run(retuning.policies)
        self._serving.policies = {(project, policy.alias): policy for project, policy in policies}
        heard = await self._serving.flush()
        for project, alias in heard | set(self._serving.policies):
            await self._watch.look(project, alias)
        active = await self._database.run(retuning.active)
        busy = {(each.project, each.candidate.alias) for each in active}
        for project, policy in policies:
            if (project, policy.alias) not in busy:
                await self._trigger(project, policy)
        moving = [each.candidate.id for each in active if each.candidate.status != "signing"]
        if moving:
            await self._database.run(retuning.enqueue, moving)

    async def _trigger(self, project: str, policy: Policy) -> None:
        because = await self._because(project, policy)
        if because is None:
            return
        try:
            await self._commands.propose(project, policy.alias, CandidateCreate(), because=because)
        except Conflict:
            pass  # another process was first
        except ZhuliError as error:
            log.warning("The policy of '%s' wants a candidate, and none can be made: %s", policy.alias, error.message)

    async def _because(self, project: str, policy: Policy) -> str | None:
        """Why a candidate is to be made now, if any."""
        triggers, run = policy.triggers, self._database.run
        last = await run(retuning.last_of_kind, project, policy.alias, ["triggered"])
        if triggers.drift:
            drifted = await run(retuning.last_of_kind, project, policy.alias, ["drifted", "triggered"])
            if drifted is not None and drifted.kind == "drifted":
                return "drift"
        if triggers.new_examples is not None and policy.dataset is not None:
            newest = await run(datasets.latest_version, policy.dataset)
            used = last.changes.get("dataset_version") if last is not None else None
            known = await run(datasets.version_named, project, used) if used else None
            if newest and newest.position - (known.position if known else 0) >= triggers.new_examples:
                return "examples"
        if triggers.every_hours is not None:
            begun = last.created_at if last is not None else policy.created_at
            if self._clock.now() - begun >= 3600 * triggers.every_hours:
                return "schedule"
        return None
