"""The vector indexes against their contract, and each against what only it can do wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness.howto import blocks, module
from tests.harness.postgres import Postgres
from tests.harness.sockets import free_port
from zhuli.core.errors import ConfigurationError, Unavailable
from zhuli.ports import VectorIndex
from zhuli.registry import find
from zhuli.testing.index_contract import IndexContract

OpenIndex = Callable[[], VectorIndex]


class TestHowTo(IndexContract):
    """The example of docs/howto/add-an-index.md keeps the contract."""

    @pytest.fixture
    def open_index(self) -> OpenIndex:
        index: VectorIndex = module("comparing", blocks("add-an-index.md")[0]).Plugin({})
        return lambda: index


class TestEmbedded(IndexContract):
    @pytest.fixture
    def open_index(self, tmp_path: Path) -> OpenIndex:
        return lambda: find("indexes", "embedded")({"data_dir": str(tmp_path), "database_url": "sqlite://"})


class TestPgvector(IndexContract):
    @pytest.fixture
    def open_index(self, pgvector: Postgres) -> OpenIndex:
        settings = {"data_dir": "data", "database_url": pgvector.new_database()}
        return lambda: find("indexes", "pgvector")(settings)


class TestQdrant(IndexContract):
    """Qdrant's own engine for trying things, which keeps its data in a folder."""

    @pytest.fixture
    def open_index(self, tmp_path: Path) -> OpenIndex:
        settings = {"data_dir": "data", "database_url": "sqlite://", "url": str(tmp_path / "qdrant")}
        return lambda: find("indexes", "qdrant")(settings)

    async def test_it_needs_an_address(self) -> None:
        with pytest.raises(ConfigurationError, match="vector_index_url"):
            find("indexes", "qdrant")({"data_dir": "data", "database_url": "sqlite://"})

    async def test_a_server_that_does_not_answer_is_unavailable(self) -> None:
        url = f"http://127.0.0.1:{free_port()}"
        index = find("indexes", "qdrant")({"data_dir": "data", "database_url": "sqlite://", "url": url})
        with pytest.raises(Unavailable, match="does not answer"):
            await index.position("vs_a")
        await index.aclose()
