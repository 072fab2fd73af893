"""A database of either kind, new."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.harness.farm import Farm, Storage
from tests.harness.postgres import NoPostgres
from zhuli.core.hints import Hints
from zhuli.store.database import Database
from zhuli.store.opening import open_database
from zhuli.testing import new_database


@pytest.fixture
def hints() -> Hints:
    return Hints()


@pytest_asyncio.fixture
async def database(farm: Farm, storage: Storage, tmp_path: Path, hints: Hints) -> AsyncIterator[Database]:
    """With the newest schema, on both databases: tests that ask for it run twice."""
    url = _url(farm, storage, tmp_path)
    if storage == "sqlite":
        new_database.make(tmp_path / "test.db")
    opened = open_database(url, hints)
    yield opened
    await opened.aclose()
    farm.give_back(url)


@pytest_asyncio.fixture
async def empty_database(farm: Farm, storage: Storage, tmp_path: Path, hints: Hints) -> AsyncIterator[Database]:
    """The same without any tables."""
    opened = open_database(_url(farm, storage, tmp_path, empty=True), hints)
    yield opened
    await opened.aclose()


def _url(farm: Farm, storage: Storage, folder: Path, *, empty: bool = False) -> str:
    if storage == "sqlite":
        return f"sqlite:///{folder / 'test.db'}"
    try:
        return farm.new_database(empty=empty)
    except NoPostgres as reason:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(reason))
