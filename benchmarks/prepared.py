"""A server on a database that is filled before it starts: for benchmarks whose data takes too long to send."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Generic, TypeVar

from tests.harness.postgres import Postgres

from benchmarks.processes import Process, free_port, started

T = TypeVar("T")

SCRIPT = '{"default": [{"text": "-"}]}'
NO_MODEL = """\
[models.none]
backend = "scripted"
script = "script.json"
"""
"""The entry of the models file that each of them has."""


@dataclass(frozen=True, slots=True)
class Served(Generic[T]):
    """filled: what `fill` gave. folder: to be used beside the server, gone with it."""

    process: Process
    filled: T
    folder: Path


@contextmanager
def served(fill: Callable[[str], T], *, models: str, postgres: bool, settings: str = "") -> Iterator[Served[T]]:
    """Call `fill` with the URL of a new database, then serve it. postgres: with pgvector, where it is installed."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        url = f"sqlite:///{folder}/zhuli.db"
        if postgres:
            database = Postgres(pgvector=True)
            stack.callback(database.stop)
            url = database.new_database()
        (folder / "models.toml").write_text(models)
        (folder / "script.json").write_text(SCRIPT)
        config = folder / "config.toml"
        config.write_text(f'database_url = "{url}"\nmodels_file = "{folder}/models.toml"\n{settings}')
        filled = fill(url)
        port = free_port()
        command = ["serve", "--port", str(port), "--data-dir", str(folder), "--config", str(config)]
        log = folder / "log"
        yield Served(
            stack.enter_context(started("zhuli.cli", *command, port=port, ready="/readyz", log=log)), filled, folder
        )
