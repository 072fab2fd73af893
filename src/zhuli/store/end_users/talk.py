"""What of an end user is in conversations: threads whose metadata name them as `user`, all that is on these, stored chats.

Read in pieces, each a transaction: SQLite stops everything else meanwhile.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
from sqlalchemy import Connection, Table, delete, select

from zhuli.store.assistants.leftovers import clean_some
from zhuli.store.assistants.threads import delete_thread
from zhuli.store.knowledge import files as stored_files
from zhuli.store.knowledge import vector_stores as stored_stores
from zhuli.store.schema import (
    assistants,
    chat_completion_metadata,
    chat_completions,
    files,
    messages,
    run_events,
    run_steps,
    runs,
    threads,
    understandings,
    vector_store_files,
    vector_store_users,
    vector_stores,
)

AT_ONCE = 1_000
"""Rows that are looked through in one transaction."""

_OF_CONVERSATIONS = frozenset(("assistants", "vision", "user_data", "assistants_output"))
"""Purposes of files that go with the only conversation they were in; a fine-tuning file never does."""


@dataclass(slots=True)
class OnThread:
    """Ids of what is on a thread. files: attached there, shown there, or made there by a tool."""

    messages: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    understandings: list[str] = field(default_factory=list)
    files: set[str] = field(default_factory=set)


def threads_of(connection: Connection, project: str, user: str, *, after: int) -> tuple[list[str], int | None]:
    """The user's threads among AT_ONCE behind this place, and the next place; None behind the last one."""
    table = threads.c
    query = select(table.seq, table.id, table.body).where(table.project_id == project, table.seq > after)
    rows = connection.execute(query.order_by(table.seq).limit(AT_ONCE)).all()
    own = [row.id for row in rows if '"user":' in row.body and _user_in(row.body) == user]
    return own, rows[-1].seq if len(rows) == AT_ONCE else None


def _user_in(body: str) -> Any:
    return (orjson.loads(body).get("metadata") or {}).get("user")


def on_thread(connection: Connection, thread_id: str) -> OnThread:
    """What is on the thread."""
    found = OnThread()
    body = connection.execute(select(threads.c.body).where(threads.c.id == thread_id)).scalar()
    if body is not None:
        interpreter = ((orjson.loads(body).get("tool_resources") or {}).get("code_interpreter")) or {}
        found.files.update(interpreter.get("file_ids") or ())
    for row in connection.execute(select(messages.c.id, messages.c.body).where(messages.c.thread_id == thread_id)):
        found.messages.append(row.id)
        if "file" in row.body:
            found.files.update(_attached(orjson.loads(row.body)))
    for body in connection.execute(select(run_steps.c.body).where(run_steps.c.thread_id == thread_id)).scalars():
        if '"image"' in body:
            found.files.update(_images(orjson.loads(body)))
    for table, ids in ((runs, found.runs), (understandings, found.understandings)):
        ids += connection.execute(select(table.c.id).where(table.c.thread_id == thread_id)).scalars()
    return found


def _attached(message: dict[str, Any]) -> Iterator[str]:
    for one in message.get("attachments") or ():
        if one.get("file_id"):
            yield one["file_id"]
    for block in message["content"]:
        if block["type"] == "image_file":
            yield block["image_file"]["file_id"]
        for note in block.get("text", {}).get("annotations", ()) if block["type"] == "text" else ():
            if note["type"] == "file_path":
                yield note["file_path"]["file_id"]


def _images(step: dict[str, Any]) -> Iterator[str]:
    for call in step.get("step_details", {}).get("tool_calls") or ():
        for output in (call.get("code_interpreter") or {}).get("outputs") or ():
            if "image" in output:
                yield output["image"]["file_id"]


def stores_of(connection: Connection, project: str, own: Collection[str]) -> list[str]:
    """Vector stores that were made for these threads: without a name, not older than the thread, and nobody else's."""
    found: list[str] = []
    for thread_id in own:
        query = select(vector_store_users.c.vector_store_id).where(vector_store_users.c.user_id == thread_id)
        for store in connection.execute(query).scalars():
            others = select(vector_store_users.c.user_id).where(vector_store_users.c.vector_store_id == store)
            if set(connection.execute(others).scalars()) <= set(own) and _made_for(
                connection, project, store, thread_id
            ):
                found.append(store)
    return list(dict.fromkeys(found))


def _made_for(connection: Connection, project: str, store: str, thread_id: str) -> bool:
    bodies = [
        connection.execute(select(table.c.body).where(table.c.id == id_, table.c.project_id == project)).scalar()
        for table, id_ in ((vector_stores, store), (threads, thread_id))
    ]
    if None in bodies:
        return False
    made, thread = (orjson.loads(body) for body in bodies if body is not None)
    return not made.get("name") and bool(made["created_at"] >= thread["created_at"])


def files_in(connection: Connection, stores: Sequence[str]) -> set[str]:
    """The files of these vector stores."""
    table = vector_store_files.c
    return set(connection.execute(select(table.file_id).where(table.vector_store_id.in_(stores))).scalars())


def used_in_stores(connection: Connection, project: str, found: Collection[str], *, but: Collection[str]) -> set[str]:
    """Those of the files that other vector stores or assistants have, or that are no files of conversations."""
    table = vector_store_files.c
    used: set[str] = set()
    for file_id in found:
        purpose = connection.execute(
            select(files.c.purpose).where(files.c.id == file_id, files.c.project_id == project)
        ).scalar()
        query = select(table.vector_store_id).where(table.file_id == file_id)
        if purpose not in _OF_CONVERSATIONS or set(connection.execute(query).scalars()) - set(but):
            used.add(file_id)
    for body in connection.execute(select(assistants.c.body).where(assistants.c.project_id == project)).scalars():
        used.update(file_id for file_id in found if f'"{file_id}"' in body)
    return used


