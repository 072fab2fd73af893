"""The agents' queue: claim, answer, return. What an agent answers reaches the user, feedback, and the desk's proposals.

A run that waits for `handoff` takes the answer as the function's output, by the same door as a client's; where none waits any
more, the answer is a message of the thread, and the thread is the assistant's again.
"""

import hashlib
from contextlib import suppress
from typing import Any

import orjson
from sqlalchemy import Connection

from zhuli.applications.support.published import HANDOFF
from zhuli.assistants.runs.commands import RunCommands, add_messages, refuse_while_active
from zhuli.core.clock import Clock
from zhuli.core.errors import InvalidRequest, NotFound
from zhuli.core.ids import new_id
from zhuli.learning.feedback.giving import FeedbackCommands
from zhuli.store import collections
from zhuli.store.applications import support as store
from zhuli.store.assistants import threads
from zhuli.store.database import Database
from zhuli.store.schema import runs
from zhuli.store.understanding import understandings
from zhuli.types.applications.support import Content, Handoff, HandoffAnswer, HandoffClaim, HandoffReturn, Proposal
from zhuli.types.assistants.message import MessageCreate
from zhuli.types.assistants.run import Run, ToolOutput
from zhuli.types.learning.feedback import Correction, FeedbackCreate, FeedbackTarget
from zhuli.types.understanding.understanding import HandedOver, Understanding
from zhuli.understanding.dialogue.thread_states import state_of


