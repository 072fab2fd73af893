"""What a client can do to responses: create, read, cancel, delete, list what they were given. Each is one transaction.

A response is a run, made and executed like every other; here is only where its thread comes from, and what is on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from zhuli.assistants.responses import asking, given, ids, lens
from zhuli.assistants.responses.listing import ItemPage, page_of, reference
from zhuli.assistants.runs import attached
from zhuli.assistants.runs.commands import RunCommands
from zhuli.assistants.runs.history_items import unanswered
from zhuli.assistants.runs.images import Images
from zhuli.assistants.runs.toolbox import Toolbox
from zhuli.core.clock import Clock
from zhuli.core.errors import InvalidRequest, NotFound
from zhuli.core.ids import new_id
from zhuli.models.catalog import Catalog
from zhuli.settings import Settings
from zhuli.store.assistants import responses, runs, threads
from zhuli.store.assistants.responses import ResponseRow
from zhuli.store.assistants.runs import ResponseColumns
from zhuli.store.assistants.threads import Span
from zhuli.store.database import Database, hint
from zhuli.types.assistants.event import Change
from zhuli.types.assistants.message import Message
from zhuli.types.assistants.response import Asked, ConversationId, Response, ResponseCreate
from zhuli.types.assistants.response_items import InputItem, InputMessage, InputReference
from zhuli.types.assistants.run import TERMINAL, Run, RunCreate
from zhuli.types.assistants.thread import Thread
from zhuli.types.page import PageParams

PASSING_SECONDS = 60.0
"""How long a response that is not stored may still be read by whom it answers; then it is deleted, if he is gone."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A response that was asked for."""

    run: Run
    asked: Asked

    @property
    def response_id(self) -> str:
        """Its id."""
        return ids.response_id(self.run.id)

    @property
    def shown(self) -> Response:
        """The response before anything was made of it."""
        return lens.response_of(self.run, self.asked, ())


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a response stands: its thread, and what of others belongs to the conversation before it."""

    thread_id: str
    spans: tuple[Span, ...]
    before: ResponseRow | None


class ResponseCommands:
    """Ids are those of responses: resp_X is run_X."""

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        clock: Clock,
        settings: Settings,
        tools: Toolbox,
        images: Images,
        run_commands: RunCommands,
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._clock = clock
        self._settings = settings
        self._tools = tools
        self._images = images
        self._runs = run_commands

    async def create(self, project: str, body: ResponseCreate) -> Begun:
        """Ask for a response. Whatever is wrong with the request is said before anything is kept."""
        asking.check(body)
        tools, choice = asking.tools_of(body, self._tools), asking.choice_of(body)
        await self._tools.check_run(
            project, RunCreate.model_construct(assistant_id=asking.NO_ASSISTANT, tools=tools, tool_choice=choice)
        )
        items = items_of(body)
        now = int(self._clock.now())
        draft = asking.run_of(body, tools, choice, thread_id="", now=now, lifetime=self._settings.run_lifetime_seconds)
        asked = asking.asked_of(body, tools, draft)
        await self._images.check(project, messages_of(items, now))
        made: list[Run] = []
        await self._database.run(self._create, project, body, items, draft, asked, made)
        return Begun(made[-1], asked)

    async def get(self, project: str, response_id: str, *, results: bool) -> Response:
        """The response as it is now. results: with what file searches found."""
        return await self._database.run(_get, project, response_id, results=results)

    async def find(self, project: str, response_id: str) -> Begun:
        """The response's run, to be followed."""
        row = await self._database.run(_find, project, response_id)
        return Begun(row.run, asked_of(row))

    async def cancel(self, project: str, response_id: str) -> Response:
        """Cancel a background response; one that was cancelled stays so."""
        row = await self._database.run(_find, project, response_id)
        if not asked_of(row).background:
            raise InvalidRequest("Cannot cancel a synchronous response.")
        if row.run.status in ("cancelling", "cancelled"):
            return await self.get(project, response_id, results=False)
        if row.run.status in TERMINAL:
            status = lens.status_of(row.run, asked_of(row))
            raise InvalidRequest(f"Cannot cancel a {status} response.")
        await self._runs.cancel(project, row.run.thread_id, row.run.id)
        return await self.get(project, response_id, results=False)

    async def delete(self, project: str, response_id: str) -> None:
        """Delete a response. What it said stays as long as later ones, or a conversation, have it before them."""
        await self._database.run(_delete, project, response_id)

    async def input_items(self, project: str, response_id: str, params: PageParams, *, results: bool) -> ItemPage:
        """What the response was given: the conversation before it, and its own input."""
        return await self._database.run(_input_items, project, response_id, params, results=results)

    async def forget(self, project: str, thread_id: str) -> None:
        """Delete a response that is not stored, when it has been told; sweep() does it where nobody was told."""
        await self._database.run(_prune, project, thread_id)

    async def sweep(self) -> None:
        """Delete responses that are not stored and that nobody reads any more."""
        found = await self._database.run(responses.passing, ended_before=self._clock.now() - PASSING_SECONDS)
        for project, thread_id in found:
            await self.forget(project, thread_id)

    def _create(
        self,
        connection: Connection,
        project: str,
        body: ResponseCreate,
        items: Sequence[InputItem],
        draft: Run,
        asked: Asked,
        made: list[Run],
    ) -> Response:
        """The response, which is kept as the answer to its request's key; its run is in `made`."""
        if self._catalog.resolve_now(connection, body.model, project) is None:
            raise self._catalog.not_found(body.model, project)
        attached.check_domain(connection, project, body.domain)
        attached.check_resources(connection, project, draft.tool_resources)
        whole = resolved(connection, project, items)
        place = self._place(connection, project, body, asked)
        _check_calls(connection, place, whole)
        run = draft.model_copy(update={"thread_id": place.thread_id})
        add_items(connection, project, place.thread_id, whole, draft.created_at)
        end = responses.end_of_thread(connection, place.thread_id)
        columns = ResponseColumns(asked.model_dump_json(exclude_defaults=True), end.until_message, end.until_step)
        data = run.model_dump(mode="json")
        opening = [Change("thread.run.created", data), Change("thread.run.queued", data)]
        try:
            runs.insert_run(connection, project, run, opening, columns)
        except IntegrityError as error:
            raise locked() from error
        made.append(run)
        return lens.response_of(run, asked, ())

    def _place(self, connection: Connection, project: str, body: ResponseCreate, asked: Asked) -> _Place:
        """The thread on which the response is made."""
        made_for: responses.MadeFor = "responses" if asked.store else "passing"
        if body.conversation is not None:
            return self._in_conversation(connection, project, body, asked)
        if body.previous_response_id is None:
            return self._branch(connection, project, body, made_for, None, None)
        before = _previous(connection, project, body.previous_response_id)
        end = responses.end_of_run(connection, before)
        found = responses.thread_of(connection, project, before.run.thread_id)
        if found is None:
            raise _no_previous(body.previous_response_id)
        now = responses.end_of_thread(connection, before.run.thread_id)
        if (
            asked.store
            and found[1] == "responses"
            and responses.newest_run(connection, before.run.thread_id) == before.run.id
            and (now.until_message, now.until_step) == (end.until_message, end.until_step)
        ):
            spans = threads.lineage(connection, before.run.thread_id).spans
            return _Place(before.run.thread_id, spans, before)
        return self._branch(connection, project, body, made_for, end, before)

    def _in_conversation(self, connection: Connection, project: str, body: ResponseCreate, asked: Asked) -> _Place:
        given_id = body.conversation.id if isinstance(body.conversation, ConversationId) else str(body.conversation)
        thread_id = idle_thread(connection, project, given_id)
        newest = responses.newest_run(connection, thread_id)
        before = None if newest is None else responses.find(connection, project, newest)
        if not asked.store:
            return self._branch(
                connection, project, body, "passing", responses.end_of_thread(connection, thread_id), before
            )
        return _Place(thread_id, threads.lineage(connection, thread_id).spans, before)

    def _branch(
        self,
        connection: Connection,
        project: str,
        body: ResponseCreate,
        made_for: responses.MadeFor,
        parent: Span | None,
        before: ResponseRow | None,
    ) -> _Place:
        """A thread of the response's own, behind what it goes on from."""
        thread = Thread(id=new_id("thread"), created_at=int(self._clock.now()), metadata=_owner(body))
        if parent is not None:
            found = responses.thread_of(connection, project, parent.thread_id)
            if found is not None:
                thread = thread.model_copy(update={"tool_resources": found[0].tool_resources})
        responses.insert_thread(connection, project, thread, made_for, parent)
        if parent is None:
            return _Place(thread.id, (Span(thread.id),), before)
        return _Place(thread.id, threads.lineage(connection, thread.id).spans, before)


