"""A new SQLite database with the newest schema: a copy of one that this process has migrated once.

Migrating takes longer than most tests, and does the same each time.
"""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import create_engine

from zhuli.store import migrate


def make(path: Path) -> None:
    """Put it there, unless there is one."""
    if not path.exists():
        path.write_bytes(_migrated())


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder, "zhuli.db")
        engine = create_engine(f"sqlite:///{path}")
        with engine.begin() as connection:
            migrate.upgrade(connection)
        engine.dispose()
        return path.read_bytes()
