"""Feedback as it is given and reviewed. Each method is one transaction; who gives twice by one key has given once."""

from collections.abc import Sequence

from sqlalchemy import Connection

from zhuli.core.clock import Clock
from zhuli.core.errors import Forbidden, InvalidRequest, NotFound
from zhuli.core.ids import new_id
from zhuli.learning.feedback.agreement import Counting
from zhuli.store.database import Database
from zhuli.store.learning import feedback
from zhuli.types.learning.feedback import (
    SIGNALS,
    Agreement,
    Feedback,
    FeedbackContext,
    FeedbackCreate,
    Review,
    ReviewCreate,
)

_READ_AT_ONCE = 200


class FeedbackCommands:
    """Made once. Each method gives what there is after it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def give(self, project: str, body: FeedbackCreate, *, end_user: bool = False) -> Feedback:
        """One piece. NotFound if the project has no such thing; Forbidden for what end users may not say."""
        _check(body, end_user=end_user)
        return await self._database.run(self._give, project, body)

    def _give(self, connection: Connection, project: str, body: FeedbackCreate) -> Feedback:
        return self._give_all(connection, project, [body], one=True)[0][0]

    async def give_all(
        self, project: str, bodies: Sequence[FeedbackCreate], *, end_user: bool = False
    ) -> list[Feedback]:
        """Several, all or none; an error's param says which is at fault."""
        for index, body in enumerate(bodies):
            _check(body, end_user=end_user, at=f"data[{index}].")
        return (await self._database.run(self._give_all, project, bodies))[0]

    async def count_new(self, project: str, bodies: Sequence[FeedbackCreate]) -> int:
        """The same by an operator's hand; how many were not here before."""
        return (await self._database.run(self._give_all, project, bodies))[1]

    def _give_all(
        self, connection: Connection, project: str, bodies: Sequence[FeedbackCreate], *, one: bool = False
    ) -> tuple[list[Feedback], int]:
        known = feedback.contexts(connection, project, [body.target for body in bodies])
        now, items = int(self._clock.now()), list[Feedback]()
        for index, body in enumerate(bodies):
            context = known.get((body.target.type, body.target.id), body.context)
            if context is None:
                raise _not_found(body, "" if one else f"data[{index}].")
            items.append(made(body, context, now=now))
        return feedback.add(connection, project, items)

    async def review(self, project: str, feedback_id: str, body: ReviewCreate) -> Feedback:
        """The feedback with one more review. NotFound."""
        given = Review(
            id=new_id("rev"),
            at=int(self._clock.now()),
            **{name: getattr(body, name) for name in ("reviewer", "state", "correction", "comment", "final")},
        )
        return await self._database.run(feedback.review, project, feedback_id, given)

    async def agreement(self, project: str) -> Agreement:
        """Of all reviews of the project."""
        counting, after = Counting(), 0
        while True:
            items, more = await self._database.run(feedback.reviewed, project, after=after, most=_READ_AT_ONCE)
            counting.add(items)
            if more is None:
                return counting.agreement()
            after = more


def made(body: FeedbackCreate, context: FeedbackContext, *, now: int) -> Feedback:
    """The feedback that a request asks for. A signal has its own weight, and says no more than what it suggests."""
    suggestion = SIGNALS[body.signal] if body.signal is not None else None
    weight = suggestion.weight if suggestion else body.weight
    return Feedback(
        id=new_id("fb"),
        created_at=now,
        target=body.target,
        verdict=body.verdict,
        grade=body.grade,
        correction=body.correction,
        labels=body.labels,
        comment=body.comment,
        user=body.user,
        source=body.source,
        signal=body.signal,
        suggests=suggestion.verdict if suggestion else None,
        weight=1.0 if weight is None else weight,
        context=context,
        key=body.key,
    )


def shown_to_end_user(item: Feedback) -> Feedback:
    """What a key of an app in the hands of end users is told: that it is there, and nothing that was said by others."""
    return Feedback(
        id=item.id, created_at=item.created_at, target=item.target, user=item.user, source=item.source, key=item.key
    )


def _check(body: FeedbackCreate, *, end_user: bool, at: str = "") -> None:
    """What a key with the scope feedback may not say."""
    if not end_user:
        return
    if body.source == "reviewer" or body.weight is not None:
        name = "source" if body.source == "reviewer" else "weight"
        raise Forbidden(
            f"A key with the scope 'feedback' speaks for end users: it gives no '{name}'"
            f"{' of reviewers' if name == 'source' else ''}. Use a key with the scope 'write'.",
            param=f"{at}{name}",
            code="insufficient_permissions",
        )


def _not_found(body: FeedbackCreate, at: str) -> InvalidRequest | NotFound:
    target = body.target
    if target.type == "prediction":
        return InvalidRequest(
            f"The prediction '{target.id}' was not stored here, so say what was asked and answered: 'context' with model, "
            "task, input and output. Or have predictions stored: 'store': true in the request for them.",
            param=f"{at}context",
            code="missing_required_parameter",
        )
    return NotFound(f"No {target.type} found with id '{target.id}'.", param=f"{at}target.id")
