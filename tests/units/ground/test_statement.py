"""Prepared statements: each compiles for both databases, and gives what SQLAlchemy's own execution would give."""

from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import Select

import zhuli.store
from tests.engine.scripts import CALLS_THEN_ANSWERS, TOOLS
from tests.engine.workers import play_on
from zhuli.store import collections, jobs, migrate, schema, statement
from zhuli.store.database import Database
from zhuli.store.statement import Prepared, Rows, prepared
from zhuli.testing.app import app_in_memory

FILES = schema.files
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
    assert statement._Compiled(STATEMENTS[name]._statement)._sql


@pytest.mark.parametrize("name", [name for name in STATEMENTS if not name.endswith(" sqlite")])
def test_it_compiles_for_postgresql(name: str) -> None:
    dialect: Any = postgresql.dialect
    assert str(STATEMENTS[name]._statement.compile(dialect=dialect()))


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


def test_a_list_inside_a_condition_is_refused() -> None:
    with pytest.raises(AssertionError, match="can't have IN with a list"):
        statement._Compiled(select(FILES.c.id).where(FILES.c.id.in_(["a", "b"])))


async def test_throughout_a_run_the_driver_gives_what_sqlalchemy_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every prepared query of a run with calls is made both ways, in the same transaction."""
    compared: set[str] = set()
    execute = statement._Compiled.execute

    def both_ways(compiled: Any, connection: Connection, parameters: Any) -> Rows:
        rows = execute(compiled, connection, parameters)
        query = queries.get(id(compiled))
        if isinstance(query, Select):
            compared.add(compiled._sql)
            assert [tuple(row) for row in rows] == [tuple(row) for row in connection.execute(query, parameters)]
        return rows

    make, queries = statement._Compiled.__init__, dict[int, Any]()

    def remember(compiled: Any, made_from: Any) -> None:
        make(compiled, made_from)
        queries[id(compiled)] = made_from

    monkeypatch.setattr(statement._Compiled, "__init__", remember)
    monkeypatch.setattr(statement._Compiled, "execute", both_ways)
    for one in STATEMENTS.values():
        monkeypatch.setattr(one, "_sqlite", None)
    async with app_in_memory(CALLS_THEN_ANSWERS) as app:
        assert (await play_on(app, await app.begin("Weather and time?", tools=TOOLS))).status == "completed"
    assert len(compared) > 10