def items_of(body: ResponseCreate) -> list[InputItem]:
    """The input as items."""
    if body.input is None:
        return []
    if isinstance(body.input, str):
        return [InputMessage(role="user", content=body.input)]
    return list(body.input)


def asked_of(row: ResponseRow) -> Asked:
    """What a response was asked with; of a run of the Assistants API what comes nearest to it."""
    return Asked.read(row.asked) or lens.of_run(row.run)


def locked() -> InvalidRequest:
    """The error for a conversation that another response is being made in. 400, for SDKs try again what is 409."""
    return InvalidRequest(
        "Another process is currently operating on this conversation. Please retry in a few seconds.",
        param="conversation",
        code="conversation_locked",
    )


def conversation_thread(connection: Connection, project: str, conversation_id: str) -> str:
    """The conversation's thread, which nobody adds to until this transaction ends; NotFound."""
    thread_id = ids.thread_id(conversation_id)
    if responses.thread_of(connection, project, thread_id) is None:
        raise NotFound(f"Conversation with id '{conversation_id}' not found.")
    return thread_id


def idle_thread(connection: Connection, project: str, conversation_id: str) -> str:
    """The same, on which nothing is being made; the error of locked() where something is."""
    thread_id = conversation_thread(connection, project, conversation_id)
    if runs.active_run(connection, thread_id) is not None:
        raise locked()
    return thread_id


