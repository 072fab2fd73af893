"""What people say without meaning to: a follower of runs and understandings that notes suggestions in the feedback.

It looks again at the last minutes each time, for what was committed late; a signal has a key of its own and is there once.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from zhuli.core.clock import Clock
from zhuli.learning.feedback.giving import made
from zhuli.store.database import Database
from zhuli.store.learning import conversations, feedback, signs
from zhuli.store.learning.signs import EndedRun, Said
from zhuli.types.learning.feedback import FeedbackCreate, FeedbackTarget, Signal, TargetType
from zhuli.types.understanding.understanding import HandedOver, Understanding

SOON_SECONDS = 60
"""Within which a message that says the same again is about the answer in between."""

ALIKE = 0.5
"""Share of pairs of letters in common from which a message says the same in other words (Jaccard)."""

GONE_SECONDS = 1_800
"""After which a question that nobody answered is taken for the end."""

_OVERLAP = 120.0
_OVERLAP_ROWS = 200
_AT_ONCE = 100
"""Runs or understandings in one transaction."""

_ASKS = frozenset(("ask", "confirm", "clarify"))


class Signals:
    """Made once; look() bears being called by several processes at once."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._examined: dict[str, float] = {}
        """Runs of the overlap that were looked at, with their ends: what they said has been noted."""

    async def look(self) -> None:
        """Note what has happened since the last look."""
        while await self._look_at_runs():
            pass
        for some in (self._understandings, self._questions):
            while await self._database.run(some):
                pass

    async def _look_at_runs(self) -> bool:
        """Whether there is more. What was looked at is remembered once it is committed."""
        found, place, more = await self._database.run(self._runs)
        self._examined.update((run.id, run.ended_at) for run in found)
        if not more:
            self._examined = {run: ended for run, ended in self._examined.items() if ended >= place}
        return more

    def _runs(self, connection: Connection) -> tuple[Sequence[EndedRun], float, bool]:
        """What was looked at, where the next look begins, and whether there is more."""
        now = self._clock.now()
        before = signs.position(connection, "runs")
        after = now - _OVERLAP if before is None else before
        found = signs.ended_runs(connection, after=after, most=_AT_ONCE)
        for run in found:
            if run.id in self._examined:
                continue
            if run.status == "cancelled":
                self._note(connection, run.project, "cancelled", "run", run.id)
            elif (answer := rephrased(signs.newest_messages(connection, run.thread_id))) is not None:
                self._note(connection, run.project, "rephrased", "message", answer)
        more = len(found) == _AT_ONCE and found[-1].ended_at > after
        place = found[-1].ended_at if more else max(after, now - _OVERLAP)
        if found or before is None:  # a server without work writes nothing
            signs.keep_position(connection, "runs", place)
        return found, place, more

    def _understandings(self, connection: Connection) -> bool:
        after = int(signs.position(connection, "understandings") or 0)
        found = signs.understood(connection, after=after, most=_AT_ONCE)
        for _, project, one in found:
            if handed_over(one):
                self._note(connection, project, "handed_over", "understanding", one.id)
        if found:
            more = len(found) == _AT_ONCE
            place = found[-1][0] if more else max(after, found[-1][0] - _OVERLAP_ROWS)
            if place != after:
                signs.keep_position(connection, "understandings", place)
            return more
        return False

    def _questions(self, connection: Connection) -> bool:
        """Each understanding once, when it is half an hour old."""
        after, late = int(signs.position(connection, "questions") or 0), self._clock.now() - GONE_SECONDS
        found = signs.understood(connection, after=after, most=_AT_ONCE)
        ripe = [each for each in found if each[2].created_at <= late]
        for seq, project, one in ripe:
            if one.thread_id is None or one.decision is None or one.decision.act not in _ASKS:
                continue
            if not signs.was_answered(connection, one.thread_id, seq):
                self._note(connection, project, "abandoned", "understanding", one.id)
        if ripe:
            signs.keep_position(connection, "questions", ripe[-1][0])
        return len(ripe) == _AT_ONCE

    def _note(self, connection: Connection, project: str, signal: Signal, kind: TargetType, id_: str) -> None:
        target = FeedbackTarget(type=kind, id=id_)
        context = feedback.contexts(connection, project, [target]).get((kind, id_))
        if context is None:  # gone with its thread
            return
        if context.thread_id is not None and conversations.is_of_eval(connection, context.thread_id):
            return  # nobody spoke there
        body = FeedbackCreate(target=target, source="signal", signal=signal, key=f"signal:{signal}:{id_}")
        feedback.add(connection, project, [made(body, context, now=int(self._clock.now()))])


def rephrased(messages: Sequence[Said]) -> str | None:
    """The answer between the last two messages of the user, if the last one says at once the same in other words. Pure."""
    asked = [index for index, message in enumerate(messages) if message.role == "user"]
    if len(asked) < 2:
        return None
    first, second = asked[-2:]
    answers = [message for message in messages[first + 1 : second] if message.role == "assistant"]
    if not answers or messages[second].created_at - answers[-1].created_at > SOON_SECONDS:
        return None
    return answers[-1].id if alike(messages[first].text, messages[second].text) >= ALIKE else None


def alike(one: str, other: str) -> float:
    """Pairs of letters that two texts have in common, as a share of those of both."""
    first, second = _pairs(one), _pairs(other)
    return len(first & second) / max(1, len(first | second))


def _pairs(text: str) -> set[str]:
    plain = "".join(sign for sign in text.casefold() if sign.isalnum())
    return {plain[at : at + 2] for at in range(len(plain) - 1)}


def handed_over(one: Understanding) -> bool:
    """Whether a message brought the dialogue to a person."""
    return any(isinstance(change, HandedOver) and not change.released and not change.taken for change in one.changes)
