"""A disk without room, at the lowest layer of each thing that writes: what comes of it is a DiskFull, and room ends it."""

import errno
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text

from zhuli.core import full_disk
from zhuli.core.errors import BackendError, DiskFull, Outage
from zhuli.core.hints import Hints
from zhuli.plugins.blobs.file import Plugin as Files
from zhuli.store import migrate
from zhuli.store.database import Database
from zhuli.store.opening import open_database
from zhuli.store.schema import projects

FULL = OSError(errno.ENOSPC, "No space left on device")


def chained(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [FULL, OSError(errno.EDQUOT, "Quota"), ValueError("Io error: (os error 28)"), chained(RuntimeError("broke"), FULL)],
    ids=["the system's", "a quota", "tantivy's", "what came of one"],
)
def test_it_is_found_in_whatever_says_it(error: BaseException) -> None:
    assert isinstance(full_disk.found_in(error), DiskFull)


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOENT, "gone"), BackendError("No space left on device, said a model server")]
)
def test_other_failures_are_none_and_a_model_servers_words_are_its_own(error: BaseException) -> None:
    assert full_disk.found_in(error) is None


def many(connection: Connection) -> None:
    for number in range(400):
        connection.execute(insert(projects).values(id=f"proj_{number}", name="n" * 900 + str(number), created_at=0))


async def test_a_full_database_is_unchanged_and_takes_more_when_there_is_room(tmp_path: Path) -> None:
    database: Any = open_database(f"sqlite:///{tmp_path / 'zhuli.db'}", Hints())
    await database.run(migrate.upgrade)
    pages = database._driver.execute("PRAGMA page_count").fetchone()[0]
    database._driver.execute(f"PRAGMA max_page_count={pages + 3}")
    with pytest.raises(DiskFull, match="disk of the database is full"):
        await database.run(many)
    assert (
        await database.run(lambda connection: connection.execute(text("SELECT count(*) FROM projects")).scalar()) == 0
    )
    database._driver.execute("PRAGMA max_page_count=100000")
    await database.run(many)
    await database.aclose()


async def test_a_full_disk_of_postgresql_is_one(database: Database) -> None:
    def fill(connection: Connection) -> None:
        if connection.dialect.name == "sqlite":
            pytest.skip("above")
        connection.execute(text("DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$"))

    with pytest.raises(DiskFull):
        await database.run(fill)


async def test_a_sqlite_file_that_another_process_holds_is_an_outage_and_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database: Any = open_database(f"sqlite:///{tmp_path / 'zhuli.db'}", Hints())
    other: Any = open_database(f"sqlite:///{tmp_path / 'zhuli.db'}", Hints())
    database._driver.execute("PRAGMA busy_timeout=10")
    other._driver.execute("BEGIN IMMEDIATE")
    with pytest.raises(Outage, match="holds the database"):
        await database.run(migrate.current)
    other._driver.execute("ROLLBACK")
    assert await database.run(migrate.current) is None
    await database.aclose()
    await other.aclose()


class FullFile:
    """A file of a full disk."""

    def write(self, data: bytes) -> int:
        raise FULL

    flush = close = lambda self: (_ for _ in ()).throw(FULL)


async def test_a_file_that_does_not_fit_is_refused_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = Files(f"file://{tmp_path}")
    with monkeypatch.context() as patched:
        patched.setattr(files, "_open", lambda path: FullFile())
        with pytest.raises(DiskFull, match="disk of the files is full"):
            await files.write("file-1", b"hello")
    assert await files.write("file-1", b"hello") == 5
    assert names_in(tmp_path) == ["file-1"]


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.is_file()]


def test_a_folder_is_looked_at_before_somebody_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full_disk.check([tmp_path])
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr("tempfile.TemporaryFile", lambda **options: (_ for _ in ()).throw(FULL))
    with pytest.raises(DiskFull):
        full_disk.check([tmp_path])