def resolved(
    connection: Connection, project: str, items: Sequence[InputItem], *, param: str = "input"
) -> list[InputItem]:
    """The items; what references lead to in their places. param: what the request calls them."""
    return [
        _led_to(connection, project, item, f"{param}[{n}]") if isinstance(item, InputReference) else item
        for n, item in enumerate(items)
    ]


def _led_to(connection: Connection, project: str, item: InputReference, param: str) -> InputItem:
    found = reference(connection, project, item.id)
    if found is None:
        raise NotFound(
            f"Item with id '{item.id}' not found. Items are not persisted when `store` is set to false. Try again with "
            "`store` set to true, or remove this item from your input.",
            param=param,
        )
    return found


def add_items(
    connection: Connection, project: str, thread_id: str, items: Sequence[InputItem], now: int, *, param: str = "input"
) -> list[given.Kept]:
    """Add items to a thread, which the caller has locked or just made, in this order."""
    kept = [given.kept(item, thread_id, now, param=f"{param}[{n}]") for n, item in enumerate(items)]
    for one in kept:
        if isinstance(one, Message):
            attached.check_message(connection, project, one)
            threads.insert_messages(connection, project, [one])
        else:
            responses.insert_item(connection, project, thread_id, one.id, one.body)
    return kept


def messages_of(items: Sequence[InputItem], now: int, *, param: str = "input") -> list[Message]:
    """The messages among the items whose content may have images."""
    kept = [
        given.kept(item, "", now, param=f"{param}[{n}]")
        for n, item in enumerate(items)
        if isinstance(item, InputMessage) and not isinstance(item.content, str)
    ]
    return [message for message in kept if isinstance(message, Message)]


