"""Feedback and its reviews. What it is about must be there; reviews are a log, and the row is their fold.

Whoever reviews locks the row first.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Table, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from zhuli.core.errors import InvalidRequest, NotFound
from zhuli.store import collections
from zhuli.store.collections import Places
from zhuli.store.message_text import text_of
from zhuli.store.schema import (
    feedback,
    feedback_reviews,
    messages,
    opinion_items,
    predictions,
    recommender_lists,
    runs,
    understandings,
)
from zhuli.store.statement import Prepared, prepared
from zhuli.types.learning.feedback import Feedback, FeedbackContext, FeedbackTarget, Review, TargetType
from zhuli.types.page import PageParams

_TABLES: Mapping[TargetType, Table] = {
    "message": messages,
    "run": runs,
    "understanding": understandings,
    "prediction": predictions,
}

_AT_ONCE = 500
"""Ids in one query; SQLite takes 32,766 parameters."""


def contexts(
    connection: Connection, project: str, targets: Iterable[FeedbackTarget]
) -> dict[tuple[str, str], FeedbackContext]:
    """What was asked and answered, of those of the targets that this project has."""
    found: dict[tuple[str, str], FeedbackContext] = _of_items(connection, project, targets)
    found |= _of_places(connection, project, targets)
    for kind, table in _TABLES.items():
        ids = list({target.id for target in targets if target.type == kind and "\0" not in target.id})
        for row in _those(connection, table, "id", project, ids):
            found[kind, row.id] = _context(kind, orjson.loads(row.body))
    return found


def _those(connection: Connection, table: Table, column: str, project: str, values: Sequence[str]) -> Iterator[Any]:
    """Rows with this column and the body. One alone, which is what apps send, is asked for by a statement made before."""
    if len(values) == 1:
        yield from _the_one(table, column)(connection, {"project": project, "value": values[0]})
        return
    for start in range(0, len(values), _AT_ONCE):
        query = select(table.c[column], table.c.body).where(
            table.c.project_id == project, table.c[column].in_(values[start : start + _AT_ONCE])
        )
        yield from connection.execute(query)


@cache
def _the_one(table: Table, column: str) -> Prepared:
    return prepared(
        select(table.c[column], table.c.body).where(
            table.c.project_id == bindparam("project"), table.c[column] == bindparam("value")
        )
    )


def _in_parts(targets: Iterable[FeedbackTarget], type_: str) -> dict[str, tuple[str, str]]:
    """Of the targets of a type, whose ids are two with a colon between them: both, by the whole."""
    return {
        target.id: (parts[0], parts[2])
        for target in targets
        if target.type == type_ and "\0" not in target.id and (parts := target.id.partition(":"))
    }


def _of_items(
    connection: Connection, project: str, targets: Iterable[FeedbackTarget]
) -> dict[tuple[str, str], FeedbackContext]:
    """Of items of opinion monitors: by an item's id what was read in the text, by ID:COMPANY the sentiment towards a company."""
    asked = _in_parts(targets, "opinion_item")
    ids = sorted({item for item, _ in asked.values()})
    bodies: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
    for start in range(0, len(ids), _AT_ONCE):
        query = select(opinion_items.c.id, opinion_items.c.body, opinion_items.c.reading).where(
            opinion_items.c.project_id == project, opinion_items.c.id.in_(ids[start : start + _AT_ONCE])
        )
        for row in connection.execute(query):
            bodies[row.id] = orjson.loads(row.body), orjson.loads(row.reading or "null") or {}
    contexts = {name: _of_item(*bodies[item], company) for name, (item, company) in asked.items() if item in bodies}
    return {("opinion_item", name): context for name, context in contexts.items() if context is not None}


