"""A scripted backend whose process dies, by SIGKILL, just before a chosen commit: to see what every cut leaves behind.

A plugin like anybody's ("tests.engine.killer:Killer" in a models file), so the server needs no switch for it. Only commits of
transactions that wrote something are counted, and only once the file `arm_file` exists, which says how many may pass.
"""

import os
import signal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

from zhuli.plugins.backends.scripted import Plugin

_WROTE = "tests.wrote"
_WRITES = ("INSERT", "UPDATE", "DELETE")


class Killer(Plugin):
    """Settings: those of the scripted backend, and `arm_file`."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, {key: value for key, value in settings.items() if key != "arm_file"})
        self._arm_file = Path(settings["arm_file"])
        self._committed = 0
        event.listen(Engine, "before_cursor_execute", self._on_statement)
        event.listen(Engine, "commit", self._on_commit)
        event.listen(Engine, "rollback", self._on_rollback)

    def _on_statement(self, connection: Connection, cursor: Any, statement: str, *rest: Any) -> None:
        if statement.lstrip().upper().startswith(_WRITES):
            connection.info[_WROTE] = True

    def _on_commit(self, connection: Connection) -> None:
        if not connection.info.pop(_WROTE, False) or not self._arm_file.exists():
            return
        if self._committed == int(self._arm_file.read_text()):
            os.kill(os.getpid(), signal.SIGKILL)
        self._committed += 1

    def _on_rollback(self, connection: Connection) -> None:
        connection.info.pop(_WROTE, None)
