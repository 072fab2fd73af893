"""Prepared statements: each compiles for both databases, and gives what SQLAlchemy's own execution would give."""

import asyncio
from collections.abc import AsyncIterator
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import Boolean, Connection, bindparam, delete, insert, select, text, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import Select

import zhuli.store
from tests.engine.scripts import CALLS_THEN_ANSWERS, TOOLS
from tests.engine.workers import play_on
from tests.harness.farm import Farm, Storage
from zhuli.core.hints import Hints
from zhuli.store import collections, jobs, migrate, schema, statement
from zhuli.store.database import Database, hint
from zhuli.store.opening import open_database
from zhuli.store.statement import Prepared, Rows, prepared
from zhuli.testing.app import app_in_memory

FILES = schema.files
FLOAT8 = 701
"""PostgreSQL's number of the type of our floats."""

ADD = prepared(
    insert(FILES).values({name: bindparam(name) for name in ("id", "project_id", "body")} | {"purpose": "test"})
)
ALL = prepared(select(FILES.c.seq, FILES.c.id, FILES.c.body).order_by(FILES.c.seq))
ONE = prepared(select(FILES.c.body).where(FILES.c.id == bindparam("key")))
CHANGE = prepared(update(FILES).where(FILES.c.id == bindparam("key")).values(body=bindparam("new")))
DROP = prepared(delete(FILES).where(FILES.c.id == bindparam("key")))


def every_statement() -> dict[str, Prepared]:
    """The constants of the store's files, and those that are made for each table."""
    found: dict[str, Prepared] = {}
    for module in walk_packages(zhuli.store.__path__, "zhuli.store."):
        name = module.name.rpartition(".")[2]
        if name != "postgres" and not module.name.startswith("zhuli.store.migrations."):
            constants = vars(import_module(module.name))
            found |= {f"{name}.{n}": value for n, value in constants.items() if isinstance(value, Prepared)}
    found |= {f"jobs._ENQUEUE {dialect}": one for dialect, one in jobs._ENQUEUE.items()}
    for name in collections.NOUNS:
        table = schema.metadata.tables[name]
        found[f"collections._by_id {name}"] = collections._by_id(table, "body", ())
        found[f"collections._insert {name}"] = collections._insert(table, ("id", "project_id", "body"))
        found[f"collections._replace {name}"] = collections._replace(table)
    return found


STATEMENTS = every_statement()


@pytest.mark.parametrize("name", [name for name in STATEMENTS if not name.endswith(" postgresql")])
def test_it_compiles_for_sqlite(name: str) -> None:
    assert statement._OnSqlite(STATEMENTS[name]._statement, sqlite.dialect())._sql


@pytest.mark.parametrize("name", [name for name in STATEMENTS if not name.endswith(" sqlite")])
def test_it_compiles_for_postgresql(name: str) -> None:
    """asyncpg gets and gives values as they are: no type may want to change them on their way."""
    dialect: Any = asyncpg.dialect()
    compiled: Any = STATEMENTS[name]._statement.compile(dialect=dialect)
    assert str(compiled)
    columns = STATEMENTS[name]._statement.exported_columns.values()
    for kind in [one.type.dialect_impl(dialect) for one in (*compiled.binds.values(), *columns)]:
        assert kind.bind_processor(dialect) is None or isinstance(kind, Boolean)  # which only refuses what is none
        assert kind.result_processor(dialect, FLOAT8) is None


@pytest_asyncio.fixture
async def filled(database: Database) -> Database:
    """With files a and b."""

    def fill(connection: Connection) -> None:
        ADD(connection, [{"id": id_, "project_id": "p", "body": id_.upper()} for id_ in ("a", "b")])

    await database.run(migrate.upgrade)
    await database.run(fill)
    return database


async def test_rows_have_their_columns_as_attributes(filled: Database) -> None:
    def look(connection: Connection) -> list[tuple[int, str, str]]:
        return [(row.seq, row.id, row.body) for row in ALL(connection, {})]

    assert await filled.run(look) == [(1, "a", "A"), (2, "b", "B")]


