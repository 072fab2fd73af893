"""Which models may be asked for, and what those that are not ready lack. Nothing is loaded for the table."""

from importlib.util import find_spec
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from zhuli.core.errors import ConfigurationError
from zhuli.models import smollm2
from zhuli.models.catalog import Catalog, Entry
from zhuli.operating.terminal import table
from zhuli.settings import Settings


def models_table(settings: Settings) -> Table:
    """One line a model, with the other names that lead to it."""
    catalog = Catalog.load(settings.models, settings.data_dir)
    default = catalog.resolve(catalog.default)
    made = table("Model", "Backend", "Window", "Ready", "Other names")
    for entry in catalog.entries.values():
        problem = missing(entry)
        ready = "[green]yes[/]" if problem is None else f"[red]{escape(problem)}[/]"
        window = "–" if problem else str(entry.context_window)
        name = f"{escape(entry.name)} (default)" if entry is default else escape(entry.name)
        made.add_row(name, entry.backend_name, window, ready, escape(", ".join(_other_names(catalog, entry))) or "–")
    return made


def missing(entry: Entry) -> str | None:
    """What is missing or wrong; None when the model can be used, as far as one can tell without loading it."""
    try:
        entry.backend  # noqa: B018
        if entry.backend_name == "embedded":
            _check_embedded(entry)
    except ConfigurationError as error:
        return error.message
    return None


def _check_embedded(entry: Entry) -> None:
    """The engine is installed, and so is the default model where it is the one that is asked for."""
    if find_spec("xllamacpp") is None:
        raise ConfigurationError("The engine is not installed: pip install 'zhuli[local]'.")
    if "path" in entry.settings or "hub" in entry.settings:
        return
    if not Path(entry.settings["data_dir"], "models", smollm2.UNPACKED).exists():
        smollm2.packaged()


async def prepare(settings: Settings) -> list[str]:
    """Start every model once, so that files are unpacked or downloaded and what can't work comes out; the names."""
    catalog = Catalog.load(settings.models, settings.data_dir)
    try:
        for entry in catalog.entries.values():
            await entry.backend.start()
    finally:
        await catalog.aclose()
    return list(catalog.entries)


def _other_names(catalog: Catalog, entry: Entry) -> list[str]:
    return [name for name, target in {**catalog.aliases, **catalog.patterns}.items() if target is entry]
