"""Which models may be asked for, and what those that are not ready lack. Nothing is loaded for the table."""

from importlib.util import find_spec
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from zhuli.core.errors import ConfigurationError
from zhuli.models.available import AVAILABLE
from zhuli.models.catalog import EMBEDDERS, Catalog, EmbedderEntry, Entry
from zhuli.models.packaged import e5_small, minilm, smollm2
from zhuli.models.packaged.packaged_embedder import check_packages
from zhuli.operating.terminal import table
from zhuli.settings import Settings

PACKAGED = {"e5_small": e5_small.RECIPE, "minilm": minilm.RECIPE, "static": e5_small.RECIPE}


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
    for embedder in catalog.embedders.values():
        problem = missing_embedder(embedder)
        ready = "[green]yes[/]" if problem is None else f"[red]{escape(problem)}[/]"
        is_default = embedder.name == catalog.default_embedder
        name = f"{escape(embedder.name)} (default embedder)" if is_default else escape(embedder.name)
        others = [alias for alias, target in catalog.embedder_aliases.items() if target is embedder]
        window = "–" if problem else str(embedder.embedder.max_tokens)
        made.add_row(name, embedder.plugin, window, ready, escape(", ".join(others)) or "–")
    return made


def available_table() -> Table:
    """Models that `zhuli models pull` knows by name."""
    made = table("Model", "Size", "Licence", "")
    for name, file in AVAILABLE.items():
        made.add_row(name, f"{file.size / 1e6:.0f} MB", file.licence, file.sentence)
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


def missing_embedder(entry: EmbedderEntry) -> str | None:
    """The same of an embedder."""
    try:
        entry.embedder  # noqa: B018
        if recipe := PACKAGED.get(entry.plugin):
            check_packages()
            if not recipe.place(Path(entry.settings["data_dir"], "models")).exists():
                for file in recipe.files:
                    file.find()
    except ConfigurationError as error:
        return error.message
    return None


async def prepare(settings: Settings) -> list[str]:
    """Start every model once, so that files are unpacked or downloaded and what can't work comes out; the names.

    Of the built-in embedders only the default: others are made ready when they are first used.
    """
    catalog = Catalog.load(settings.models, settings.data_dir)
    try:
        for entry in catalog.entries.values():
            await entry.backend.start()
        embedders = [
            embedder
            for embedder in catalog.embedders.values()
            if embedder.name == catalog.default_embedder or embedder.name not in EMBEDDERS
        ]
        for embedder in embedders:
            await embedder.embedder.start()
    finally:
        await catalog.aclose()
    return [*catalog.entries, *(embedder.name for embedder in embedders)]


def _other_names(catalog: Catalog, entry: Entry) -> list[str]:
    return [name for name, target in {**catalog.aliases, **catalog.patterns}.items() if target is entry]
