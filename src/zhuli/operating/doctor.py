"""Look at everything a server needs, and say of what is missing how to get it. Changes nothing."""

import os
import socket
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from zhuli import registry
from zhuli.core.errors import ConfigurationError, ZhuliError
from zhuli.core.ids import new_id
from zhuli.models.catalog import EMBEDDERS, Catalog
from zhuli.operating import migrations
from zhuli.operating.models_table import missing, missing_embedder
from zhuli.operating.settings_table import masked
from zhuli.ports import BlobStore
from zhuli.settings import Settings

PYTHON = (3, 11)
SQLITE = (3, 35)
"""The first that has RETURNING and ON CONFLICT as the statements here use them."""

EXTRAS = {
    "local": ("xllamacpp", "models that run on this machine"),
    "knowledge": ("onnxruntime", "embedding, reading and finding documents"),
    "postgres": ("asyncpg", "PostgreSQL"),
    "s3": ("s3fs", "files in S3"),
    "otel": ("opentelemetry.sdk", "traces"),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. `fix` says what to do about it; without one all is well. `optional` ones fail nobody."""

    what: str
    found: str
    fix: str | None = None
    optional: bool = False


async def examine(settings: Settings) -> AsyncIterator[Verdict]:
    """Every verdict, as soon as it is known."""
    yield python()
    yield sqlite()
    yield data_dir(settings.data_dir)
    yield await database(settings)
    yield await blobs(settings)
    for verdict in (*models(settings), *embedders(settings)):
        yield verdict
    yield port(settings.host, settings.port)
    for name, (module, use) in EXTRAS.items():
        yield extra(name, module, use)


async def report(settings: Settings, to: Console) -> bool:
    """Print the verdicts; whether a server can work like this."""
    healthy = True
    async for verdict in examine(settings):
        mark = "[green]✓[/]" if verdict.fix is None else "[dim]·[/]" if verdict.optional else "[red]✗[/]"
        to.print(f"{mark} [bold]{verdict.what}[/]: {escape(verdict.found)}")
        if verdict.fix is not None:
            to.print(f"  {escape(verdict.fix)}", style="dim" if verdict.optional else "yellow")
        healthy = healthy and (verdict.fix is None or verdict.optional)
    return healthy


def python() -> Verdict:
    found = ".".join(map(str, sys.version_info[:3]))
    return Verdict("Python", found, None if sys.version_info >= PYTHON else "Install Python 3.11 or newer.")


def sqlite() -> Verdict:
    fix = "Install a Python that was built with SQLite 3.35 or newer, or set database_url to a PostgreSQL."
    return Verdict("SQLite", sqlite3.sqlite_version, None if sqlite3.sqlite_version_info >= SQLITE else fix)


def data_dir(folder: Path) -> Verdict:
    """Whether files can be made in it, or it can be made."""
    place = folder.resolve()
    existing = next(parent for parent in (place, *place.parents) if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            return Verdict("Data folder", str(place) if place.exists() else f"{place}, which the first start makes")
    except OSError as error:
        fix = f"Make {existing} writable for {_user()}, or choose another folder with --data-dir."
        return Verdict("Data folder", f"nothing can be written to {existing}: {error.strerror}", fix)


async def database(settings: Settings) -> Verdict:
    """Whether it answers, and has the schema."""
    url = masked(settings.database)
    try:
        lacking = await migrations.lacking(settings)
    except ZhuliError as error:
        return Verdict("Database", url, f"{error.message} Start it, or correct database_url.")
    if lacking:
        return Verdict("Database", f"{url}, to be made or brought up to date at the next start ({', '.join(lacking)})")
    return Verdict("Database", f"{url}, up to date")


async def blobs(settings: Settings) -> Verdict:
    """Whether a blob can be written, read and deleted."""
    url, key = masked(settings.blobs), new_id("doctor")
    if not settings.blobs_url and not settings.data_dir.exists():
        return Verdict("Files", f"{url}, which the first upload makes")
    try:
        store: BlobStore = registry.find("blobs", settings.blobs.partition(":")[0])(settings.blobs)
        await store.write(key, b"?")
        kept = b"".join([piece async for piece in store.read(key)])
        await store.delete(key)
    except ZhuliError as error:
        return Verdict("Files", url, error.message)
    return Verdict("Files", url, None if kept == b"?" else "What is written there comes back changed: check the store.")


def models(settings: Settings) -> list[Verdict]:
    """One verdict a model, or the one of a models file that can't be used."""
    try:
        catalog = Catalog.load(settings.models, settings.data_dir)
    except ConfigurationError as error:
        return [Verdict("Models", "the models file can't be used", error.message)]
    return [
        Verdict(f"Model {name}", f"{entry.backend_name} backend", missing(entry))
        for name, entry in catalog.entries.items()
    ]


def embedders(settings: Settings) -> list[Verdict]:
    """One verdict an embedder; none where the models file can't be used, which models() says."""
    try:
        catalog = Catalog.load(settings.models, settings.data_dir)
    except ConfigurationError:
        return []
    return [
        Verdict(
            f"Embedder {name}",
            f"{entry.plugin} plugin",
            missing_embedder(entry),
            optional=name in EMBEDDERS and name != catalog.default_embedder,
        )
        for name, entry in catalog.embedders.items()
    ]


def port(host: str, number: int) -> Verdict:
    """Whether a server could listen there."""
    try:
        family, kind, *_, address = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        fix = "If that is your zhuli, all is well. Otherwise choose another with --port."
        return Verdict("Port", f"{host}:{number} can't be used: {error.strerror}", fix, optional=True)
    return Verdict("Port", f"{host}:{number} is free")


def extra(name: str, module: str, use: str) -> Verdict:
    """Whether the packages of an extra are there. Those that the settings need are missed elsewhere."""
    if _installed(module):
        return Verdict(f"Extra {name}", f"installed ({use})")
    return Verdict(
        f"Extra {name}", f"not installed ({use})", f"If you need it: pip install 'zhuli[{name}]'.", optional=True
    )


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _user() -> str:
    return os.environ.get("USER") or str(os.getuid())
