"""run(): one transaction, whole or not at all, whatever goes wrong in it; hints only of what was committed."""

import asyncio
import sqlite3
from pathlib import Path
from threading import Event

import pytest
import pytest_asyncio
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from tests.harness.waiting import turns_of_others
from zhuli.core.errors import ConfigurationError
from zhuli.core.hints import Hints
from zhuli.store import sqlite as sqlite_store
from zhuli.store.database import Database, hint
from zhuli.store.opening import open_database
from zhuli.store.sqlite import SqliteDatabase


@pytest.fixture
def database(empty_database: Database) -> Database:
    return empty_database


@pytest_asyncio.fixture(autouse=True)
async def tables(database: Database) -> None:
    """A table `parent`, and a table `child` whose parents are looked for when a transaction is committed."""
    await database.run(execute, "CREATE TABLE parent (id INTEGER PRIMARY KEY)")
    await database.run(
        execute, "CREATE TABLE child (parent INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)"
    )


def execute(connection: Connection, *statements: str) -> None:
    for statement in statements:
        connection.execute(text(statement))


def parents(connection: Connection) -> list[int]:
    return list(connection.execute(text("SELECT id FROM parent ORDER BY id")).scalars())


async def test_what_a_function_did_is_there_when_run_returns(database: Database) -> None:
    await database.run(execute, "INSERT INTO parent VALUES (1)", "INSERT INTO parent VALUES (2)")
    assert await database.run(parents) == [1, 2]


async def test_nothing_of_a_function_that_raises_is_there(database: Database) -> None:
    def breaks(connection: Connection) -> None:
        execute(connection, "INSERT INTO parent VALUES (1)")
        raise ValueError

    with pytest.raises(ValueError):
        await database.run(breaks)
    assert await database.run(parents) == []


async def test_a_statement_that_fails_undoes_the_ones_before_it(database: Database) -> None:
    with pytest.raises(IntegrityError):
        await database.run(execute, "INSERT INTO parent VALUES (1)", "INSERT INTO parent VALUES (1)")
    assert await database.run(parents) == []


async def test_a_commit_that_fails_leaves_nothing_and_the_next_transaction_works(database: Database) -> None:
    with pytest.raises(IntegrityError):
        await database.run(execute, "INSERT INTO parent VALUES (1)", "INSERT INTO child VALUES (7)")
    assert await database.run(parents) == []
    await database.run(execute, "INSERT INTO parent VALUES (2)")
    assert await database.run(parents) == [2]


@pytest.mark.parametrize("storage", ["sqlite"])
async def test_a_commit_that_fails_in_the_driver_leaves_nothing_either(database: Database) -> None:
    """Prepared statements go to SQLite's driver, so that SQLAlchemy knows of no transaction."""

    def orphan(connection: Connection) -> None:
        connection.info["driver"].execute("INSERT INTO child VALUES (7)")

    with pytest.raises(sqlite3.IntegrityError):
        await database.run(orphan)
    await database.run(execute, "INSERT INTO parent VALUES (2)")
    assert await database.run(parents) == [2]


async def test_a_hint_is_published_when_its_transaction_is_committed(database: Database, hints: Hints) -> None:
    heard: list[object] = []

    def writes(connection: Connection) -> None:
        hint(connection, "topic", "news")
        assert heard == []

    with hints.call("topic", heard.append):
        await database.run(writes)
        assert heard == ["news"]


async def test_a_hint_of_a_transaction_that_failed_is_never_published(database: Database, hints: Hints) -> None:
    heard: list[object] = []

    def breaks(connection: Connection) -> None:
        hint(connection, "topic", "news")
        raise ValueError

    with hints.call("topic", heard.append):
        with pytest.raises(ValueError):
            await database.run(breaks)
        await database.run(execute, "INSERT INTO parent VALUES (1)")
    assert heard == []


@pytest.mark.parametrize("storage", ["sqlite"])
def test_a_database_of_another_kind_is_refused_with_what_would_be_right(hints: Hints) -> None:
    with pytest.raises(ConfigurationError, match="must begin with sqlite:/// or postgresql://"):
        open_database("mysql://u@h/d", hints)


def log_size(database: Database) -> int:
    assert isinstance(database, SqliteDatabase)
    return Path(f"{database._path}-wal").stat().st_size


@pytest.mark.parametrize("storage", ["sqlite"])
async def test_a_commit_of_sqlite_moves_no_log_to_the_disk_and_so_does_not_wait_for_it(database: Database) -> None:
    def pages_at_which_it_would(connection: Connection) -> int:
        return int(connection.execute(text("PRAGMA wal_autocheckpoint")).scalar_one())

    assert await database.run(pages_at_which_it_would) == sqlite_store.LAST_RESORT


@pytest.mark.parametrize("storage", ["sqlite"])
async def test_sqlite_s_log_begins_anew_also_under_somebody_who_always_writes(database: Database) -> None:
    assert isinstance(database, SqliteDatabase)
    for number in range(1, 50):
        await database.run(execute, f"INSERT INTO parent VALUES ({number})")
    size = log_size(database)
    await database._begin_log_anew()
    await database.run(execute, "INSERT INTO parent VALUES (100)")
    assert log_size(database) < size / 2
    assert len(await database.run(parents)) == 50


def log_header(database: Database) -> bytes:
    """Changes when the log begins anew, which waits for the disk (https://sqlite.org/walformat.html)."""
    assert isinstance(database, SqliteDatabase)
    return Path(f"{database._path}-wal").read_bytes()[:32]


@pytest.mark.parametrize("storage", ["sqlite"])
async def test_no_transaction_in_the_loop_begins_sqlite_s_log_anew(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither while the log is moved nor behind it: when its next transaction comes it has begun."""
    assert isinstance(database, SqliteDatabase)
    await database.run(execute, "INSERT INTO parent VALUES (1)")
    moved, anew, seen = sqlite_store._move_most, sqlite_store._begin_anew, list[bytes]()

    def move(path: str) -> sqlite3.Connection:
        reader = moved(path)
        asyncio.run_coroutine_threadsafe(database.run(execute, "INSERT INTO parent VALUES (2)"), loop).result()
        seen.append(log_header(database))
        return reader

    def begin(path: str, reader: sqlite3.Connection) -> None:
        anew(path, reader)
        seen.append(log_header(database))

    loop, first = asyncio.get_running_loop(), log_header(database)
    monkeypatch.setattr(sqlite_store, "_move_most", move)
    monkeypatch.setattr(sqlite_store, "_begin_anew", begin)
    await database._begin_log_anew()
    await database.run(execute, "INSERT INTO parent VALUES (3)")
    assert seen[0] == first != seen[1] == log_header(database)
    assert await database.run(parents) == [1, 2, 3]


@pytest.mark.parametrize("storage", ["sqlite"])
async def test_who_writes_while_the_log_begins_anew_waits_and_the_loop_does_not(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(database, SqliteDatabase)
    begun, go = Event(), Event()

    def slow(path: str, reader: sqlite3.Connection) -> None:
        reader.close()
        begun.set()
        go.wait()

    monkeypatch.setattr(sqlite_store, "_begin_anew", slow)
    anew = asyncio.create_task(database._begin_log_anew())
    await asyncio.to_thread(begun.wait)
    writing = asyncio.create_task(database.run(execute, "INSERT INTO parent VALUES (1)"))
    with turns_of_others() as turns:
        for _ in range(10):
            await asyncio.sleep(0)
        assert turns() > 1 and not writing.done()
    go.set()
    await asyncio.gather(anew, writing)
    assert await database.run(parents) == [1]
