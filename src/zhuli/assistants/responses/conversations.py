"""What a client can do to conversations, which are threads: create, change, delete, and their items one by one."""

from typing import Any

from sqlalchemy import Connection

from zhuli.assistants.responses import ids, items, listing
from zhuli.assistants.responses.commands import add_items, conversation_thread, idle_thread, messages_of, resolved
from zhuli.assistants.responses.listing import ItemPage
from zhuli.assistants.runs.images import Images
from zhuli.core.clock import Clock
from zhuli.core.errors import NotFound
from zhuli.core.ids import new_id
from zhuli.store import collections, schema
from zhuli.store.assistants import responses, runs, threads
from zhuli.store.database import Database, hint
from zhuli.store.understanding import understandings
from zhuli.types.assistants.message import Message
from zhuli.types.assistants.response import Conversation, ConversationCreate
from zhuli.types.assistants.response_items import InputItem
from zhuli.types.assistants.thread import Thread
from zhuli.types.page import PageParams


class ConversationCommands:
    """Ids are those of conversations: conv_X is thread_X."""

    def __init__(self, database: Database, clock: Clock, images: Images) -> None:
        self._database = database
        self._clock = clock
        self._images = images

    async def create(self, project: str, body: ConversationCreate) -> Conversation:
        """A new conversation, with its first items."""
        given = body.items or []
        now = int(self._clock.now())
        await self._images.check(project, messages_of(given, now, param="items"))
        thread = Thread(id=new_id("thread"), created_at=now, metadata=dict(body.metadata or {}))
        await self._database.run(_create, project, thread, given)
        return _shown(thread)

    async def get(self, project: str, conversation_id: str) -> Conversation:
        """The conversation, or NotFound."""
        return await self._database.run(_get, project, conversation_id)

    async def modify(self, project: str, conversation_id: str, metadata: dict[str, str] | None) -> Conversation:
        """Overwrite the metadata."""
        return await self._database.run(_modify, project, conversation_id, metadata)

    async def delete(self, project: str, conversation_id: str) -> None:
        """Delete the conversation with all that is in it."""
        await self._database.run(_delete, project, conversation_id)

    async def add(self, project: str, conversation_id: str, given: list[InputItem], *, results: bool) -> ItemPage:
        """Add items behind the others; what was added. Refused while a response is being made."""
        now = int(self._clock.now())
        await self._images.check(project, messages_of(given, now, param="items"))
        return await self._database.run(_add, project, conversation_id, given, now, results=results)

    async def list_items(self, project: str, conversation_id: str, params: PageParams, *, results: bool) -> ItemPage:
        """The items, page by page."""
        return await self._database.run(_list, project, conversation_id, params, results=results)

    async def get_item(self, project: str, conversation_id: str, item_id: str, *, results: bool) -> items.Item:
        """One item."""
        return await self._database.run(_item, project, conversation_id, item_id, results=results)

    async def delete_item(self, project: str, conversation_id: str, item_id: str) -> Conversation:
        """Delete an item: nothing reads it any more. The conversation that is left."""
        return await self._database.run(_delete_item, project, conversation_id, item_id)


def _shown(thread: Thread) -> Conversation:
    return Conversation(id=ids.conversation_id(thread.id), created_at=thread.created_at, metadata=dict(thread.metadata))


def _found(connection: Connection, project: str, conversation_id: str) -> Thread:
    try:
        return collections.get(connection, schema.threads, Thread, project, ids.thread_id(conversation_id))
    except NotFound:
        raise NotFound(f"Conversation with id '{conversation_id}' not found.") from None


def _create(connection: Connection, project: str, thread: Thread, given: list[InputItem]) -> None:
    collections.insert(connection, schema.threads, project, thread)
    whole = resolved(connection, project, given, param="items")
    add_items(connection, project, thread.id, whole, thread.created_at, param="items")


def _get(connection: Connection, project: str, conversation_id: str) -> Conversation:
    return _shown(_found(connection, project, conversation_id))


def _modify(
    connection: Connection, project: str, conversation_id: str, metadata: dict[str, str] | None
) -> Conversation:
    conversation_thread(connection, project, conversation_id)
    thread = _found(connection, project, conversation_id).model_copy(update={"metadata": dict(metadata or {})})
    collections.replace(connection, schema.threads, thread)
    return _shown(thread)


def _delete(connection: Connection, project: str, conversation_id: str) -> None:
    thread_id = conversation_thread(connection, project, conversation_id)
    for run_id in threads.delete_thread(connection, project, thread_id):
        hint(connection, runs.topic(run_id))


def _add(
    connection: Connection, project: str, conversation_id: str, given: list[InputItem], now: int, *, results: bool
) -> ItemPage:
    thread_id = idle_thread(connection, project, conversation_id)
    whole = resolved(connection, project, given, param="items")
    added = add_items(connection, project, thread_id, whole, now, param="items")
    shown = [
        items.of_message(one.model_dump(mode="json"), {}) if isinstance(one, Message) else one.body for one in added
    ]
    return ItemPage(shown, has_more=False)


def _list(connection: Connection, project: str, conversation_id: str, params: PageParams, *, results: bool) -> ItemPage:
    thread = _found(connection, project, conversation_id)
    spans = threads.lineage(connection, thread.id).spans
    return listing.page_of(connection, project, spans, params, results=results)


def _item(connection: Connection, project: str, conversation_id: str, item_id: str, *, results: bool) -> dict[str, Any]:
    thread = _found(connection, project, conversation_id)
    spans = threads.lineage(connection, thread.id).spans
    return listing.item_of(connection, project, spans, item_id, results=results)


def _delete_item(connection: Connection, project: str, conversation_id: str, item_id: str) -> Conversation:
    thread_id = idle_thread(connection, project, conversation_id)
    found = listing.find(connection, project, item_id)
    if found is None or found[0] != thread_id:
        raise listing.missing(item_id)
    row = found[1]
    if not row.is_step:
        collections.remove(connection, schema.messages, project, row.id, {"thread_id": thread_id})
        understandings.forget(connection, row.id)
    else:
        responses.rewrite_step(connection, row.id, _without(row.body, item_id) if row.run_id else None)
    threads.edited(connection, thread_id)
    return _get(connection, project, conversation_id)


def _without(step: dict[str, Any], item_id: str) -> dict[str, Any] | None:
    """A step without the call that is this item, or without its output; None where no call is left."""
    calls = step["step_details"]["tool_calls"]
    left = []
    for place, call in enumerate(calls):
        if item_id == ids.call_item_id("function_call_output", step["id"], place):
            left.append({**call, "function": {**call["function"], "output": None}})
        elif not item_id.endswith(f"_{place}"):
            left.append(call)
    return {**step, "step_details": {**step["step_details"], "tool_calls": left}} if left else None
