"""A database of either kind, new and empty."""

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


@pytest.fixture
def hints() -> Hints:
    return Hints()


@pytest_asyncio.fixture
async def database(farm: Farm, storage: Storage, tmp_path: Path, hints: Hints) -> AsyncIterator[Database]:
    """On both databases: tests that ask for it run twice."""
    try:
        url = farm.new_database(empty=True) if storage == "postgres" else f"sqlite:///{tmp_path / 'test.db'}"
    except NoPostgres as reason:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(reason))
    opened = open_database(url, hints)
    yield opened
    await opened.aclose()
