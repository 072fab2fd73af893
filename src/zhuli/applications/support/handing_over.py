"""Handing over: which decisions go to a person, with what, and what the run then does. A reviewer of the engine's decisions.

What the domain's policy decides stands, but for two things: a message that states a risk goes to a person whatever is known,
and a decision to hand over becomes a call of the function `handoff` where the run offers it, with what a person needs to go
on. The handoff is in the queue before the decision is in the run's log; made again for the same message it is the same one.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from zhuli.applications.support import hours, risks
from zhuli.applications.support.published import DESK, HANDOFF, HANDOFF_ANSWER, suggestions
from zhuli.core.clock import Clock
from zhuli.core.errors import NotFound
from zhuli.core.ids import new_id
from zhuli.store import collections
from zhuli.store.applications import support as store
from zhuli.store.database import Database
from zhuli.store.message_text import text_of
from zhuli.store.schema import support_desks
from zhuli.types.applications.support import Desk, Handoff, HandoffReason
from zhuli.types.assistants.run import Run
from zhuli.types.assistants.tools import FunctionTool
from zhuli.types.understanding.domain import Domain
from zhuli.types.understanding.understanding import (
    Asked,
    Decision,
    DialogueState,
    HandedOver,
    StateChange,
    TopicClosed,
    TopicOpened,
    Understanding,
)
from zhuli.understanding.dialogue.responses.responses import built_in
from zhuli.understanding.dialogue.state import fold

_LOOKED_AT = 12
"""Messages of the thread that a summary is made of."""

_OF_A_MESSAGE = 300
"""Characters of it that the summary has."""


class HandingOver:
    """Implements assistants.runs.engine.Reviewer."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def __call__(
        self, project: str, domain: Domain, run: Run, state: DialogueState, made: Understanding
    ) -> Understanding:
        desk_id = domain.metadata.get(DESK)
        if desk_id is None or made.decision is None or state.handed_over or made.message_id is None:
            return made
        desk = await self._database.run(_desk, project, desk_id)
        if desk is None or (given := reason_of(desk, made)) is None:
            return made
        return await self._database.run(self._handed, project, desk, domain, run, state, made, given)

    def _handed(
        self,
        connection: Connection,
        project: str,
        desk: Desk,
        domain: Domain,
        run: Run,
        state: DialogueState,
        made: Understanding,
        given: tuple[HandoffReason, str],
    ) -> Understanding:
        now = self._clock.now()
        opens = hours.opens_at(desk.hours, now)
        after = fold(made.changes, state)
        handoff = store.add_handoff(
            connection,
            project,
            Handoff(
                id=new_id("hand"),
                created_at=int(now),
                desk_id=desk.id,
                thread_id=run.thread_id,
                run_id=run.id,
                message_id=made.message_id or "",
                reason=given[0],
                why=given[1],
                question=made.text[:8_192],
                summary=summary(store.said_on(connection, run.thread_id, most=_LOOKED_AT), after),
                state=after.model_dump(mode="json"),
                suggestions=suggestions(domain, made),
                opens_at=None if opens is None else int(opens),
            ),
            at=now,
        )
        return instead(desk, domain, run, made, handoff, opens=opens)


def reason_of(desk: Desk, made: Understanding) -> tuple[HandoffReason, str] | None:
    """Why a person must go on, and by what; None where the assistant may."""
    decision = made.decision
    assert decision is not None
    if (risk := risks.found(made.text, desk.risks)) is not None:
        return risk
    if decision.act != "hand_over" and decision.function != HANDOFF:
        return None
    asked = made.intent is not None and any(one.name == "person" for one in (made.intent, *made.intents))
    if asked or decision.why == "The user wants a person.":
        return "asked", decision.why
    return "unsure", decision.why


def instead(
    desk: Desk, domain: Domain, run: Run, made: Understanding, handoff: Handoff, *, opens: float | None
) -> Understanding:
    """The understanding with what the run does now: calls the client, or says that somebody comes.

    Nothing that the message opened or asked stays: who answers it is the person.
    """
    changes: list[StateChange] = [
        one for one in made.changes if not isinstance(one, Asked | TopicOpened | TopicClosed | HandedOver)
    ]
    reasons = [*made.reasons, f"Handed over ({handoff.reason}): {handoff.why}"]
    assert made.decision is not None
    if opens is not None and desk.hours is not None:
        text = hours.closed_text(desk.hours, opens, made.language)
        decision = Decision(act="respond", text=text, why=f"Nobody is there: {handoff.why}")
    elif offers_handoff(run):
        decision = Decision(
            act="call", function=HANDOFF, arguments=arguments(handoff), response=HANDOFF_ANSWER, why=handoff.why
        )
    else:
        own = made.decision.text if made.decision.act == "hand_over" else None
        decision = Decision(act="hand_over", text=own or built_in("hand_over", made.language), why=handoff.why)
        changes.append(HandedOver())
    return made.model_copy(update={"decision": decision, "changes": changes, "reasons": reasons})


def offers_handoff(run: Run) -> bool:
    """Whether the client takes a handoff as a call of its function."""
    if run.tool_choice == "none":
        return False
    return any(isinstance(tool, FunctionTool) and tool.function.name == HANDOFF for tool in run.tools)


def arguments(handoff: Handoff) -> dict[str, Any]:
    """What the client's function is given."""
    slots = {name: slot["value"] for name, slot in handoff.state["slots"].items() if slot["value"] is not None}
    return {
        "handoff": handoff.id,
        "reason": handoff.reason,
        "why": handoff.why,
        "question": handoff.question,
        "summary": handoff.summary,
        "state": {"intent": handoff.state["intent"], "slots": slots},
        "suggestions": [one.model_dump() for one in handoff.suggestions],
    }


def summary(said: Sequence[tuple[str, str, Any]], state: DialogueState) -> str:
    """The dialogue in few lines: what is known, and who said what. Taken from it word for word, so it invents nothing."""
    known = ", ".join(f"{name}: {slot.value}" for name, slot in state.slots.items() if slot.value is not None)
    lines = [f"{role}: {_short(text_of(content))}" for _, role, content in said]
    return "\n".join([*([f"Known: {known}"] if known else []), *lines])


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _OF_A_MESSAGE else f"{plain[:_OF_A_MESSAGE]}…"


def _desk(connection: Connection, project: str, desk_id: str) -> Desk | None:
    """The desk, unless it was deleted while its assistant goes on."""
    try:
        return collections.get(connection, support_desks, Desk, project, desk_id)
    except NotFound:
        return None
