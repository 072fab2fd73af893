"""What clients do to desks, and people to proposals. Each is one transaction."""

from typing import Any

from sqlalchemy import Connection

from zhuli.core.clock import Clock
from zhuli.core.errors import InvalidRequest
from zhuli.core.ids import new_id
from zhuli.store import collections
from zhuli.store.applications import support as store
from zhuli.store.database import Database
from zhuli.store.schema import assistants, support_desks
from zhuli.types.applications.support import (
    Desk,
    DeskCreate,
    DeskModify,
    Proposal,
    ProposalCreate,
    ProposalModify,
    RiskRule,
    SupportTask,
    TaskKind,
    WorkingHours,
)
from zhuli.types.assistants.assistant import Assistant
from zhuli.types.wire import Request


class DeskCommands:
    """Made once. NotFound for what the project has not; InvalidRequest names the parameter that can't be."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(self, project: str, body: DeskCreate) -> Desk:
        """A desk without proposals."""
        _check(body.risks, body.hours)
        given = body.model_dump(exclude={"metadata"})
        made = Desk(id=new_id("desk"), created_at=int(self._clock.now()), metadata=body.metadata or {}, **given)
        return await self._database.run(self._create, project, made)

    def _create(self, connection: Connection, project: str, made: Desk) -> Desk:
        _check_assistant(connection, project, made.assistant)
        collections.insert(connection, support_desks, project, made)
        return made

    async def modify(self, project: str, desk_id: str, body: DeskModify) -> Desk:
        """The desk with these fields; what was published stays as it is until it is published again."""
        _check(body.risks or [], body.hours)
        return await self._database.run(self._modify, project, desk_id, body)

    def _modify(self, connection: Connection, project: str, desk_id: str, body: DeskModify) -> Desk:
        desk = store.lock_desk(connection, project, desk_id)
        fresh = Desk(id=desk.id, created_at=desk.created_at, name=desk.name, languages=["en"])
        given: dict[str, Any] = {
            name: getattr(fresh if getattr(body, name) is None else body, name) for name in body.model_fields_set
        }
        if body.assistant is not None:
            _check_assistant(connection, project, body.assistant)
        changed = desk.model_copy(update=given)
        collections.replace(connection, support_desks, changed)
        return changed

    async def begin(self, project: str, desk_id: str, kind: TaskKind, body: Request) -> SupportTask:
        """The task, which a worker does soon."""
        task = SupportTask(
            id=new_id("suptask"),
            created_at=int(self._clock.now()),
            desk_id=desk_id,
            kind=kind,
            request=body.model_dump(),
        )
        return await self._database.run(store.begin, project, task)

    async def propose(self, project: str, desk_id: str, body: ProposalCreate) -> Proposal:
        """A proposal of a person's own, which is accepted."""
        check_content(body.kind, body)
        made = Proposal(
            id=new_id("prop"),
            created_at=int(self._clock.now()),
            desk_id=desk_id,
            kind=body.kind,
            name=body.name,
            status="accepted",
            edited=True,
            content=body.content,
            origin="person",
        )
        return await self._database.run(self._propose, project, made)

    def _propose(self, connection: Connection, project: str, made: Proposal) -> Proposal:
        store.lock_desk(connection, project, made.desk_id)
        _check_name(connection, made, made.name)
        store.add_proposal(connection, project, made, event="written", at=self._clock.now())
        return made

    async def modify_proposal(self, project: str, desk_id: str, proposal_id: str, body: ProposalModify) -> Proposal:
        """The proposal as a person wants it."""
        return await self._database.run(self._modify_proposal, project, desk_id, proposal_id, body)

    def _modify_proposal(
        self, connection: Connection, project: str, desk_id: str, proposal_id: str, body: ProposalModify
    ) -> Proposal:
        store.lock_desk(connection, project, desk_id)
        there = store.lock_proposal(connection, project, desk_id, proposal_id)
        if body.name is not None and body.name != there.name:
            _check_name(connection, there, body.name)
        content = body.content or there.content
        edited = there.edited or content != there.content or (body.name or there.name) != there.name
        status = body.status or ("edited" if edited else there.status)
        changed = there.model_copy(
            update={
                "name": body.name or there.name,
                "content": content,
                "edited": edited,
                "status": status,
                "version": there.version + 1,
            }
        )
        check_content(changed.kind, changed)
        store.change_proposal(connection, changed, event=status, at=self._clock.now())
        return changed


def check_content(kind: str, given: ProposalCreate | Proposal) -> None:
    """That the content says what its kind needs; InvalidRequest."""
    content = given.content
    lacking = {
        "intent": None if content.examples else "examples",
        "answer": None if content.text else "text",
        "article": None if content.text else "text",
        "slot": None if content.type else "type",
    }[kind]
    if lacking is not None:
        raise InvalidRequest(
            f"A proposal of kind '{kind}' has '{lacking}' in its content.", param="content", code="invalid_value"
        )


def _check_name(connection: Connection, made: Proposal, name: str) -> None:
    if store.named(connection, made.desk_id, made.kind, name) is not None:
        raise InvalidRequest(
            f"The desk has a proposal of kind '{made.kind}' with the name '{name}' already. Choose another name, or "
            "change that one.",
            param="name",
            code="invalid_value",
        )


def _check_assistant(connection: Connection, project: str, assistant: str | None) -> None:
    if assistant is not None:
        with collections.named_by("assistant"):
            collections.get(connection, assistants, Assistant, project, assistant)


def _check(rules: list[RiskRule], hours: WorkingHours | None) -> None:
    """Expressions that compile, a time zone that there is."""
    from zoneinfo import ZoneInfo

    import regex

    for index, rule in enumerate(rules):
        try:
            regex.compile(rule.pattern or "")
        except regex.error as error:
            raise InvalidRequest(
                f"The pattern of rule '{rule.name}' is no regular expression: {error}.",
                param=f"risks[{index}].pattern",
                code="invalid_value",
            ) from error
    if hours is not None:
        try:
            ZoneInfo(hours.timezone)
        except (KeyError, ValueError, OSError) as error:
            raise InvalidRequest(
                f"There is no time zone '{hours.timezone}'. It is named as in the IANA database: Europe/Berlin.",
                param="hours.timezone",
                code="invalid_value",
            ) from error
