"""The vector indexes against their contract, and each against what only it can do wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest

from zhuli.ports import VectorIndex
from zhuli.registry import find
from zhuli.testing.index_contract import IndexContract

OpenIndex = Callable[[], VectorIndex]


class TestEmbedded(IndexContract):
    @pytest.fixture
    def open_index(self, tmp_path: Path) -> OpenIndex:
        return lambda: find("indexes", "embedded")({"data_dir": str(tmp_path), "database_url": "sqlite://"})
