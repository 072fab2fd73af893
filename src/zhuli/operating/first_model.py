"""Which model a server without a models file begins with: one that already runs here, one from a hub, or the packaged one.

What is found is written into models.toml in the data directory, so that servers and workers agree, and so that it can be read
and changed. Where the file is there, nothing is looked for.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

from zhuli.core import whole_file
from zhuli.core.errors import ConfigurationError
from zhuli.models import found_servers, hub
from zhuli.models.available import AVAILABLE, FIRST, HubFile, named
from zhuli.models.catalog import BUILT_IN, Catalog
from zhuli.models.found_servers import USUAL, FoundServer
from zhuli.settings import Settings

MODELS_FILE = "models.toml"

_FOUND = "# Written by zhuli, which found {what}. Yours to change; without this file it is looked for anew.\n"

_PULLED_WINDOW = 8192
"""Tokens in each slot of a pulled model: what fits into the memory of a laptop."""


async def settle(
    settings: Settings,
    say: Callable[[str], None],
    *,
    ports: dict[str, int] = USUAL,
    first: str = FIRST,
    wanted: HubFile | None = None,
) -> None:
    """For a data directory without a models file: write one, if something is found to stand in it; `say` what.

    ports, first, wanted: where servers are looked for, and the model that is fetched, under which name.
    """
    file = settings.data_dir / MODELS_FILE
    if servers := await found_servers.look(ports, without=settings.port):
        _write(file, _of_servers(servers))
        names = ", ".join(model.name for server in servers for model in server.models[:4])
        say(f"Found {' and '.join(server.name for server in servers)} on this machine: {names}. Written to {file}.")
        return
    if settings.first_model == "local":
        return
    wanted = wanted or AVAILABLE[first]
    try:
        path = await pull(wanted, settings.data_dir, say, only_if_near=True)
    except ConfigurationError as error:
        say(f"{error.message} The packaged model serves for now.")
        return
    if path is not None:
        _write(file, _of_pulled(first, path, beside=file))
        say(f"{first} is served. Written to {file}.")


async def pull(
    wanted: HubFile, data_dir: Path, say: Callable[[str], None], *, only_if_near: bool = False
) -> Path | None:
    """The file in models/ of the data directory, downloaded if it isn't there.

    ConfigurationError when no hub has it; with only_if_near None instead.
    """
    target = data_dir / "models" / wanted.file.rpartition("/")[2]
    if target.exists():
        return target
    found = await hub.place(wanted)
    if found is None:
        if only_if_near:
            return None
        raise ConfigurationError(
            f"No hub that answers has {wanted.repository}:{wanted.file}. Is there a network? HF_ENDPOINT names another hub."
        )
    say(
        f"Fetching {wanted.file} from {found.url.partition('/resolve/')[0]} ({wanted.licence or 'see its licence there'})."
    )
    console = Console(stderr=True)
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("", total=found.size or None)
        await hub.fetch(found, target, told=lambda have: progress.update(bar, completed=have))
    return target


async def add(name: str, settings: Settings, say: Callable[[str], None]) -> str:
    """`zhuli models pull`: the file, and an entry in the models file for it; what to say at the end."""
    wanted = named(name)
    path = await pull(wanted, settings.data_dir, say)
    assert path is not None
    entry = name if name in AVAILABLE else path.stem.lower()
    file = settings.models or settings.data_dir / MODELS_FILE
    if not file.exists():
        _write(file, _of_pulled(entry, path, beside=file))
        return f"{entry} is the default now: {file} has it. A server that runs must be started again."
    if entry in Catalog.load(file, settings.data_dir).entries:
        return f"{entry} is here: {path}. {file} names it already."
    content = file.read_text(encoding="utf-8")
    _write(file, content.rstrip("\n") + "\n\n" + _entry_of(entry, path, beside=file))
    return f'{entry} stands in {file}; make it the default with default = "{entry}". A server that runs must be started again.'


def said(sentence: str) -> None:
    """To whoever starts a server: standard error, where progress goes."""
    print(sentence, file=sys.stderr, flush=True)


def _of_servers(servers: list[FoundServer]) -> str:
    what = " and ".join(f"{server.name} at {server.base_url}" for server in servers)
    default = servers[0].models[0].name
    entries, taken = [], {"smollm2"}
    for server in servers:
        for model in server.models:
            if model.name in taken:
                continue
            taken.add(model.name)
            entries.append(
                f'[models.{_quoted(model.name)}]\nbackend = "openai_compatible"\nbase_url = "{server.base_url}"\n'
                f"context_window = {model.window}\n"
            )
    return _FOUND.format(what=what) + _begun(default) + "\n".join([*entries, _PACKAGED, _aliases(default, taken)])


def _of_pulled(name: str, path: Path, *, beside: Path) -> str:
    head = _FOUND.format(what=f"{path.name} on a hub") + _begun(name)
    return head + "\n".join([_entry_of(name, path, beside=beside), _PACKAGED, _aliases(name, {name})])


def _entry_of(name: str, path: Path, *, beside: Path) -> str:
    """Of a file that was pulled; beside: the models file, from which a relative path is meant."""
    path, folder = path.resolve(), beside.resolve().parent
    shown = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)
    return (
        f'[models.{_quoted(name)}]\nbackend = "embedded"\npath = {_quoted(shown)}\n'
        f"context_window = {_PULLED_WINDOW}\nslots = 2\n"
    )


_PACKAGED = '[models.smollm2]\nbackend = "embedded"\n'


def _begun(default: str) -> str:
    return f"default = {_quoted(default)}\n\n"


def _aliases(target: str, taken: set[str]) -> str:
    """The usual names lead to the model that answers by default."""
    names = [name for name in BUILT_IN["aliases"] if name not in taken]
    return "[aliases]\n" + "".join(f"{_quoted(name)} = {_quoted(target)}\n" for name in names)


def _quoted(text: str) -> str:
    """A basic string of TOML, whose escapes are JSON's."""
    return json.dumps(text, ensure_ascii=False)


def _write(file: Path, content: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    whole_file.replace(file, content.encode())
