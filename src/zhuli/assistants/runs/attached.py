"""Files, vector stores and domains that assistants, threads, messages and runs name: they must exist.

Some are made on the way: a file attached for a tool becomes one of the thread's, the code interpreter's, or of the thread's
vector store, which is made with the first such file.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from sqlalchemy import Connection

from zhuli.assistants.runs.images import check_images
from zhuli.store import collections, schema
from zhuli.store.knowledge import vector_store_files, vector_store_users, vector_stores
from zhuli.store.knowledge.files import file_of
from zhuli.types.assistants.assistant import Assistant
from zhuli.types.assistants.message import ImageFileBlock, Message
from zhuli.types.assistants.thread import Thread
from zhuli.types.assistants.tools import (
    CodeInterpreterResources,
    CodeInterpreterTool,
    FileSearchAttachment,
    FileSearchResources,
    NewToolResources,
    ToolResources,
)
from zhuli.types.knowledge.vector_store import ExpiresAfter, VectorStoreCreate, VectorStoreFileCreate

Owner = TypeVar("Owner", Assistant, Thread)

THREAD_STORE_DAYS = 7
"""A vector store made by an attachment expires after so many days without use, as the original's did."""


def check_message(connection: Connection, project: str, message: Message) -> None:
    """The images and attachments of the message exist, and the images are not too much; NotFound, InvalidRequest."""
    check_content(connection, project, message)
    _check(connection, project, [given.file_id for given in message.attachments or () if given.file_id is not None])


def check_content(connection: Connection, project: str, message: Message) -> None:
    """The images exist and are not too much; NotFound, InvalidRequest. Files attached before may be gone by now."""
    images = [block.image_file.file_id for block in message.content if isinstance(block, ImageFileBlock)]
    sizes = _check(connection, project, images)
    check_images([sizes[image] for image in images])


def check_resources(
    connection: Connection, project: str, resources: ToolResources | None, *, owner: str | None = None
) -> None:
    """The code interpreter's files and the vector stores exist.

    owner: the assistant or thread that has the resources, and loses a vector store that is deleted.
    """
    if resources is None:
        return
    if resources.code_interpreter is not None:
        _check(connection, project, resources.code_interpreter.file_ids)
    if resources.file_search is not None:
        vector_store_users.note(connection, project, resources.file_search.vector_store_ids, owner)


def check_domain(connection: Connection, project: str, domain: str | None) -> None:
    """The domain exists, if there is one to be."""
    if domain is not None:
        with collections.named_by("domain"):
            collections.seq_of(connection, schema.domains, project, domain)


def with_new_store(
    connection: Connection, project: str, owner: Owner, asked: NewToolResources | None, *, embedder: str, now: int
) -> Owner:
    """The new assistant or thread with the vector store that its tool_resources ask for, if they do."""
    search = None if asked is None else asked.file_search
    if search is None or not search.vector_stores:
        return owner
    wanted = search.vector_stores[0]
    body = VectorStoreCreate.model_construct(  # not validated again: this way it may have more files
        file_ids=wanted.file_ids, chunking_strategy=wanted.chunking_strategy, metadata=wanted.metadata
    )
    store = vector_stores.create(connection, project, body, embedder=embedder, now=now)
    return owner.model_copy(update={"tool_resources": _searching(owner.tool_resources, store.id)})


def join_thread(
    connection: Connection, project: str, thread_id: str, messages: Sequence[Message], *, embedder: str, now: int
) -> None:
    """Files attached for a tool become files of the thread's; the caller has locked the thread."""
    for_interpreter = list(_attached(messages, CodeInterpreterTool))
    for_search = list(_attached(messages, FileSearchAttachment))
    if not (for_interpreter or for_search):
        return
    thread = collections.get(connection, schema.threads, Thread, project, thread_id)
    resources = thread.tool_resources or ToolResources()
    if for_interpreter:
        known = resources.code_interpreter.file_ids if resources.code_interpreter else []
        joined = CodeInterpreterResources.model_construct(file_ids=list(dict.fromkeys([*known, *for_interpreter])))
        resources = resources.model_copy(update={"code_interpreter": joined})
    if for_search:
        store = _store_with(connection, project, resources, for_search, embedder=embedder, now=now)
        resources = _searching(resources, store)
        check_resources(connection, project, resources, owner=thread_id)
    collections.replace(connection, schema.threads, thread.model_copy(update={"tool_resources": resources}))


def _store_with(
    connection: Connection,
    project: str,
    resources: ToolResources,
    file_ids: Sequence[str],
    *,
    embedder: str,
    now: int,
) -> str:
    """The thread's vector store, with these files; a new one takes the place of one that has expired."""
    files = [VectorStoreFileCreate(file_id=file_id) for file_id in file_ids]
    current = next(iter(resources.file_search.vector_store_ids if resources.file_search else ()), None)
    status = None if current is None else vector_stores.status_of(connection, current, now)
    if current is not None and status in ("in_progress", "completed"):
        vector_store_files.add_files(connection, project, current, files, now=now)
        return current
    if current is not None:
        files = [*vector_store_files.copies(connection, current), *files]
    body = VectorStoreCreate(expires_after=ExpiresAfter(anchor="last_active_at", days=THREAD_STORE_DAYS))
    store = vector_stores.create(connection, project, body, embedder=embedder, now=now).id
    vector_store_files.add_files(connection, project, store, files, now=now)
    return store


def _searching(resources: ToolResources | None, store: str) -> ToolResources:
    """The resources, with this vector store to search."""
    search = FileSearchResources(vector_store_ids=[store])
    return (resources or ToolResources()).model_copy(update={"file_search": search})


def _attached(messages: Sequence[Message], tool: type) -> Iterable[str]:
    """The files that messages attach for a kind of tool."""
    for message in messages:
        for attachment in message.attachments or ():
            if attachment.file_id and any(isinstance(given, tool) for given in attachment.tools or ()):
                yield attachment.file_id


def _check(connection: Connection, project: str, file_ids: Sequence[str]) -> dict[str, int]:
    """The files exist; their sizes in bytes."""
    sizes: dict[str, int] = {}
    for file_id in dict.fromkeys(file_ids):
        file = None if "\0" in file_id else file_of(connection, project, file_id)
        if file is None:
            raise collections.missing(schema.files, file_id)
        sizes[file_id] = file.bytes
    return sizes
