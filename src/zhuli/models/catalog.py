"""Which models and embedders may be asked for: entries of the models file, and other names that lead to them.

Knows nothing of how a model works; its settings are checked by the plugin that takes them, when it is first used or by
`check()`. The file is read once, by models_file: changing it takes a restart. What a project has tuned, and its own
aliases, come from the store (models.tuned); an alias of a project's goes before one of the file's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection

from zhuli import registry
from zhuli.core.errors import InvalidRequest, NotFound
from zhuli.models.engines.kept_engines import Engines
from zhuli.models.entry import Entry as Entry
from zhuli.models.entry import Watch, WatchEmbedder, unwatched
from zhuli.models.models_file import Declared, ModelsFile, is_pattern, parsed
from zhuli.models.tuned import Tuned
from zhuli.ports import Embedder

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

EMBEDDERS: dict[str, Any] = {"e5-small": {"plugin": "e5_small"}, "minilm": {"plugin": "minilm"}}
"""Embedders that are there whatever the models file says; the first is the default unless the file has others."""

EMBEDDER_ALIASES = ("text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002")
"""Names that apps written for the original ask for; they mean the default embedder unless the file says otherwise."""


@dataclass(frozen=True)
class EmbedderEntry:
    """An embedder that may be asked for, made when it is first needed like a backend."""

    name: str
    plugin: str
    settings: dict[str, Any]
    created: int
    owned_by: str = "zhuli"
    watch: WatchEmbedder = unwatched

    @cached_property
    def embedder(self) -> Embedder:
        """Made when it is first asked for; ConfigurationError for wrong settings."""
        made: Embedder = registry.find("embedders", self.plugin)(self.name, self.settings)
        return self.watch(self.name, made)

    @property
    def is_made(self) -> bool:
        """Whether anybody has asked for it."""
        return "embedder" in self.__dict__


@dataclass
class Catalog:
    """All entries by name, and where the aliases lead. `default` and `default_embedder` are names that resolve."""

    default: str
    entries: dict[str, Entry]
    tuned: Tuned
    aliases: dict[str, Entry] = field(default_factory=dict)
    patterns: dict[str, Entry] = field(default_factory=dict)
    default_embedder: str = ""
    embedders: dict[str, EmbedderEntry] = field(default_factory=dict)
    embedder_aliases: dict[str, EmbedderEntry] = field(default_factory=dict)
    declared: frozenset[str] = frozenset()
    """Models and embedders that stand in the models file itself."""
    dimensions: dict[str, int] = field(default_factory=dict)
    """Numbers in the vectors that /v1/embeddings gives under an alias, where its embedder gives another number."""

    @classmethod
    def load(
        cls,
        path: Path | None,
        data_dir: Path,
        *,
        engines: int = 2,
        watch: Watch = unwatched,
        watch_embedder: WatchEmbedder = unwatched,
    ) -> Self:
        """The catalog in `path`, None for the built-in one. ConfigurationError says which entry is wrong, and how.

        engines: of tuned chat models, how many are kept in memory. watch, watch_embedder: whom calls of models
        and embedders go through.
        """
        data_dir = data_dir.resolve()  # other relative paths are meant from the models file, this one is not
        if path is None:
            file = ModelsFile("the built-in catalog", Path(__file__), data_dir, BUILT_IN)
        else:
            file = ModelsFile(str(path), path, data_dir, parsed(path))
        return cls._build(file, engines, watch, watch_embedder)

    @classmethod
    def _build(cls, file: ModelsFile, engines: int, watch: Watch, watch_embedder: WatchEmbedder) -> Self:
        file.check_keys()
        entries = {name: _entry(name, declared, watch) for name, declared in file.models().items()}
        embedders = _embedders(file, entries, watch_embedder)
        targets = {
            alias: file.target(alias, target, entries, embedders) for alias, target in file.tables("aliases").items()
        }
        of_models = {alias: entries[target] for alias, target in targets.items() if target in entries}
        catalog = cls(
            default=file.content.get("default", next(iter(entries))),
            entries=entries,
            tuned=Tuned(file.data_dir, entries, Engines(engines), watch),
            aliases={alias: target for alias, target in of_models.items() if not is_pattern(alias)},
            patterns={alias: target for alias, target in of_models.items() if is_pattern(alias)},
            default_embedder=file.content.get("default_embedder", next(iter(embedders))),
            embedders=embedders,
            declared=frozenset() if file.content is BUILT_IN else frozenset(entries) | file.tables("embedders").keys(),
            dimensions=file.dimensions(),
        )
        if not isinstance(catalog.default, str) or catalog.resolve(catalog.default) is None:
            raise file.wrong(f"default: there is no model {catalog.default!r}. Models: {', '.join(entries)}.")
        if catalog.default_embedder not in embedders:
            known = ", ".join(embedders)
            raise file.wrong(
                f"default_embedder: there is no embedder {catalog.default_embedder!r}. Embedders: {known}."
            )
        aliases = dict.fromkeys(EMBEDDER_ALIASES, catalog.default_embedder) | targets
        catalog.embedder_aliases = {
            alias: embedders[target]
            for alias, target in aliases.items()
            if target in embedders and alias not in entries and alias not in embedders
        }
        return catalog

    @property
    def is_stand_in(self) -> bool:
        """Whether nothing better than the packaged model answers where no model is named."""
        default = self.resolve(self.default)
        return (
            default is not None and default.backend_name == "embedded" and not {"path", "hub"} & default.settings.keys()
        )

    def names(self) -> list[str]:
        """What may be asked for by name: the default, models, then aliases; patterns stand for names that nobody can list."""
        return sorted([*self.entries, *self.aliases], key=lambda name: name != self.default)

    def embedder_names(self) -> list[str]:
        """The same of embedders."""
        return sorted([*self.embedders, *self.embedder_aliases], key=lambda name: name != self.default_embedder)

    def resolve(self, name: str, project: str | None = None) -> Entry | None:
        """The entry for a name that an app asks for: a model, an alias, the first pattern that fits, or None.

        project: whose tuned models and aliases are meant as well.
        """
        name = self.tuned.target(name, project)
        if tuned := self.tuned.entry(name, project):
            return tuned
        if found := self.entries.get(name) or self.aliases.get(name):
            return found
        return next((entry for pattern, entry in self.patterns.items() if fnmatchcase(name, pattern)), None)

    def resolve_now(self, connection: Connection, name: str, project: str) -> Entry | None:
        """resolve(), also of what was tuned just now by another process."""
        if (found := self.resolve(name, project)) is None:
            self.tuned.read(connection)
            found = self.resolve(name, project)
        return found

    def resolve_embedder(self, name: str) -> EmbedderEntry | None:
        """The embedder of this name or alias, or None."""
        return self.embedders.get(name) or self.embedder_aliases.get(name)

    def unknown(self, name: str, project: str | None = None) -> InvalidRequest:
        """The error for a name that resolves to nothing."""
        if silent := self._answers_no_chats(name, project):
            return silent
        message = f"The requested model '{name}' cannot be used with the Assistants API."
        return InvalidRequest(
            f"{message} Models here: {self._known(project)}.", param="model", code="unsupported_model"
        )

    def not_found(self, name: str, project: str | None = None) -> InvalidRequest | NotFound:
        """The same, where a model itself is asked for."""
        if silent := self._answers_no_chats(name, project):
            return silent
        text = f"The model '{name}' does not exist. Models here: {self._known(project)}."
        return NotFound(text, param="model", code="model_not_found")

    def _answers_no_chats(self, name: str, project: str | None) -> InvalidRequest | None:
        """The error for a tuned model that is there, but does not talk."""
        model = None if project is None else self.tuned.model(name, project)
        if model is None:
            return None
        what = "is a base to be tuned" if model.task is None else f"does {model.task}. Ask it at POST /v1/predictions"
        text = f"The model '{name}' answers no chats: it {what}."
        return InvalidRequest(text, param="model", code="unsupported_model")

    def _known(self, project: str | None) -> str:
        return ", ".join([*self.names(), *(self.tuned.names(project) if project is not None else ())])

    def embedder_not_found(self, name: str) -> NotFound:
        """The same, where an embedder is asked for."""
        known = ", ".join(self.embedder_names())
        what = "does not embed" if self.resolve(name) else "does not exist"
        text = f"The model '{name}' {what}. Embedding models here: {known}."
        return NotFound(text, param="model", code="model_not_found")

    def check(self) -> None:
        """Make what the models file declares, so that wrong settings, classes and keys come out at a server's start.

        Nothing is loaded. ConfigurationError names the first that can't be made; built-in ones may lack their package.
        """
        for entry in self.entries.values():
            if entry.name in self.declared:
                entry.backend  # noqa: B018
        for embedder in self.embedders.values():
            if embedder.name in self.declared:
                embedder.embedder  # noqa: B018

    async def aclose(self) -> None:
        """Free the models that were in use."""
        await self.tuned.aclose()
        for entry in self.entries.values():
            if entry.is_made:
                await entry.backend.aclose()
        for embedder in self.embedders.values():
            if embedder.is_made:
                await embedder.embedder.aclose()


def _entry(name: str, declared: Declared, watch: Watch) -> Entry:
    return Entry(
        name,
        declared.plugin,
        declared.settings,
        declared.created,
        declared.owned_by,
        file_search=declared.file_search or ("always" if declared.plugin == "embedded" else "called"),
        rewrite_queries=declared.rewrite_queries,
        watch=watch,
    )


def _embedders(file: ModelsFile, models: Mapping[str, Entry], watch: WatchEmbedder) -> dict[str, EmbedderEntry]:
    """Those of the file first, then the built-in ones whose names it leaves free."""
    own = file.embedders()
    if both := sorted(own.keys() & models.keys()):
        raise file.wrong(f"embedders.{both[0]}: there is a model of this name; rename one of them.")
    built_in = ModelsFile("the built-in catalog", Path(__file__), file.data_dir, {"embedders": EMBEDDERS})
    free = {name: made for name, made in built_in.embedders().items() if name not in own and name not in models}
    return {
        name: EmbedderEntry(name, made.plugin, made.settings, made.created, made.owned_by, watch)
        for name, made in {**own, **free}.items()
    }
