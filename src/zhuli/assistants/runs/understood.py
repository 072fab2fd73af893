"""What a run with a domain makes of its user's messages: which wait to be understood, and what the last of them decides.

A message is understood once: what was understood is recorded in the run's log (and by that in the thread's state) before
anything follows from it, so an execution after a crash finds it. What follows is in assistants/runs/policy_turn.
"""

import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from zhuli.assistants.runs.engine import Engine
from zhuli.assistants.runs.policy_turn import PolicyTurn, lacks, possible
from zhuli.core.errors import InvalidRequest, NotFound, Outage, ZhuliError
from zhuli.core.ids import new_id
from zhuli.store import collections, schema
from zhuli.store.understanding import understandings
from zhuli.store.understanding.understandings import Unanswered
from zhuli.types.assistants.event import UNDERSTOOD, Change
from zhuli.types.assistants.run import Run
from zhuli.types.understanding.domain import Domain
from zhuli.types.understanding.understanding import Decision, DialogueState, Understanding
from zhuli.understanding.dialogue.state import fold
from zhuli.understanding.dialogue.thread_states import state_of

log = logging.getLogger(__name__)

Guard = Callable[[Coroutine[Any, Any, Understanding]], Awaitable[Understanding]]
Record = Callable[[list[Change]], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Found:
    """The run's domain, the state behind what is understood already, and the messages that nobody has replied to."""

    domain: Domain
    state: DialogueState
    unanswered: list[Unanswered]


@dataclass(frozen=True, slots=True)
class RunUnderstanding:
    """Of one run. guarded: does what takes its time, and stops when the run is interrupted. record: writes to its log."""

    engine: Engine
    run: Run
    project: str
    guarded: Guard
    record: Record

    async def policy_turn(self) -> PolicyTurn:
        """What the user's newest message decides, when all that wait are understood and recorded."""
        found = await self.engine.database.run(_look, self.project, self.run)
        domain, state, newest = found.domain, found.state, None
        for message in found.unanswered:
            newest = message.understanding
            if newest is None:
                with self.engine.telemetry.span("understand", message=message.message_id) as span:
                    newest = await self.guarded(self._understood(domain, state, message))
                    span.set_attribute("intent", newest.intent.name if newest.intent else "")
                shown = {**newest.model_dump(mode="json"), "shown": domain.show}
                await self.record([Change(UNDERSTOOD, shown)])
                state = fold(newest.changes, state)
        return PolicyTurn(domain, state, possible(self.run, None if newest is None else newest.decision))

    async def _understood(self, domain: Domain, state: DialogueState, message: Unanswered) -> Understanding:
        """What the message means in this state. Where it can't be told the model talks, and the reasons say why."""
        try:
            made = await self.engine.understandings.understand(
                self.project,
                domain,
                message.text,
                state,
                thread_id=self.run.thread_id,
                message_id=message.message_id,
                run_id=self.run.id,
            )
        except Outage:  # which passes, and the message can be understood then
            raise
        except ZhuliError as error:
            log.warning("Message %s could not be understood: %s", message.message_id, error.message)
            made = self._not_understood(domain, message, f"The message could not be understood: {error.message}")
        except Exception:  # an understander may be anybody's, and the run is not lost for it
            log.exception("Message %s could not be understood", message.message_id)
            made = self._not_understood(domain, message, "The understander broke; the server's log says how.")
        for review in self.engine.reviewers:
            made = await review(self.project, domain, self.run, state, made)
        lacking = None if made.decision is None else lacks(self.run, made.decision)
        return made if lacking is None else made.model_copy(update={"reasons": [*made.reasons, lacking]})

    def _not_understood(self, domain: Domain, message: Unanswered, why: str) -> Understanding:
        return Understanding(
            id=new_id("und"),
            created_at=int(self.engine.clock.now()),
            domain=domain.id,
            version=domain.version,
            text=message.text,
            thread_id=self.run.thread_id,
            message_id=message.message_id,
            run_id=self.run.id,
            decision=Decision(act="talk", why=why),
            reasons=[why],
        )


def _look(connection: Connection, project: str, run: Run) -> Found:
    """What is there to be understood. Behind a message that waits all others wait too: they were understood without it."""
    assert run.domain is not None
    try:
        domain = collections.get(connection, schema.domains, Domain, project, run.domain)
    except NotFound as error:  # NotFound itself would mean that the run is gone
        raise InvalidRequest(
            f"The run's domain {run.domain} was deleted. Give the assistant another one, "
            'or create the run with domain "none".'
        ) from error
    found = understandings.unanswered(connection, run.thread_id, run.id)
    known = next((n for n, message in enumerate(found) if not _is_known(message, domain)), len(found))
    for message in found[known:]:
        if message.understanding is not None:
            understandings.forget(connection, message.message_id)
    waiting = [Unanswered(message.message_id, message.text, None) for message in found[known:]]
    return Found(domain, state_of(connection, run.thread_id), [*found[:known], *waiting])


def _is_known(message: Unanswered, domain: Domain) -> bool:
    return message.understanding is not None and message.understanding.domain == domain.id
