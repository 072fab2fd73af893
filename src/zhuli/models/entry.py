"""A model that may be asked for: an entry of the models file, or a tuned model that answers chats."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from zhuli import registry
from zhuli.core.errors import BackendError
from zhuli.models.models_file import FileSearchMode
from zhuli.ports import Backend, Embedder
from zhuli.types.models.generation import Ability

Watched = TypeVar("Watched")

Watch = Callable[[str, Backend], Backend]
"""Puts something around the backend of a model of this name, which all calls go through."""


WatchEmbedder = Callable[[str, Embedder], Embedder]
"""The same of an embedder."""


def _as_it_is(backend: Backend) -> Backend:
    return backend


def unwatched(_: str, backend: Watched) -> Watched:
    """The backend or embedder as it is."""
    return backend


@dataclass(frozen=True)
class Entry:
    """Its backend is made when it is first needed, once, for all who ask. wrap: what is put around it.

    watch: whom its calls go through.
    """

    name: str
    backend_name: str
    settings: dict[str, Any]
    created: int
    owned_by: str = "zhuli"
    file_search: FileSearchMode = "called"
    rewrite_queries: bool = False
    """Whether the model rewrites the user's words before the server searches for it; costs a call."""
    wrap: Callable[[Backend], Backend] = _as_it_is
    watch: Watch = unwatched
    files: tuple[Path, ...] = ()
    """What another process has made for it, perhaps on another machine."""

    @cached_property
    def backend(self) -> Backend:
        """BackendError while its files are not here."""
        if not all(path.exists() for path in self.files):
            raise BackendError(
                f"The files of the model '{self.name}' are not on this machine. Servers that share a database must share "
                "data_dir, too."
            )
        made: Backend = registry.find("backends", self.backend_name)(self.name, self.settings)
        return self.wrap(self.watch(self.name, made))

    @property
    def abilities(self) -> Collection[Ability]:
        """What the backend does beyond chats with function tools."""
        found: Collection[Ability] = getattr(self.backend, "abilities", ())
        return found

    @property
    def is_made(self) -> bool:
        return "backend" in self.__dict__

    @property
    def context_window(self) -> int:
        """Tokens of prompt and answer together: what the entry says, else what its backend does."""
        return int(self.settings.get("context_window") or self.backend.context_window)
