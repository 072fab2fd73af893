"""Everything that a server keeps in one archive, made while it serves, and put back from it: `zhuli backup`, `zhuli restore`.

The archive is a tar: manifest.json, tables/ with a file of rows each, blobs/ with what was uploaded and made, folders/ with tuned
models and the models file. It says nothing of where it was made: what was on SQLite may be put on PostgreSQL,
and the other way round.
"""

import asyncio
import hashlib
import shutil
import tarfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import orjson
from pydantic import BaseModel, ValidationError
from rich.console import Console
from rich.progress import Progress
from sqlalchemy import Connection

from zhuli import registry
from zhuli.core.errors import ConfigurationError
from zhuli.core.hints import Hints
from zhuli.operating.access.audited import note
from zhuli.ports import BlobStore
from zhuli.settings import Settings
from zhuli.store import migrate, snapshot
from zhuli.store.opening import open_database

MANIFEST = "manifest.json"

_FOLDERS = ("tuning", "recommenders")
_FILES = ("models.toml",)
"""Of the data directory; what else is in it is made again where it is missing."""

_BLOB_TABLES = ("files", "upload_parts")
"""Tables whose rows' ids are the keys of blobs."""

_PIECE = 1024 * 1024


class TableCopy(BaseModel):
    """rows: how many; sha256: of the file."""

    rows: int
    sha256: str


class Manifest(BaseModel):
    """What an archive holds. counters: the last number of each table. missing: blobs that were deleted while it was made."""

    zhuli: str
    made: str
    revision: str
    tables: dict[str, TableCopy]
    counters: dict[str, int]
    blobs: int
    missing: list[str] = []


