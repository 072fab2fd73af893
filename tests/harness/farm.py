"""The servers of a test session: those that tests share, since a start takes a second, and those that a test breaks.

PostgreSQL is started when the first test needs it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from tests.harness import warm
from tests.harness.postgres import Postgres
from tests.harness.server import SCRIPT, Server, StartFailed, Table, environment
from tests.harness.warm import WARM
from zhuli.testing import new_database

Storage = Literal["sqlite", "postgres"]
STORAGES: tuple[Storage, ...] = ("sqlite", "postgres")

MOST_SHARED = 4
"""Shared servers that run at once: even an idle one ticks and looks at its queue, and a hundred of them take a core.

Files that want servers of their own seldom want more at once, and one that is asked for again starts in a quarter of a second.
"""


class Farm:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shared: dict[str, Server | StartFailed] = {}
        self._running: list[Server] = []
        self._postgres: Postgres | None = None
        self._migrated: str | None = None
        self._given_back: list[str] = []
        self._count = 0

    def shared(self, storage: Storage, *, name: str = "", **options: Any) -> Server:
        """The server with these options, the same for all who ask for them; `name` keeps apart what would be equal."""
        key = json.dumps([storage, name, options], default=str, sort_keys=True)
        if key not in self._shared:
            # A server that does not start would not do so for the next hundred tests either.
            try:
                self._shared[key] = self.fresh(storage, **options)
            except StartFailed as failure:
                self._shared[key] = failure
        found = self._shared[key] = self._shared.pop(key)  # the last one is the one that was used last
        if isinstance(found, StartFailed):
            raise found
        if not found.runs:
            found.start()
        self._rest()
        return found

    def _rest(self) -> None:
        """Stop those that were not asked for in the longest time; they go on with their data when they are."""
        running = [server for server in self._shared.values() if isinstance(server, Server) and server.runs]
        for server in running[:-MOST_SHARED]:
            server.stop()

    def fresh(
        self,
        storage: Storage,
        *,
        script: Path = SCRIPT,
        models: Mapping[str, Table] | None = None,
        aliases: Mapping[str, str | Table] | None = None,
        embedder: str = "hashed",
        embedders: Mapping[str, Table] | None = None,
        bases: Mapping[str, Table] | None = None,
        **settings: Any,
    ) -> Server:
        """A server of the test's own, with these settings."""
        self._count += 1
        folder = self._folder / f"{storage}-{self._count}"
        if storage == "sqlite" and WARM:
            folder.mkdir()
            new_database.make(folder / "zhuli.db")
        server = Server(
            folder,
            database_url=self.new_database() if storage == "postgres" else None,
            script=script,
            models=models,
            aliases=aliases,
            embedder=embedder,
            embedders=embedders,
            bases=bases,
            settings=settings,
        )
        self._running.append(server)
        server.start()
        return server

    def retire(self, server: Server) -> None:
        self._running.remove(server)
        server.stop()
        self.give_back(server.database_url)

    def mark_logs(self) -> None:
        for server in self._running:
            server.mark_log()

    def logs(self) -> list[tuple[str, str]]:
        """What the servers wrote since mark_logs(), by folder name."""
        return [(server.folder.name, text) for server in self._running if (text := server.log())]

    def close(self) -> None:
        """All are asked first, for each takes a while."""
        for server in self._running:
            server.ask_to_stop()
        try:
            while self._running:
                self._running.pop().wait_for_end()
        finally:
            if self._postgres is not None:
                self._postgres.stop()

    def new_database(self, *, empty: bool = not WARM) -> str:
        """The URL of a PostgreSQL database that nobody uses: with the newest schema and no rows, unless it is to be empty."""
        if self._postgres is None:
            self._postgres = Postgres()
        if empty:
            return self._postgres.new_database()
        if self._given_back:
            return self._postgres.emptied(self._given_back.pop())
        if self._migrated is None:
            self._migrated = self._postgres.new_database()
            warm.run(
                ["migrate"],
                env={**environment(), "ZHULI_DATABASE_URL": self._migrated, "ZHULI_DATA_DIR": str(self._folder)},
            ).check_returncode()
        return self._postgres.new_database(like=self._migrated)

    def give_back(self, url: str) -> None:
        """Nobody needs this database any more, which has the newest schema; one of SQLite is just left."""
        if WARM and url.startswith("postgresql"):
            self._given_back.append(url)