async def test_the_ways_to_take_rows_agree(filled: Database) -> None:
    def look(connection: Connection) -> None:
        assert [tuple(row) for row in ALL(connection, {}).all()] == [(1, "a", "A"), (2, "b", "B")]
        assert tuple(ALL(connection, {}).first() or ()) == (1, "a", "A")
        assert ALL(connection, {}).scalars() == [1, 2]
        assert ONE(connection, {"key": "b"}).scalar() == "B"

    await filled.run(look)


async def test_where_there_is_no_row_there_is_none(filled: Database) -> None:
    def look(connection: Connection) -> None:
        nothing = ONE(connection, {"key": "c"})
        assert (nothing.first(), nothing.scalar(), nothing.scalars(), nothing.all()) == (None, None, [], [])

    await filled.run(look)


async def test_what_is_no_query_gives_no_rows_and_does_its_work(filled: Database) -> None:
    def change(connection: Connection) -> None:
        CHANGE(connection, {"key": "a", "new": "AA"})
        assert CHANGE(connection, {"key": "c", "new": "CC"}).all() == []
        DROP(connection, {"key": "b"})
        ADD(connection, {"id": "c", "project_id": "p", "body": "C"})
        assert [(row.id, row.body) for row in ALL(connection, {})] == [("a", "AA"), ("c", "C")]

    await filled.run(change)


async def test_what_breaks_a_rule_of_the_schema_raises_the_same_error(filled: Database) -> None:
    with pytest.raises(IntegrityError):
        await filled.run(lambda connection: ADD(connection, {"id": "a", "project_id": "p", "body": "A"}))
    with pytest.raises(IntegrityError):
        await filled.run(lambda connection: ADD(connection, [{"id": "a", "project_id": "p", "body": "A"}] * 2))


async def test_a_list_of_parameters_is_a_row_each(filled: Database) -> None:
    def change(connection: Connection) -> None:
        CHANGE(connection, [{"key": "a", "new": "AA"}, {"key": "b", "new": "BB"}])
        assert [row.body for row in ALL(connection, {})] == ["AA", "BB"]

    await filled.run(change)


async def test_prepared_and_other_statements_share_their_transaction(filled: Database) -> None:
    def mixed(connection: Connection) -> None:
        CHANGE(connection, {"key": "a", "new": "AA"})
        assert connection.execute(select(FILES.c.body).where(FILES.c.id == "a")).scalar() == "AA"
        connection.execute(update(FILES).where(FILES.c.id == "b").values(body="BB"))
        assert ONE(connection, {"key": "b"}).scalar() == "BB"
        raise ValueError

    with pytest.raises(ValueError):
        await filled.run(mixed)
    assert await filled.run(lambda connection: [row.body for row in ALL(connection, {})]) == ["A", "B"]


@pytest.mark.parametrize("kind", [statement._OnSqlite, statement._OnPostgres])
def test_a_list_inside_a_condition_is_refused(kind: Any) -> None:
    with pytest.raises(AssertionError, match="can't have IN with a list"):
        kind(select(FILES.c.id).where(FILES.c.id.in_(["a", "b"])), asyncpg.dialect())