def _owner(body: ResponseCreate) -> dict[str, str]:
    """Whose the thread is, where the client says it: by this an end user's things are found."""
    user = body.user or body.safety_identifier
    return {"user": user[:512]} if user else {}


def _find(connection: Connection, project: str, response_id: str) -> ResponseRow:
    row = responses.find(connection, project, ids.run_id(response_id))
    if row is None:
        raise NotFound(f"Response with id '{response_id}' not found.")
    return row


def _no_previous(response_id: str) -> InvalidRequest:
    return InvalidRequest(
        f"Previous response with id '{response_id}' not found.",
        param="previous_response_id",
        code="previous_response_not_found",
    )


def _previous(connection: Connection, project: str, response_id: str) -> ResponseRow:
    row = responses.find(connection, project, ids.run_id(response_id))
    if row is None or not asked_of(row).store:
        raise _no_previous(response_id)
    if row.run.status not in TERMINAL:
        raise InvalidRequest(
            f"Invalid 'previous_response_id': the response '{response_id}' is not done yet.",
            param="previous_response_id",
            code="invalid_value",
        )
    return row


def _check_calls(connection: Connection, place: _Place, items: Sequence[InputItem]) -> None:
    """Every call has an output and every output a call, or a model would be confused; InvalidRequest names the first."""
    newest = None if place.before is None or place.before.run.status != "completed" else place.before.run.id
    open_calls: list[str] = []
    known: set[str] = set(given.called(items))
    outputs = set(given.answered(items))
    answered_before: set[str] = set()
    if outputs or place.before is not None:
        for run_id, body in responses.recent_calls(connection, place.spans):
            if str(body.get("type")).endswith("_call_output"):
                answered_before.add(str(body.get("call_id")))
            calls = [call["id"] for call in unanswered(body)]
            known.update(calls)
            if run_id and run_id == newest:
                open_calls += calls
    for call_id in (*(call for call in open_calls if call not in answered_before), *given.called(items)):
        if call_id not in outputs:
            raise InvalidRequest(f"No tool output found for function call {call_id}.", param="input")
    for call_id in given.answered(items):
        if call_id not in known:
            raise InvalidRequest(f"No tool call found for function call output with call_id {call_id}.", param="input")


def _get(connection: Connection, project: str, response_id: str, *, results: bool) -> Response:
    row = _find(connection, project, response_id)
    return lens.response_of(row.run, asked_of(row), output_of(connection, row.run, results=results))


def output_of(connection: Connection, run: Run, *, results: bool) -> list[dict[str, object]]:
    """The items that a run has made."""
    messages, steps = responses.made(connection, run.id)
    return lens.output_of(run, messages, steps, results=results)


def _delete(connection: Connection, project: str, response_id: str) -> None:
    row = _find(connection, project, response_id)
    if row.run.status not in TERMINAL:
        raise InvalidRequest("Cannot delete an in-flight response.")
    responses.mark_deleted(connection, row.run.id)
    _prune(connection, project, row.run.thread_id)


def _prune(connection: Connection, project: str, thread_id: str) -> None:
    for run_id in responses.prune(connection, project, thread_id):
        hint(connection, runs.topic(run_id))


def _input_items(
    connection: Connection, project: str, response_id: str, params: PageParams, *, results: bool
) -> ItemPage:
    row = _find(connection, project, response_id)
    *before, last = threads.lineage(connection, row.run.thread_id).spans
    until = Span(last.thread_id, row.input_message or 0, row.input_step or 0)
    if row.input_message is None:
        until = responses.begin_of_run(connection, row.run.id, last.thread_id)
    return page_of(connection, project, [*before, until], params, results=results)