async def backup(settings: Settings, target: Path) -> Manifest:
    """Make the archive, compressed where its name ends in .gz. It is there whole or not at all."""
    _check_target(target)
    part = target.with_name(f".{target.name}.part")
    mode: Literal["w:gz", "w:"] = "w:gz" if target.name.endswith("gz") else "w:"
    try:
        with (
            TemporaryDirectory(dir=target.parent, prefix=".zhuli-backup-") as name,
            tarfile.open(part, mode) as archive,
        ):
            manifest = await _fill(archive, settings, Path(name))
        part.replace(target)
    except OSError as error:
        raise ConfigurationError(f"{target} can't be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)
    return manifest


def _check_target(target: Path) -> None:
    if target.exists():
        raise ConfigurationError(f"{target} exists already. Give another name.")
    if not target.parent.is_dir():
        raise ConfigurationError(f"There is no folder {target.parent}.")


async def _fill(archive: tarfile.TarFile, settings: Settings, folder: Path) -> Manifest:
    """The rows first: what they name was written before them, and what is deleted later is missed and named."""
    manifest = await snapshot.at_one_moment(settings.database, lambda connection: _write_tables(connection, folder))
    for name in manifest.tables:
        archive.add(folder / name, f"tables/{name}", recursive=False)
    keys = [key for name in _BLOB_TABLES if name in manifest.tables for key in _ids(folder / name)]
    blobs: BlobStore = registry.find("blobs", settings.blobs.partition(":")[0])(settings.blobs)
    with _progress() as progress:
        for key in progress.track(keys, description="Files"):
            if await _add_blob(archive, blobs, key, folder / "blob"):
                manifest.blobs += 1
            else:
                manifest.missing.append(key)
    await blobs.aclose()
    for name in (*_FOLDERS, *_FILES):
        _add_files(archive, settings.data_dir / name, f"folders/{name}", folder / "file")
    (folder / MANIFEST).write_bytes(orjson.dumps(manifest.model_dump(), option=orjson.OPT_INDENT_2))
    archive.add(folder / MANIFEST, MANIFEST)
    return manifest


def _write_tables(connection: Connection, folder: Path) -> Manifest:
    if lacking := migrate.lacking(connection):
        raise ConfigurationError(f"The database lacks the revisions {', '.join(lacking)}: run `zhuli migrate` first.")
    found = snapshot.tables(connection)
    copies = {}
    with _progress() as progress:
        for table in progress.track(found, description="Rows"):
            rows = snapshot.write_table(connection, table, folder / table.name)
            copies[table.name] = TableCopy(rows=rows, sha256=_digest(folder / table.name))
    return Manifest(
        zhuli=version("zhuli"),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        revision=migrate.newest(),
        tables=copies,
        counters=snapshot.counters(connection, found),
        blobs=0,
    )


def _ids(file: Path) -> Iterator[str]:
    with file.open("rb") as lines:
        place = orjson.loads(lines.readline()).index("id")
        for line in lines:
            yield orjson.loads(line)[place]


async def _add_blob(archive: tarfile.TarFile, blobs: BlobStore, key: str, beside: Path) -> bool:
    """A tar wants the size before the bytes, so they go by a file; whether they were there."""
    try:
        with beside.open("wb") as file:
            async for piece in blobs.read(key):
                await asyncio.to_thread(file.write, piece)
    except KeyError:
        return False
    await asyncio.to_thread(archive.add, beside, f"blobs/{key}", recursive=False)
    return True


def _add_files(archive: tarfile.TarFile, place: Path, name: str, beside: Path) -> None:
    """A file, or a folder with all in it. A tuning may write meanwhile: what goes away is left out, what grows is cut."""
    for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
        if not path.is_file() or path.is_symlink():
            continue
        with suppress(FileNotFoundError):
            shutil.copyfile(path, beside)
            inner = path.relative_to(place).as_posix()
            archive.add(beside, name if path == place else f"{name}/{inner}", recursive=False)


async def restore(settings: Settings, source: Path) -> Manifest:
    """Put an archive back where nothing is yet; an older one is brought up to this version.

    ConfigurationError, and nothing is changed, where there is something already, or the archive is not whole.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = open_database(settings.database, Hints())
    try:
        if not database.shared:
            await database.begin()  # nobody else may work on it meanwhile
        had = await database.run(_revision_of_empty)
        with TemporaryDirectory(dir=settings.data_dir, prefix=".zhuli-restore-") as name:
            folder = Path(name)
            await asyncio.to_thread(_unpack, source, folder)
            manifest = _checked(folder, source)
            if had not in (None, manifest.revision):
                raise ConfigurationError(
                    f"{source} is of another version than the database, which must be a new one then."
                )
            await _put_blobs(settings, folder / "blobs")
            _put_folders(settings.data_dir, folder / "folders")
            await database.run(_put_rows, folder / "tables", manifest)
            await note(database, "restore", ("server.restored", None, {"archive": source.name, "made": manifest.made}))
    finally:
        await database.aclose()
    return manifest


def _revision_of_empty(connection: Connection) -> str | None:
    if not snapshot.is_empty(connection):
        raise ConfigurationError("The database is not empty. Restore into a new data directory, or a new database.")
    return migrate.current(connection)


def _unpack(source: Path, folder: Path) -> None:
    try:
        with tarfile.open(source) as archive:
            archive.extractall(folder, filter="data")
    except FileNotFoundError as error:
        raise ConfigurationError(f"There is no archive {source}.") from error
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ConfigurationError(f"{source} can't be unpacked: {error}.") from error


def _checked(folder: Path, source: Path) -> Manifest:
    """The manifest, once each table is what it says and this version knows the revision."""
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (FileNotFoundError, ValidationError) as error:
        raise ConfigurationError(f"{source} is no archive of `zhuli backup`, or not all of one.") from error
    if manifest.revision not in migrate.revisions():
        raise ConfigurationError(f"{source} is of zhuli {manifest.zhuli}, which is newer than this one.")
    for name, copy in manifest.tables.items():
        file = folder / "tables" / name
        if not file.is_file() or _digest(file) != copy.sha256:
            raise ConfigurationError(f"{source} is damaged: the table {name} is not what was written.")
    return manifest


async def _put_blobs(settings: Settings, folder: Path) -> None:
    blobs: BlobStore = registry.find("blobs", settings.blobs.partition(":")[0])(settings.blobs)
    files = await asyncio.to_thread(lambda: sorted(folder.glob("*")))
    with _progress() as progress:
        for file in progress.track(files, description="Files"):
            await blobs.write(file.name, _pieces(file))
    await blobs.aclose()


async def _pieces(file: Path) -> AsyncGenerator[bytes, None]:
    with file.open("rb") as opened:
        while piece := await asyncio.to_thread(opened.read, _PIECE):
            yield piece


def _put_folders(data_dir: Path, folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            target = data_dir / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)


def _put_rows(connection: Connection, folder: Path, manifest: Manifest) -> None:
    """The tables as they were when the archive was made, their rows, and then what this version has in place of them."""
    migrate.upgrade(connection, manifest.revision)
    snapshot.clear(connection)
    found = [table for table in snapshot.tables(connection) if table.name in manifest.tables]
    for table in found:
        rows = snapshot.read_table(connection, table, folder / table.name)
        assert rows == manifest.tables[table.name].rows
    snapshot.set_counters(connection, found, manifest.counters)
    migrate.upgrade(connection)


def counted(manifest: Manifest) -> str:
    """What a command says at its end."""
    rows = sum(copy.rows for copy in manifest.tables.values())
    missing = f"; {len(manifest.missing)} files were deleted meanwhile" if manifest.missing else ""
    return f"{rows} rows of {len(manifest.tables)} tables, {manifest.blobs} files{missing}"


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _progress() -> Progress:
    console = Console(stderr=True)
    return Progress(console=console, transient=True, disable=not console.is_terminal)
