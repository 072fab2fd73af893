"""What several ports' tests need."""

from collections.abc import Iterator

import pytest

from tests.harness.postgres import Postgres


@pytest.fixture(scope="session")
def pgvector() -> Iterator[Postgres]:
    """A PostgreSQL that has pgvector."""
    server = Postgres(pgvector=True)
    yield server
    server.stop()