class LookForFiles(Protocol):
    """used_in_threads() or used_in_messages()."""

    def __call__(
        self, connection: Connection, project: str, found: Collection[str], own: Collection[str], /, *, after: int
    ) -> tuple[set[str], int | None]: ...


def used_in_threads(
    connection: Connection, project: str, found: Collection[str], own: Collection[str], /, *, after: int
) -> tuple[set[str], int | None]:
    """Those of the files that AT_ONCE threads name, but for these; and the next place."""
    return _used_elsewhere(connection, threads, project, found, own, after)


def used_in_messages(
    connection: Connection, project: str, found: Collection[str], own: Collection[str], /, *, after: int
) -> tuple[set[str], int | None]:
    """Those of the files that AT_ONCE messages name, but for those of these threads; and the next place."""
    return _used_elsewhere(connection, messages, project, found, own, after)


def _used_elsewhere(
    connection: Connection, table: Table, project: str, found: Collection[str], own: Collection[str], after: int
) -> tuple[set[str], int | None]:
    owner = table.c.id if table is threads else table.c.thread_id
    query = select(table.c.seq, owner.label("owner"), table.c.body).where(
        table.c.project_id == project, table.c.seq > after
    )
    rows = connection.execute(query.order_by(table.c.seq).limit(AT_ONCE)).all()
    used = {
        file_id
        for row in rows
        if '"file' in row.body and row.owner not in own
        for file_id in found
        if f'"{file_id}"' in row.body
    }
    return used, rows[-1].seq if len(rows) == AT_ONCE else None


def forget_thread(connection: Connection, project: str, thread_id: str) -> tuple[str, ...]:
    """Delete the thread; what of it is to be cleaned: the thread's id and those of its runs."""
    return (thread_id, *delete_thread(connection, project, thread_id))


def clean(connection: Connection, key: str) -> bool:
    """Delete some of what a thread or run left behind; whether nothing is left."""
    return clean_some(connection, key)


def forget_store(connection: Connection, project: str, store: str) -> bool:
    """Delete the vector store; whether it was still there."""
    if connection.execute(select(vector_stores.c.seq).where(vector_stores.c.id == store)).scalar() is None:
        return False
    stored_stores.remove(connection, project, store)
    return True


def forget_file(connection: Connection, project: str, file_id: str) -> bool:
    """Delete the file; whether it was still there."""
    if stored_files.file_of(connection, project, file_id) is None:
        return False
    stored_files.delete(connection, project, file_id)
    return True


def chats_of(connection: Connection, project: str, user: str, *, after: int) -> tuple[list[str], int | None]:
    """Stored chat completions of the user among AT_ONCE behind this place: by `user`, or by metadata `user`."""
    table, pairs = chat_completions.c, chat_completion_metadata.c
    query = select(table.seq, table.id, table.end_user).where(table.project_id == project, table.seq > after)
    rows = connection.execute(query.order_by(table.seq).limit(AT_ONCE)).all()
    ids = [row.id for row in rows]
    named = select(pairs.completion_id).where(pairs.completion_id.in_(ids), pairs.key == "user", pairs.value == user)
    by_metadata = set(connection.execute(named).scalars()) if ids else set[str]()
    own = [row.id for row in rows if row.end_user == user or row.id in by_metadata]
    return own, rows[-1].seq if len(rows) == AT_ONCE else None


def forget_chats(connection: Connection, ids: Sequence[str]) -> int:
    """Delete these stored chat completions; how many it were."""
    connection.execute(delete(chat_completion_metadata).where(chat_completion_metadata.c.completion_id.in_(ids)))
    return connection.execute(delete(chat_completions).where(chat_completions.c.id.in_(ids))).rowcount


def bodies(
    connection: Connection, thread_id: str, kind: str, *, after: int, most: int = 100
) -> tuple[list[str], int | None]:
    """JSON of what is on a thread, in order: kind is messages, runs, run_steps or understandings."""
    table = {"messages": messages, "runs": runs, "run_steps": run_steps, "understandings": understandings}[kind]
    query = select(table.c.seq, table.c.body).where(table.c.thread_id == thread_id, table.c.seq > after)
    rows = connection.execute(query.order_by(table.c.seq).limit(most)).all()
    return [row.body for row in rows], rows[-1].seq if len(rows) == most else None


def events(connection: Connection, run_id: str) -> list[tuple[str, str]]:
    """The log of a run: names and JSON, in order."""
    query = select(run_events.c.name, run_events.c.data).where(run_events.c.run_id == run_id)
    return [(row.name, row.data) for row in connection.execute(query.order_by(run_events.c.sequence))]


def thread(connection: Connection, thread_id: str) -> str | None:
    """The thread's JSON."""
    return connection.execute(select(threads.c.body).where(threads.c.id == thread_id)).scalar()


def chat(connection: Connection, completion_id: str) -> tuple[str, str] | None:
    """The completion's JSON, and that of the messages it answers."""
    query = select(chat_completions.c.body, chat_completions.c.messages).where(chat_completions.c.id == completion_id)
    row = connection.execute(query).first()
    return None if row is None else (row.body, row.messages)