def _of_item(item: dict[str, Any], reading: dict[str, Any], company: str) -> FeedbackContext | None:
    text = f"{item['title']}\n{item['text']}" if item["title"] else item["text"]
    if not company:
        said = reading.get("sentiment")
        return FeedbackContext(
            task="text_classification",
            input=text,
            output=[{"label": said["label"], "score": said["score"]}] if said else None,
            model=said["model"] if said else None,
        )
    named = next((each for each in reading.get("companies", []) if each["company"] == company), None)
    if named is None:
        return None
    place = {"start": named["mentions"][0]["start"], "end": named["mentions"][0]["end"]}
    return FeedbackContext(
        task="relation_extraction",
        input={"text": text, "head": place, "tail": place},
        output=[{"label": named["label"], "score": named["score"]}] if named["label"] else None,
        model=named["model"],
    )


def _of_places(
    connection: Connection, project: str, targets: Iterable[FeedbackTarget]
) -> dict[tuple[str, str], FeedbackContext]:
    """Of places of recommenders' lists, LIST:POSITION: for whom, and what stood there."""
    asked = _in_parts(targets, "recommendation")
    bodies = {
        row.id: orjson.loads(row.body)
        for row in _those(connection, recommender_lists, "id", project, sorted({list_ for list_, _ in asked.values()}))
    }
    found = {}
    for name, (list_, position) in asked.items():
        place = next((one for one in bodies.get(list_, _EMPTY)["data"] if str(one["position"]) == position), None)
        if place is not None:
            found["recommendation", name] = _of_place(bodies[list_], place)
    return found


_EMPTY: dict[str, Any] = {"data": []}


def _of_place(body: dict[str, Any], place: dict[str, Any]) -> FeedbackContext:
    shown = {name: place[name] for name in ("item", "text", "position", "score", "propensity", "why")}
    return FeedbackContext(task="recommendation", input={"user": body["user"]}, output=shown, model=body["model"])


def praised(connection: Connection, project: str, kind: TargetType, ids: Sequence[str]) -> set[str]:
    """Those of these targets that somebody found good, and a reviewer accepted it."""
    found = set[str]()
    for start in range(0, len(ids), _AT_ONCE):
        query = select(feedback.c.target_id, feedback.c.body).where(
            feedback.c.project_id == project,
            feedback.c.target_type == kind,
            feedback.c.state == "accepted",
            feedback.c.target_id.in_(ids[start : start + _AT_ONCE]),
        )
        rows = connection.execute(query)
        found |= {row.target_id for row in rows if Feedback.model_validate_json(row.body).verdict == "up"}
    return found


def targets_below(connection: Connection, project: str, kind: TargetType, things: Sequence[str]) -> list[str]:
    """What feedback is on of parts of these things, as THING:PART. things: ids of one length."""
    whole = func.substr(feedback.c.target_id, 1, len(things[0]) + 1)
    query = select(feedback.c.target_id).where(
        feedback.c.project_id == project, feedback.c.target_type == kind, whole.in_([f"{thing}:" for thing in things])
    )
    return list(connection.execute(query.distinct()).scalars())


def _context(kind: TargetType, body: dict[str, Any]) -> FeedbackContext:
    match kind:
        case "message":
            text = text_of(body["content"])
            asked = {"input": text} if body["role"] == "user" else {"output": text}
            return FeedbackContext(thread_id=body["thread_id"], run_id=body["run_id"], message_id=body["id"], **asked)
        case "run":
            return FeedbackContext(thread_id=body["thread_id"], run_id=body["id"], model=body["model"])
        case "understanding":
            output = {
                "intent": (body["intent"] or {}).get("name"),
                "entities": body["entities"],
                "slots": body["slots"],
            }
            return FeedbackContext(
                task="understanding",
                input=body["text"],
                output=output,
                thread_id=body["thread_id"],
                run_id=body["run_id"],
                message_id=body["message_id"],
            )
        case _:  # a prediction; items of opinion monitors have _of_items()
            return FeedbackContext(**{name: body[name] for name in ("model", "task", "input", "output")})


_ROW = ("id", "project_id", "body", "target_type", "target_id", "end_user", "source", "state", "key")


def _add(dialect: Any) -> Prepared:
    row = dialect.insert(feedback).values({name: bindparam(name) for name in _ROW})
    return prepared(row.on_conflict_do_nothing(index_elements=["project_id", "key"]))


