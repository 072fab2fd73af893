"""Which models may be asked for: entries of the models file, and other names that lead to them.

Knows nothing of how a model works; its settings are checked by the backend that takes them, when it is first used or by
`check()`. The file is read once: changing it takes a restart.
"""

import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from zhuli import registry
from zhuli.core.errors import ConfigurationError, InvalidRequest, NotFound
from zhuli.ports import Backend

BUILT_IN: dict[str, Any] = {
    "default": "smollm2",
    "models": {"smollm2": {"backend": "embedded"}},
    "aliases": dict.fromkeys(
        (
            "gpt-4o gpt-4o-mini gpt-4.1 gpt-4.1-mini gpt-4.1-nano gpt-4-turbo gpt-4 gpt-3.5-turbo "
            "gpt-5 gpt-5-mini gpt-5-nano o1 o3 o3-mini o4-mini "
            "gpt-4* gpt-3.5-turbo* gpt-5* chatgpt-* o1-* o3-* o4-mini-*"
        ).split(),
        "smollm2",
    ),
}
"""What is served without a models file: the model that needs no network, under its own and the usual names."""

_PATH_SETTINGS = ("script", "record", "path")
"""Settings that name files, as all do that end in _path, _file or _dir: relative to the models file."""


@dataclass(frozen=True)
class Entry:
    """A model that may be asked for. Its backend is made when it is first needed, once, for all who ask."""

    name: str
    backend_name: str
    settings: dict[str, Any]
    created: int
    owned_by: str = "zhuli"

    @cached_property
    def backend(self) -> Backend:
        made: Backend = registry.find("backends", self.backend_name)(self.name, self.settings)
        return made

    @property
    def is_made(self) -> bool:
        return "backend" in self.__dict__

    @property
    def context_window(self) -> int:
        """Tokens of prompt and answer together: what the entry says, else what its backend does."""
        return int(self.settings.get("context_window") or self.backend.context_window)


