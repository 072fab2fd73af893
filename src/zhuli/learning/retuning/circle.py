"""What goes on by itself: what was served is written, windows are looked at, policies make candidates, candidates are taken on.

A chore in each process; what two of them do at once is done once, by the store. Each turn writes what was served. The rest is
done when a hint says that something has changed, every second while a candidate is asked, and else every LOOK_SECONDS: a hint of
another process does not come.
"""

import logging
from collections.abc import Sequence
from contextlib import ExitStack

from zhuli.core.clock import Clock
from zhuli.core.errors import Conflict, ZhuliError
from zhuli.core.hints import Hints
from zhuli.learning.retuning.commands import RetuningCommands
from zhuli.learning.retuning.serving import Serving
from zhuli.learning.retuning.watching import DriftWatch
from zhuli.store.database import Database
from zhuli.store.learning import datasets, fine_tuning, retuning, tuned_models
from zhuli.store.learning.retuning import Stored
from zhuli.types.learning.dataset import DataSetVersion
from zhuli.types.learning.retuning import CandidateCreate, Decision, Policy

log = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
LOOK_SECONDS = 10.0
"""How often policies and candidates are looked up, should a hint be lost or come from another process."""

_CHANGES = (retuning.TOPIC, tuned_models.TOPIC, datasets.VERSIONS)
_ASKED = ("shadow", "share", "all")
"""Candidates whose answers are judged, and may send them back at once."""


class Circle:
    """Made once for a process."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        hints: Hints,
        serving: Serving,
        watch: DriftWatch,
        commands: RetuningCommands,
    ) -> None:
        self._database = database
        self._clock = clock
        self._serving = serving
        self._watch = watch
        self._commands = commands
        self._look_at = 0.0
        self._listening = ExitStack()
        for topic in _CHANGES:
            self._listening.enter_context(hints.call(topic, self._wake))

    async def turn(self) -> None:
        """Once around."""
        heard = await self._serving.flush()
        if self._clock.now() < self._look_at:
            for (project, alias), number in heard.items():
                await self._watch.heard(project, alias, number)
            return
        self._look_at = self._clock.now() + LOOK_SECONDS
        self._watch.forget()
        policies = await self._database.run(retuning.policies)
        self._serving.policies = {(project, policy.alias): policy for project, policy in policies}
        for project, alias in set(heard) | set(self._serving.policies):
            await self._watch.look(project, alias)
        await self._go_on(policies, await self._database.run(retuning.active))

    def aclose(self) -> None:
        """Listen to nothing any more."""
        self._listening.close()

    def _wake(self, _: object) -> None:
        self._look_at = 0.0

    async def _go_on(self, policies: Sequence[tuple[str, Policy]], active: Sequence[Stored]) -> None:
        """Candidates are made where there are none, and taken on where there are."""
        busy = {(each.project, each.candidate.alias) for each in active}
        for project, policy in policies:
            if (project, policy.alias) not in busy:
                await self._trigger(project, policy)
        moving = [each.candidate.id for each in active if each.candidate.status != "signing"]
        if moving:
            await self._database.run(retuning.enqueue, moving)
        if any(each.candidate.status in _ASKED for each in active):
            self._look_at = 0.0

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
            known = await self._known(project, policy, last)
            begun = known.position if known else 0
            if await self._commands.has_new_examples(project, policy, triggers.new_examples, after=begun):
                return "examples"
        if triggers.every_hours is not None:
            begun = last.created_at if last is not None else policy.created_at
            if self._clock.now() - begun >= 3600 * triggers.every_hours:
                return "schedule"
        return None

    async def _known(self, project: str, policy: Policy, last: Decision | None) -> DataSetVersion | None:
        """The version that the last candidate was made of; before there was one, that which the champion learned from."""
        run = self._database.run
        used = last.changes.get("dataset_version") if last is not None else None
        if used:
            return await run(datasets.version_named, project, used)
        leads_to = (await run(tuned_models.aliases)).get((project, policy.alias))
        champion = next((model for model in await run(tuned_models.every) if model.name == leads_to), None)
        if champion is None or champion.job is None or policy.dataset is None:
            return None
        learned = await run(fine_tuning.get, project, champion.job)
        return await run(datasets.version_with, policy.dataset, learned.training_file)