async def test_throughout_a_run_the_driver_gives_what_sqlalchemy_gives(
    farm: Farm, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every prepared query of a run with calls is made both ways, in the same transaction."""
    compared: set[str] = set()
    for kind in (statement._OnSqlite, statement._OnPostgres):
        _compare(kind, compared, monkeypatch)
    for one in STATEMENTS.values():
        monkeypatch.setattr(one, "_compiled", {})
    url = farm.new_database() if storage == "postgres" else None
    async with app_in_memory(CALLS_THEN_ANSWERS, database_url=url) as app:
        assert (await play_on(app, await app.begin("Weather and time?", tools=TOOLS))).status == "completed"
    assert len(compared) > 10


def _compare(kind: Any, compared: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    execute, make, queries = kind.execute, kind.__init__, dict[int, Any]()

    def both_ways(compiled: Any, connection: Connection, parameters: Any) -> Rows:
        rows = Rows(execute(compiled, connection, parameters).all())
        query = queries.get(id(compiled))
        if isinstance(query, Select):
            compared.add(compiled._sql)
            # Others may change it in between, but not each time.
            ways = (
                (execute(compiled, connection, parameters), connection.execute(query, parameters)) for _ in range(9)
            )
            assert any([tuple(row) for row in ours] == [tuple(row) for row in theirs] for ours, theirs in ways)
        return rows

    def remember(compiled: Any, made_from: Any, dialect: Any) -> None:
        make(compiled, made_from, dialect)
        queries[id(compiled)] = made_from

    monkeypatch.setattr(kind, "__init__", remember)
    monkeypatch.setattr(kind, "execute", both_ways)


class TestOnPostgres:
    """A transaction begins with the first statement that is more than a look."""

    @pytest_asyncio.fixture
    async def filled(self, farm: Farm) -> AsyncIterator[Database]:
        opened = open_database(farm.new_database(), Hints())
        await opened.run(ADD, [{"id": "a", "project_id": "p", "body": "A"}])
        yield opened
        await opened.aclose()

    @staticmethod
    def within(connection: Connection) -> bool:
        return bool(connection.connection.driver_connection.is_in_transaction())  # type: ignore[union-attr]

    async def test_what_only_looks_is_in_none(self, filled: Database) -> None:
        def look(connection: Connection) -> list[bool]:
            ONE(connection, {"key": "a"}).scalar()
            first = self.within(connection)
            connection.execute(select(FILES.c.id)).all()
            second = self.within(connection)
            connection.execute(select(FILES.c.id).with_for_update()).all()
            return [first, second, self.within(connection)]

        assert await filled.run(look) == [False, False, True]
        assert not await filled.run(self.within)

    @pytest.mark.parametrize("prepared_first", [True, False])
    async def test_an_error_takes_everything_back(self, filled: Database, prepared_first: bool) -> None:
        def change(connection: Connection) -> None:
            ONE(connection, {"key": "a"}).scalar()
            ways = [
                lambda: CHANGE(connection, {"key": "a", "new": "B"}),
                lambda: connection.execute(update(FILES).where(FILES.c.id == "a").values(purpose="else")),
            ]
            for way in ways if prepared_first else reversed(ways):
                way()
            ADD(connection, {"id": "a", "project_id": "p", "body": "twice"})

        with pytest.raises(IntegrityError):
            await filled.run(change)
        rows = await filled.run(lambda connection: connection.execute(select(FILES.c.body, FILES.c.purpose)).all())
        assert [tuple(row) for row in rows] == [("A", "test")]

    async def test_who_is_stopped_in_the_middle_leaves_nothing(self, filled: Database) -> None:
        waits = text("SELECT pg_sleep(60)")

        def change(connection: Connection) -> None:
            CHANGE(connection, {"key": "a", "new": "B"})
            going.set()
            connection.execute(waits)

        going = asyncio.Event()
        task = asyncio.create_task(filled.run(change))
        await going.wait()
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await filled.run(CHANGE, {"key": "a", "new": "C"})
        assert await filled.run(lambda connection: ONE(connection, {"key": "a"}).scalar()) == "C"

    async def test_a_table_that_another_process_has_changed_is_read_as_it_is_now(self, filled: Database) -> None:
        every = prepared(select(FILES.c.body, FILES.c.purpose).where(FILES.c.id == bindparam("key")))

        def look(connection: Connection) -> list[Any]:
            connection.execute(select(FILES.c.id).with_for_update()).all()
            return [tuple(row) for row in every(connection, {"key": "a"})]

        assert await filled.run(look) == [("A", "test")]
        await filled.run(
            lambda connection: connection.execute(text("ALTER TABLE files ALTER purpose TYPE varchar(999)"))
        )
        assert await filled.run(look) == [("A", "test")]

    async def test_others_hear_of_what_was_committed_whatever_it_is_called(self, filled: Database, farm: Farm) -> None:
        heard: asyncio.Queue[Any] = asyncio.Queue()
        hints = Hints()
        other = open_database(str(filled.url), hints)  # type: ignore[attr-defined]
        name = "it's \\ a; name"
        with hints.call(name, heard.put_nowait):
            await other.begin()

            async def tell() -> None:
                while True:  # until it listens
                    await filled.run(lambda connection: hint(connection, name))
                    await asyncio.sleep(0.05)

            telling = asyncio.create_task(tell())
            await asyncio.wait_for(heard.get(), 30)
            telling.cancel()
        await other.aclose()