class HandoffQueue:
    """Made once. Each method gives the handoff as it is after it."""

    def __init__(
        self, database: Database, runs: RunCommands, feedback: FeedbackCommands, clock: Clock, *, embedder: str
    ) -> None:
        self._database = database
        self._runs = runs
        self._feedback = feedback
        self._clock = clock
        self._embedder = embedder

    async def claim(self, project: str, desk_id: str, handoff_id: str, body: HandoffClaim) -> Handoff:
        """The handoff is this agent's; InvalidRequest where it is another's, or over."""
        return await self._database.run(self._claim, project, desk_id, handoff_id, body)

    def _claim(
        self, connection: Connection, project: str, desk_id: str, handoff_id: str, body: HandoffClaim
    ) -> Handoff:
        there = store.lock_handoff(connection, project, desk_id, handoff_id)
        _refuse(there, body.agent, doing="claimed")
        if there.status == "claimed":
            return there
        claimed = there.model_copy(
            update={"status": "claimed", "agent": body.agent, "claimed_at": int(self._clock.now())}
        )
        store.change_handoff(connection, claimed, event="claimed", at=self._clock.now())
        return claimed

    async def answer(self, project: str, desk_id: str, handoff_id: str, body: HandoffAnswer) -> Handoff:
        """The user has the agent's answer. Sent again, the same answer is given once."""
        there = await self._database.run(self._take, project, desk_id, handoff_id, body)
        if there.status == "answered":
            return there
        run = await self._waiting(project, there)
        if run is not None:
            await self._submit(project, there, run, {"answer": body.text, "agent": body.agent})
        else:
            await self._database.run(self._say, project, there, body.text)
        feedback = await self._feedback_of(project, there, body)
        return await self._database.run(self._answered, project, there.id, desk_id, body, feedback)

    def _take(
        self, connection: Connection, project: str, desk_id: str, handoff_id: str, body: HandoffAnswer
    ) -> Handoff:
        there = store.lock_handoff(connection, project, desk_id, handoff_id)
        if there.status == "answered" and there.answer == body.text:
            return there
        _refuse(there, body.agent, doing="answered")
        return there

    async def give_back(self, project: str, desk_id: str, handoff_id: str, body: HandoffReturn) -> Handoff:
        """To the queue, for another agent; or to the assistant, which goes on."""
        there = await self._database.run(store.lock_handoff, project, desk_id, handoff_id)
        _refuse(there, body.agent, doing="returned")
        if body.to == "assistant":
            run = await self._waiting(project, there)
            if run is not None:
                await self._submit(project, there, run, {"returned": True, "answer": ""})
            else:
                await self._database.run(self._release, project, there.thread_id)
        return await self._database.run(self._returned, project, desk_id, handoff_id, body)

    async def _waiting(self, project: str, handoff: Handoff) -> Run | None:
        """The run that waits for the output of `handoff`, where it still does."""
        with suppress(NotFound):
            run = await self._database.run(collections.get, runs, Run, project, handoff.run_id)
            if run.status == "requires_action":
                return run
        return None

    async def _submit(self, project: str, handoff: Handoff, run: Run, output: dict[str, Any]) -> None:
        assert run.required_action is not None
        calls = run.required_action.submit_tool_outputs.tool_calls
        said = orjson.dumps(output).decode()
        outputs = [
            ToolOutput(tool_call_id=one.id, output=said if one.function.name == HANDOFF else "") for one in calls
        ]
        await self._runs.submit(project, handoff.thread_id, run.id, outputs)

    def _say(self, connection: Connection, project: str, handoff: Handoff, text: str) -> None:
        """The answer as a message of the thread, which is the assistant's again."""
        threads.lock(connection, project, handoff.thread_id)
        refuse_while_active(connection, handoff.thread_id, doing="answer")
        given = MessageCreate(role="assistant", content=text, metadata={"handoff": handoff.id})
        now = int(self._clock.now())
        add_messages(connection, project, handoff.thread_id, [given], now, embedder=self._embedder)
        self._release(connection, project, handoff.thread_id)

    def _release(self, connection: Connection, project: str, thread_id: str) -> None:
        state = state_of(connection, thread_id)
        if not state.handed_over or state.domain is None:
            return
        given = Understanding(
            id=new_id("und"),
            created_at=int(self._clock.now()),
            domain=state.domain,
            version=0,
            text="",
            thread_id=thread_id,
            changes=[HandedOver(released=True)],
            reasons=["An agent gave the thread back."],
        )
        understandings.add(connection, project, thread_id, given)

    async def _feedback_of(self, project: str, there: Handoff, body: HandoffAnswer) -> str | None:
        """What the agent wrote, as a correction of the run's answer; None where the run is gone."""
        given = FeedbackCreate(
            target=FeedbackTarget(type="run", id=there.run_id),
            correction=Correction(text=body.text),
            comment=f"handoff {there.id}, {there.reason}",
            source="reviewer",
            key=f"handoff-{there.id}",
        )
        with suppress(NotFound):
            return (await self._feedback.give(project, given)).id
        return None

    def _answered(
        self,
        connection: Connection,
        project: str,
        handoff_id: str,
        desk_id: str,
        body: HandoffAnswer,
        feedback: str | None,
    ) -> Handoff:
        there = store.lock_handoff(connection, project, desk_id, handoff_id)
        now = self._clock.now()
        changed = there.model_copy(
            update={
                "status": "answered",
                "agent": body.agent,
                "answer": body.text,
                "answered_at": int(now),
                "feedback": feedback,
            }
        )
        store.change_handoff(connection, changed, event="answered", at=now)
        if body.learn:
            self._learn(connection, project, changed)
        return changed

    def _learn(self, connection: Connection, project: str, handoff: Handoff) -> None:
        """Question and answer as a proposal, which is accepted or not like others."""
        name = f"article-{hashlib.sha256(handoff.id.encode()).hexdigest()[:10]}"
        if store.named(connection, handoff.desk_id, "article", name) is not None:
            return
        content = Content(title=handoff.question[:256] or name, text=(handoff.answer or "")[:8_192])
        made = Proposal(
            id=new_id("prop"),
            created_at=int(self._clock.now()),
            desk_id=handoff.desk_id,
            kind="article",
            name=name,
            support=1,
            content=content,
            origin=handoff.id,
        )
        store.add_proposal(connection, project, made, event="answered", at=self._clock.now())

    def _returned(
        self, connection: Connection, project: str, desk_id: str, handoff_id: str, body: HandoffReturn
    ) -> Handoff:
        there = store.lock_handoff(connection, project, desk_id, handoff_id)
        status = "open" if body.to == "queue" else "returned"
        changed = there.model_copy(update={"status": status, "agent": None, "claimed_at": None})
        store.change_handoff(connection, changed, event=f"returned_to_{body.to}", at=self._clock.now())
        return changed


def _refuse(there: Handoff, agent: str, *, doing: str) -> None:
    if there.status in ("answered", "returned"):
        raise InvalidRequest(f"The handoff '{there.id}' is over ({there.status}), and can't be {doing}.")
    if there.status == "claimed" and there.agent != agent:
        raise InvalidRequest(
            f"The handoff '{there.id}' is claimed by {there.agent}, and can't be {doing} by {agent}. Return it first."
        )
