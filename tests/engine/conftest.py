"""Where the apps of the engine's stories keep their data: a folder, and a SQLite file in it or a PostgreSQL database."""

import os
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.harness.farm import Farm, Storage
from tests.harness.postgres import NoPostgres
from zhuli.testing.app import AppInMemory, app_in_memory
from zhuli.testing.clock import ManualClock


class Place:
    """Apps that are opened here, one after the other or at once, have the same data and the same clock."""

    def __init__(self, folder: Path, database_url: str | None) -> None:
        self.clock = ManualClock()
        self._folder = folder
        self._database_url = database_url

    def app(self, script: dict[str, Any], **settings: Any) -> AbstractAsyncContextManager[AppInMemory]:
        options = {"folder": self._folder, "clock": self.clock, "database_url": self._database_url, **settings}
        return app_in_memory(script, **options)


@pytest.fixture
def place(farm: Farm, storage: Storage, tmp_path: Path) -> Iterator[Place]:
    """On both databases: stories that ask for it are told twice."""
    try:
        url = farm.new_database() if storage == "postgres" else None
    except NoPostgres as reason:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(reason))
    yield Place(tmp_path, url)
    if url is not None:
        farm.give_back(url)
