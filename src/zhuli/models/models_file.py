"""The models file: read, and held to its form. Each mistake is a ConfigurationError that names its place.

What an entry's own settings mean is checked by the plugin that takes them, not here.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from zhuli import registry
from zhuli.core.errors import ConfigurationError
from zhuli.types.knowledge.embedding import MOST_DIMENSIONS

KEYS = ("default", "models", "aliases", "default_embedder", "embedders", "bases")

FileSearchMode = Literal["always", "called"]
"""Whether the server searches before each answer, or the model calls the tool; for models that can't do that well."""

_PATH_SETTINGS = ("script", "record", "path")
"""Settings that name files, as all do that end in _path, _file or _dir: relative to the models file."""

_KEEP_FILES = ("embedded", "e5_small", "minilm", "static")
"""Plugins that keep files of their own, and are told where."""


@dataclass(frozen=True, slots=True)
class Declared:
    """An entry as the file has it: the plugin's name, and what is for the plugin."""

    plugin: str
    settings: dict[str, Any]
    created: int
    owned_by: str
    file_search: FileSearchMode | None = None
    rewrite_queries: bool = False


@dataclass(frozen=True, slots=True)
class ModelsFile:
    """Where entries come from: what mistakes are reported under, what paths are relative to."""

    name: str
    path: Path
    data_dir: Path
    content: dict[str, Any]

    def wrong(self, what: str) -> ConfigurationError:
        return ConfigurationError(f"{self.name}: {what}")

    def tables(self, key: str) -> dict[str, Any]:
        """The table of this name; an empty one if there is none."""
        found = self.content.get(key, {})
        if not isinstance(found, dict):
            example = '"gpt-4o" = "NAME"' if key == "aliases" else f"[{key}.NAME]"
            raise self.wrong(f"{key}: must be a table like {example}.")
        return found

    def check_keys(self) -> None:
        if unknown := sorted(self.content.keys() - set(KEYS)):
            raise self.wrong(f"unknown key '{unknown[0]}'. Known: {', '.join(KEYS)}.")

    def models(self) -> dict[str, Declared]:
        tables = self.content.get("models")
        if not (isinstance(tables, dict) and tables):
            raise self.wrong('there are no models. Add one: [models.NAME] with backend = "…".')
        return {name: self._model(name, table) for name, table in tables.items()}

    def embedders(self) -> dict[str, Declared]:
        return {
            name: self._declared(f"embedders.{name}", table, key="plugin", kind="embedders")
            for name, table in self.tables("embedders").items()
        }

    def target(self, alias: str, name: Any, models: Mapping[str, Any], embedders: Mapping[str, Any]) -> str:
        """The name of the model or embedder that an alias leads to."""
        known = ", ".join(models)
        if alias in models or alias in embedders:
            raise self.wrong(f"aliases.{alias}: there is a model of this name; rename one of them.")
        if isinstance(name, dict):
            name = self._checked_alias(alias, name, embedders)
        if not isinstance(name, str):
            raise self.wrong(f"aliases.{alias}: must be the name of a model: {known}.")
        if name in models or name in embedders:
            return name
        if name in self.tables("aliases"):
            raise self.wrong(f"aliases.{alias}: '{name}' is an alias itself; name a model: {known}.")
        raise self.wrong(f"aliases.{alias}: there is no model '{name}'. Models: {known}.")

    def dimensions(self) -> dict[str, int]:
        """Numbers in the vectors that an alias of an embedder gives, for those that say it."""
        tables = self.tables("aliases")
        return {alias: table["dimensions"] for alias, table in tables.items() if isinstance(table, dict)}

    def _checked_alias(self, alias: str, table: dict[str, Any], embedders: Mapping[str, Any]) -> Any:
        """What the alias {model = "NAME", dimensions = N} leads to."""
        dimensions, name = table.get("dimensions"), table.get("model")
        if table.keys() != {"model", "dimensions"} or not isinstance(name, str) or name not in embedders:
            known = ", ".join(embedders)
            raise self.wrong(
                f'aliases.{alias}: must be the name of a model, or for an embedder {{ model = "NAME", dimensions = 1536 }}. '
                f"Embedders: {known}."
            )
        if type(dimensions) is not int or not 1 <= dimensions <= MOST_DIMENSIONS:
            raise self.wrong(f"aliases.{alias}.dimensions: must be a number from 1 to {MOST_DIMENSIONS}.")
        return name

    def _model(self, name: str, table: Any) -> Declared:
        declared = self._declared(f"models.{name}", table, key="backend", kind="backends")
        window = declared.settings.get("context_window", 1)
        if not isinstance(window, int) or window < 1:
            raise self.wrong(f"models.{name}.context_window: must be a number of tokens, like 32768.")
        mode = declared.settings.pop("file_search", None)
        if mode not in (None, "always", "called"):
            raise self.wrong(f'models.{name}.file_search: must be "always" or "called".')
        rewrites = declared.settings.pop("rewrite_queries", False)
        if not isinstance(rewrites, bool):
            raise self.wrong(f"models.{name}.rewrite_queries: must be true or false.")
        return replace(declared, file_search=mode, rewrite_queries=rewrites)

    def _declared(self, place: str, table: Any, *, key: str, kind: str) -> Declared:
        if not isinstance(table, dict):
            raise self.wrong(f'{place}: must be a table: [{place}] with {key} = "…".')
        if is_pattern(place):
            raise self.wrong(f"{place}: a model's name can't have *, ? or [; put patterns under [aliases].")
        settings = dict(table)
        plugin, owner = settings.pop(key, None), settings.pop("owned_by", "zhuli")
        self._check_plugin(place, plugin, key=key, kind=kind)
        if not isinstance(owner, str):
            raise self.wrong(f"{place}.owned_by: must be text.")
        if plugin in _KEEP_FILES:
            settings.setdefault("data_dir", str(self.data_dir))
        resolved = {setting: self._resolved(setting, value) for setting, value in settings.items()}
        return Declared(plugin, resolved, int(self.path.stat().st_mtime), owner)

    def _check_plugin(self, place: str, plugin: Any, *, key: str, kind: str) -> None:
        if isinstance(plugin, str) and ":" in plugin:
            return
        known = registry.names(kind)
        if plugin is None:
            raise self.wrong(f"{place}: {key} is missing. Known: {', '.join(known)}.")
        if plugin not in known:
            choices = f"{', '.join(known)}, or 'package.module:Class'"
            raise self.wrong(f"{place}.{key}: there is no {kind[:-1]} {plugin!r}. Known: {choices}.")

    def _resolved(self, key: str, value: Any) -> Any:
        if not isinstance(value, str) or not (key in _PATH_SETTINGS or key.endswith(("_path", "_file", "_dir"))):
            return value
        return str(self.path.parent / Path(value).expanduser())


def parsed(path: Path) -> dict[str, Any]:
    """What the file says, whatever that is."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"The models file {path} can't be read: {error.strerror}.") from error
    except ValueError as error:
        raise ConfigurationError(f"The models file {path} is not TOML: {error}.") from error


def is_pattern(name: str) -> bool:
    return any(letter in name for letter in "*?[")
