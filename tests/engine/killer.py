"""A scripted backend whose process dies, by SIGKILL, just before a chosen commit: to see what every cut leaves behind.

A plugin like anybody's ("tests.engine.killer:Killer" in a models file), so the server needs no switch for it. It puts
itself between the databases and the functions they run. Only transactions that wrote something are counted, and only
once the file `arm_file` exists, which says how many may pass. Like every model it is made when it is first asked for, so a
test asks it something (stories.use_the_model) before it arms it: otherwise the first commits pass unseen.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from zhuli.plugins.backends.scripted import Plugin
from zhuli.store.postgres import PostgresDatabase
from zhuli.store.sqlite import SqliteDatabase


class Killer(Plugin):
    """Settings: those of the scripted backend, and `arm_file`."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, {key: value for key, value in settings.items() if key != "arm_file"})
        self._arm_file = Path(settings["arm_file"])
        self._committed = 0
        for database in (SqliteDatabase, PostgresDatabase):
            self._watch(database)

    def _watch(self, database: Any) -> None:
        run = database.run

        async def watched(this: Any, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
            return await run(this, self._deadly(function), *args, **kwargs)

        database.run = watched

    def _deadly(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(connection: Connection, *args: Any, **kwargs: Any) -> Any:
            before = _writes(connection)
            result = function(connection, *args, **kwargs)
            if _writes(connection) != before and self._arm_file.exists():
                self._count()
            return result

        return call

    def _count(self) -> None:
        if self._committed == int(self._arm_file.read_text()):
            os.kill(os.getpid(), signal.SIGKILL)
        self._committed += 1


def _writes(connection: Connection) -> Any:
    """Something that changes when the transaction writes."""
    if connection.dialect.name == "postgresql":
        return connection.exec_driver_sql("SELECT pg_current_xact_id_if_assigned()::text").scalar()
    return connection.connection.driver_connection.total_changes  # type: ignore[union-attr]
