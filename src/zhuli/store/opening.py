"""Which database a URL means."""

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError

from zhuli.core.errors import ConfigurationError
from zhuli.core.hints import Hints
from zhuli.store.database import Database
from zhuli.store.sqlite import SqliteDatabase

_LIKE = "sqlite:///PATH or postgresql://USER@HOST/DATABASE"


def open_database(url: str, hints: Hints, *, durable: bool = False) -> Database:
    """The database at `url`; its tables are made by store.migrations."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigurationError(f"database_url must be like {_LIKE}, not '{url}'.") from error
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed.database or ":memory:", hints, durable=durable)
    if parsed.get_backend_name() == "postgresql":
        return _open_postgres(url, hints)
    raise ConfigurationError(f"database_url must begin with sqlite:/// or postgresql://, not {parsed.drivername}://.")


def _open_sqlite(path: str, hints: Hints, *, durable: bool) -> SqliteDatabase:
    try:
        return SqliteDatabase(path, hints, durable=durable)
    except DatabaseError as error:
        raise ConfigurationError(f"The SQLite database {path} can't be opened: {error.orig}.") from error


def _open_postgres(url: str, hints: Hints) -> Database:
    try:
        from zhuli.store.postgres import PostgresDatabase  # loads a driver that a server on SQLite does without

        return PostgresDatabase(url, hints)
    except ModuleNotFoundError as error:
        raise ConfigurationError("PostgreSQL needs the extra 'postgres': pip install 'zhuli[postgres]'.") from error
