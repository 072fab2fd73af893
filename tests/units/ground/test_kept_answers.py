"""Answers to requests with a key: kept with what they describe or not at all, whoever dies at which moment."""

from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from zhuli.core.errors import Conflict, InvalidRequest
from zhuli.server.requests import once
from zhuli.store import collections, kept_answers, migrate
from zhuli.store.database import Database
from zhuli.store.kept_answers import LEASE_SECONDS, LIFETIME_SECONDS, Kept, Keyed
from zhuli.store.schema import kept_answers as table
from zhuli.store.schema import threads
from zhuli.types.assistants.thread import Thread

NOW = 1_000_000.0


def keyed(owner: str = "req_1") -> Keyed:
    return Keyed("k" * 64, owner, Thread)


def make(connection: Connection, id_: str, *, then: type[Exception] | None = None) -> Thread:
    made = Thread(id=id_, created_at=int(NOW), metadata={})
    collections.insert(connection, threads, "p", made)
    if then is not None:
        raise then
    return made


def count(connection: Connection, of: object = threads) -> int:
    return connection.execute(select(func.count()).select_from(of)).scalar_one()  # type: ignore[arg-type]


async def answering(database: Database, request: Keyed, id_: str, *, then: type[Exception] | None = None) -> None:
    """As the server does it, up to where a process may die: the effect is committed, the response is not sent."""
    token = kept_answers.current.set(request)
    try:
        await database.run(make, id_, then=then)
    finally:
        kept_answers.current.reset(token)


async def test_the_answer_is_there_as_soon_as_the_effect_is(database: Database) -> None:
    await database.run(migrate.upgrade)
    assert await database.run(kept_answers.claim, keyed(), "d", now=NOW) is True
    await answering(database, keyed(), "thread_1")
    found = await database.run(kept_answers.claim, keyed("req_2"), "d", now=NOW + 1)
    assert isinstance(found, Kept)
    assert Thread.model_validate_json(found.answer).id == "thread_1"


async def test_an_effect_that_fails_leaves_no_answer(database: Database) -> None:
    await database.run(migrate.upgrade)
    await database.run(kept_answers.claim, keyed(), "d", now=NOW)
    with pytest.raises(RuntimeError):
        await answering(database, keyed(), "thread_1", then=RuntimeError)
    assert await database.run(kept_answers.claim, keyed("req_2"), "d", now=NOW + 1) is False
    await database.run(kept_answers.release, keyed())
    assert await database.run(kept_answers.claim, keyed("req_2"), "d", now=NOW + 1) is True


async def test_whoever_was_overtaken_can_not_commit(database: Database) -> None:
    """A process that hung for longer than its lease, and then goes on."""
    await database.run(migrate.upgrade)
    await database.run(kept_answers.claim, keyed(), "d", now=NOW)
    await database.run(kept_answers.prolong, keyed(), now=NOW + 5)
    assert await database.run(kept_answers.claim, keyed("req_2"), "d", now=NOW + LEASE_SECONDS) is False
    assert await database.run(kept_answers.claim, keyed("req_2"), "d", now=NOW + 5 + LEASE_SECONDS) is True
    with pytest.raises(Conflict):
        await answering(database, keyed("req_1"), "thread_1")
    assert await database.run(count) == 0
    await answering(database, keyed("req_2"), "thread_2")
    await database.run(kept_answers.release, keyed("req_2"))
    assert await database.run(count) == 1
    assert isinstance(await database.run(kept_answers.claim, keyed("req_3"), "d", now=NOW + 60), Kept)


async def test_what_is_only_read_is_no_answer(database: Database) -> None:
    await database.run(migrate.upgrade)
    await database.run(make, "thread_1")
    await database.run(kept_answers.claim, keyed(), "d", now=NOW)
    token = kept_answers.current.set(keyed())
    await database.run(collections.get, threads, Thread, "p", "thread_1")
    kept_answers.current.reset(token)
    assert await database.run(kept_answers.claim, keyed("req_2"), "d", now=NOW + LEASE_SECONDS + 1) is True


async def test_a_key_is_free_again_after_a_day(database: Database) -> None:
    await database.run(migrate.upgrade)
    await database.run(kept_answers.claim, keyed(), "d", now=NOW)
    await answering(database, keyed(), "thread_1")
    with pytest.raises(InvalidRequest):
        await database.run(kept_answers.claim, keyed("req_2"), "other", now=NOW + LIFETIME_SECONDS - 1)
    assert await database.run(kept_answers.forget, now=NOW + LIFETIME_SECONDS - 1) == 0
    assert await database.run(kept_answers.claim, keyed("req_2"), "other", now=NOW + LIFETIME_SECONDS) is True
    assert await database.run(kept_answers.forget, now=NOW + 3 * LIFETIME_SECONDS) == 1
    assert await database.run(count, table) == 0


async def test_a_process_that_owns_its_database_starts_with_nothing_at_work(database: Database) -> None:
    await database.run(migrate.upgrade)
    await database.run(kept_answers.claim, keyed(), "d", now=NOW)
    await database.run(kept_answers.release_all)
    assert await database.run(kept_answers.claim, keyed("req_2"), "other", now=NOW) is True


async def test_who_waits_in_vain_for_another_request_with_the_key_is_told_to_come_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await database.run(migrate.upgrade)
    await database.run(kept_answers.claim, keyed(), "digest", now=NOW)
    monkeypatch.setattr(once, "WAITING_SECONDS", 0.1)
    app: Any = SimpleNamespace(database=database, clock=SimpleNamespace(now=lambda: NOW))
    with pytest.raises(Conflict, match="still being answered") as told:
        await once._claimed(app, keyed("req_2"), "digest")
    assert (told.value.status, told.value.code) == (409, "idempotency_key_in_use")