@dataclass
class Catalog:
    """All entries by name, and where the aliases lead. `default` is a name that resolves."""

    default: str
    entries: dict[str, Entry]
    aliases: dict[str, Entry] = field(default_factory=dict)
    patterns: dict[str, Entry] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path | None, data_dir: Path) -> Self:
        """The catalog in `path`, None for the built-in one. ConfigurationError says which entry is wrong, and how."""
        data_dir = data_dir.resolve()  # other relative paths are meant from the models file, this one is not
        if path is None:
            return cls._build(BUILT_IN, _Source("the built-in catalog", Path(__file__), data_dir))
        return cls._build(_parse(path), _Source(str(path), path, data_dir))

    @classmethod
    def _build(cls, content: dict[str, Any], source: "_Source") -> Self:
        if unknown := sorted(content.keys() - {"default", "models", "aliases"}):
            raise source.wrong(f"unknown key '{unknown[0]}'. Known: default, models, aliases.")
        tables, aliases = content.get("models"), content.get("aliases", {})
        if not (isinstance(tables, dict) and tables):
            raise source.wrong('there are no models. Add one: [models.NAME] with backend = "…".')
        if not isinstance(aliases, dict):
            raise source.wrong('aliases: must be a table like "gpt-4o" = "NAME".')
        entries = {name: source.entry(name, table) for name, table in tables.items()}
        targets = {alias: source.target(alias, target, entries, aliases) for alias, target in aliases.items()}
        catalog = cls(
            default=content.get("default", next(iter(entries))),
            entries=entries,
            aliases={alias: target for alias, target in targets.items() if not _is_pattern(alias)},
            patterns={alias: target for alias, target in targets.items() if _is_pattern(alias)},
        )
        if not isinstance(catalog.default, str) or catalog.resolve(catalog.default) is None:
            raise source.wrong(f"default: there is no model {catalog.default!r}. Models: {', '.join(entries)}.")
        return catalog

    def names(self) -> list[str]:
        """What may be asked for by name: the default, models, then aliases; patterns stand for names that nobody can list."""
        return sorted([*self.entries, *self.aliases], key=lambda name: name != self.default)

    def resolve(self, name: str) -> Entry | None:
        """The entry for a name that an app asks for: a model, an alias, the first pattern that fits, or None."""
        if found := self.entries.get(name) or self.aliases.get(name):
            return found
        return next((entry for pattern, entry in self.patterns.items() if fnmatchcase(name, pattern)), None)

    def unknown(self, name: str) -> InvalidRequest:
        """The error for a name that resolves to nothing."""
        message = f"The requested model '{name}' cannot be used with the Assistants API."
        return InvalidRequest(
            f"{message} Models here: {', '.join(self.names())}.", param="model", code="unsupported_model"
        )

    def not_found(self, name: str) -> NotFound:
        """The same, where a model itself is asked for."""
        known = ", ".join(self.names())
        text = f"The model '{name}' does not exist. Models here: {known}."
        return NotFound(text, param="model", code="model_not_found")

    def check(self) -> None:
        """Make every backend now, so that wrong settings and missing keys come out at the start of a server."""
        for entry in self.entries.values():
            entry.backend  # noqa: B018

    async def aclose(self) -> None:
        """Free the models that were in use."""
        for entry in self.entries.values():
            if entry.is_made:
                await entry.backend.aclose()


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a catalog comes from: what its mistakes are reported under, what its paths are relative to."""

    name: str
    path: Path
    data_dir: Path

    def wrong(self, what: str) -> ConfigurationError:
        return ConfigurationError(f"{self.name}: {what}")

    def entry(self, name: str, table: Any) -> Entry:
        if not isinstance(table, dict):
            raise self.wrong(f'models.{name}: must be a table: [models.{name}] with backend = "…".')
        if _is_pattern(name):
            raise self.wrong(f"models.{name}: a model's name can't have *, ? or [; put patterns under [aliases].")
        settings = dict(table)
        backend, owner = settings.pop("backend", None), settings.pop("owned_by", "zhuli")
        self._check_backend(name, backend)
        if not isinstance(owner, str):
            raise self.wrong(f"models.{name}.owned_by: must be text.")
        window = settings.get("context_window", 1)
        if not isinstance(window, int) or window < 1:
            raise self.wrong(f"models.{name}.context_window: must be a number of tokens, like 32768.")
        if backend == "embedded":
            settings.setdefault("data_dir", str(self.data_dir))
        resolved = {key: self._resolved(key, value) for key, value in settings.items()}
        return Entry(name, backend, resolved, int(self.path.stat().st_mtime), owner)

    def target(self, alias: str, name: Any, entries: dict[str, Entry], aliases: dict[str, Any]) -> Entry:
        """The entry that an alias leads to."""
        models = ", ".join(entries)
        if alias in entries:
            raise self.wrong(f"aliases.{alias}: there is a model of this name; rename one of them.")
        if not isinstance(name, str):
            raise self.wrong(f"aliases.{alias}: must be the name of a model: {models}.")
        if name in entries:
            return entries[name]
        if name in aliases:
            raise self.wrong(f"aliases.{alias}: '{name}' is an alias itself; name a model: {models}.")
        raise self.wrong(f"aliases.{alias}: there is no model '{name}'. Models: {models}.")

    def _check_backend(self, name: str, backend: Any) -> None:
        if isinstance(backend, str) and ":" in backend:
            return
        known = registry.names("backends")
        if backend is None:
            raise self.wrong(f"models.{name}: backend is missing. Known: {', '.join(known)}.")
        if backend not in known:
            choices = f"{', '.join(known)}, or 'package.module:Class'"
            raise self.wrong(f"models.{name}.backend: there is no backend {backend!r}. Known: {choices}.")

    def _resolved(self, key: str, value: Any) -> Any:
        if not isinstance(value, str) or not (key in _PATH_SETTINGS or key.endswith(("_path", "_file", "_dir"))):
            return value
        return str(self.path.parent / Path(value).expanduser())


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"The models file {path} can't be read: {error.strerror}.") from error
    except ValueError as error:
        raise ConfigurationError(f"The models file {path} is not TOML: {error}.") from error


def _is_pattern(name: str) -> bool:
    return any(letter in name for letter in "*?[")