_ADD = {"sqlite": _add(sqlite), "postgresql": _add(postgresql)}


def add(connection: Connection, project: str, items: Sequence[Feedback]) -> tuple[list[Feedback], int]:
    """Each as it is kept, and how many are new: where its key was here before, what came with it then is kept.

    InvalidRequest for a key that came with feedback on something else, or of somebody else.
    """
    known = _by_key(connection, project, [item.key for item in items if item.key is not None])
    fresh: list[Feedback] = []
    kept: list[Feedback] = []
    for item in items:
        earlier = known.get(item.key) if item.key is not None else None
        if earlier is None:
            fresh.append(item)
            if item.key is not None:
                known[item.key] = item
        elif (earlier.target, earlier.user) != (item.target, item.user):
            raise InvalidRequest(
                f"The key '{item.key}' came with other feedback before. Send the same again, or another key.",
                param="key",
                code="key_reused",
            )
        kept.append(earlier or item)
    if fresh:
        _ADD[connection.dialect.name](connection, [_row(project, item) for item in fresh])
    keys = [item.key for item in fresh if item.key is not None]
    if keys and connection.dialect.name == "postgresql":  # another transaction may just have been faster
        first = _by_key(connection, project, keys)
        kept = [first.get(item.key, item) if item.key is not None else item for item in kept]
    return kept, len(fresh)


def _row(project: str, item: Feedback) -> dict[str, Any]:
    values = (
        item.id,
        project,
        item.model_dump_json(),
        item.target.type,
        item.target.id,
        item.user,
        item.source,
        item.state,
        item.key,
    )
    return dict(zip(_ROW, values, strict=True))


def _by_key(connection: Connection, project: str, keys: Sequence[str]) -> dict[str, Feedback]:
    rows = _those(connection, feedback, "key", project, keys)
    return {row.key: Feedback.model_validate_json(row.body) for row in rows}


def get(connection: Connection, project: str, feedback_id: str) -> Feedback:
    """The project's; NotFound in the API's words."""
    return collections.get(connection, feedback, Feedback, project, feedback_id)


def review(connection: Connection, project: str, feedback_id: str, given: Review) -> Feedback:
    """The feedback with this review, which is the last of its log."""
    query = select(feedback.c.body).where(feedback.c.id == feedback_id, feedback.c.project_id == project)
    body = None if "\0" in feedback_id else connection.execute(query.with_for_update()).scalar()
    if body is None:
        raise NotFound(f"No feedback found with id '{feedback_id}'.")
    reviewed = Feedback.model_validate_json(body).reviewed(given)
    columns = {"feedback_id": feedback_id, "reviewer": given.reviewer}
    collections.insert(connection, feedback_reviews, project, given, columns)
    changed = {"body": reviewed.model_dump_json(), "state": reviewed.state}
    connection.execute(update(feedback).where(feedback.c.id == feedback_id).values(changed))
    return reviewed


def places(connection: Connection, project: str, params: PageParams, only: Mapping[str, str]) -> Places:
    """A page of those whose columns have these values."""
    return collections.places(connection, feedback, project, params, only=only)


def reviewed(connection: Connection, project: str, *, after: int, most: int) -> tuple[list[Feedback], int | None]:
    """Feedback that was reviewed, oldest first; and where the next piece of it begins, None behind the last one."""
    return read_on(connection, project, feedback.c.state != "new", after=after, most=most)


def read_on(
    connection: Connection, project: str, which: ColumnElement[bool], *, after: int, most: int
) -> tuple[list[Feedback], int | None]:
    """Feedback for which `which` holds, oldest first, and where the next piece begins; None behind the last one."""
    query = select(feedback.c.seq, feedback.c.body).where(
        feedback.c.project_id == project, feedback.c.seq > after, which
    )
    rows = connection.execute(query.order_by(feedback.c.seq).limit(most)).all()
    found = [Feedback.model_validate_json(row.body) for row in rows]
    return found, (rows[-1].seq if len(rows) == most else None)
