"""Tuned models and aliases as this process knows them, and how tuned chat models are talked to.

The truth is in the store: read() looks it up, whenever it is hinted that something changed. Nothing is loaded here; a
chat model's engine starts with its first call and ends when others were asked since (models.engines).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from zhuli.core import sticky
from zhuli.core.errors import NotFound
from zhuli.models.engines.kept_engines import Engines
from zhuli.models.entry import Entry, Watch, unwatched
from zhuli.store.learning import retuning, tuned_models
from zhuli.store.learning.retuning import Stage
from zhuli.store.learning.tuned_models import TunedModel

_INHERITED = ("context_window", "slots", "threads", "batch", "gpu_layers", "kv_cache_type", "max_tokens")
"""Settings of a base's entry that hold for what is tuned on it as well."""

_PATHS = ("path", "lora_path", "chat_template_file")


@dataclass
class Tuned:
    """data_dir: absolute; what models say of their files is relative to it. entries: those of the models file."""

    data_dir: Path
    entries: Mapping[str, Entry]
    engines: Engines
    watch: Watch = unwatched
    models: dict[str, TunedModel] = field(default_factory=dict)
    aliases: dict[tuple[str, str], str] = field(default_factory=dict)
    stages: dict[tuple[str, str], Stage] = field(default_factory=dict)
    _made: dict[str, Entry] = field(default_factory=dict)

    def read(self, connection: Connection) -> None:
        """Know what the store knows; engines of models that are gone end as soon as nobody uses them."""
        self.models = {model.name: model for model in tuned_models.every(connection)}
        self.aliases = tuned_models.aliases(connection)
        self.stages = retuning.stages(connection)
        for name in self._made.keys() - self.models.keys():
            entry = self._made.pop(name)
            if entry.is_made:
                self.engines.retire(entry.backend)

    def model(self, name: str, project: str) -> TunedModel | None:
        """The project's model of this name, or where its alias leads."""
        found = self.models.get(self.target(name, project))
        return found if found is not None and found.project == project else None

    def target(self, name: str, project: str | None) -> str:
        """Where the project's alias of this name leads; other names lead to themselves.

        While a candidate has a share of the traffic, that depends on who is served (core.sticky); others get the champion.
        """
        if project is None:
            return name
        key = (project, name)
        stage, asker = self.stages.get(key), sticky.who.get()
        if stage and asker and key in self.aliases and sticky.takes_part(asker, stage.candidate, stage.share):
            return stage.model
        return self.aliases.get(key, name)

    def names(self, project: str) -> list[str]:
        """The project's models, oldest first, then its aliases."""
        return [*self.models_of(project), *sorted(alias for owner, alias in self.aliases if owner == project)]

    def models_of(self, project: str) -> list[str]:
        """The same without aliases."""
        return [model.name for model in self.models.values() if model.project == project]

    def entry(self, name: str, project: str | None) -> Entry | None:
        """How the project's model is talked to; None if it is not there or answers no chats."""
        model = self.models.get(name)
        if model is None or model.chat is None or model.project != project:
            return None
        if "served_by" in model.chat and model.chat["served_by"] not in self.entries:
            return None
        if name not in self._made:
            self._made[name] = self._entry(model, model.chat)
        return self._made[name]

    def _entry(self, model: TunedModel, chat: Mapping[str, Any]) -> Entry:
        said = {key: value for key, value in chat.items() if key not in ("backend", "served_by")}
        if "served_by" in chat:
            server = self.entries[chat["served_by"]]
            adapter = {"model": model.name, "lora_path": str(self.data_dir / model.folder)}
            return Entry(
                model.name,
                server.backend_name,
                server.settings | adapter,
                model.created_at,
                model.project,
                file_search=server.file_search,
                rewrite_queries=server.rewrite_queries,
                wrap=self.engines.watched,
                watch=self.watch,
            )
        base = self.entries.get(model.base)
        inherited = base.settings if base is not None and base.backend_name == chat["backend"] else {}
        settings = {key: inherited[key] for key in _INHERITED if key in inherited} | said
        paths = {key: self.data_dir / said[key] for key in _PATHS if key in said}
        settings |= {key: str(path) for key, path in paths.items()}
        settings.setdefault("data_dir", str(self.data_dir))
        return Entry(
            model.name,
            chat["backend"],
            settings,
            model.created_at,
            model.project,
            file_search="always" if chat["backend"] == "embedded" else "called",
            wrap=self.engines.kept,
            watch=self.watch,
            files=tuple(paths.values()),
        )

    async def aclose(self) -> None:
        """End the engines that were started."""
        for entry in self._made.values():
            if entry.is_made:
                await entry.backend.aclose()


def not_here(name: str) -> NotFound:
    """The error for a model whose files this process does not see."""
    text = f"The files of the model '{name}' are not on this machine. Servers that share a database must share data_dir, too."
    return NotFound(text, param="model", code="model_not_found")
