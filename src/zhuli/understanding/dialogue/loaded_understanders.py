"""The understanders that are ready in this process: one for each version of a domain, prepared once, the oldest dropped.

Every process prepares its own; what one has learned lies in the domain's folder, so that the others only read it.
"""

import asyncio
import shutil
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from zhuli import registry
from zhuli.core.errors import InvalidRequest
from zhuli.core.shared import shared
from zhuli.models.catalog import Catalog
from zhuli.ports import Understander
from zhuli.store.database import Database
from zhuli.types.understanding.domain import Domain
from zhuli.understanding.dialogue.understander_services import Predict, UnderstanderServices

TELL_NO_ACTS = ("few_shot", "in_context", "tuned", "llm")
"""Understanders beside which the packaged heads tell dialogue acts; others tell their own, or words do."""

Key = tuple[str, int]
"""A domain's id and version."""

_FORGOTTEN = "What the domain means is not learned any more: it was deleted, or the server stops."


@dataclass
class LoadedUnderstanders:
    """folder: where what was learned is kept, a folder for each domain. most: understanders that are kept in memory.

    plugins: those named "package.module:Class" that domains may have; importing whatever a client names would run it.
    """

    folder: Path
    database: Database
    catalog: Catalog
    answer: Predict
    most: int
    plugins: Collection[str] = ()

    def __post_init__(self) -> None:
        self._ready: OrderedDict[Key, asyncio.Task[Understander]] = OrderedDict()

    async def of(self, project: str, domain: Domain) -> Understander:
        """The domain's understander, prepared; who asks for it meanwhile waits for the same one.

        A caller that goes away does not stop the preparing. If that fails, the next call tries again.
        """
        key = (domain.id, domain.version)
        if key not in self._ready:
            self._ready[key] = asyncio.create_task(self._prepared(project, domain))
            self._ready[key].add_done_callback(lambda task: self._drop_failed(key, task))
        self._ready.move_to_end(key)
        self._drop_old(key)
        return await shared(self._ready[key], _FORGOTTEN)

    async def forget(self, domain_id: str) -> None:
        """Drop what was learned for the domain, which has been deleted."""
        for key in [key for key in self._ready if key[0] == domain_id]:
            self._ready.pop(key).cancel()
        await asyncio.to_thread(shutil.rmtree, self.folder / domain_id, ignore_errors=True)

    async def aclose(self) -> None:
        """Stop what is still being prepared."""
        tasks = list(self._ready.values())
        self._ready.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _prepared(self, project: str, domain: Domain) -> Understander:
        services = UnderstanderServices(
            project, domain.languages, self.folder / domain.id, self.database, self.catalog, self.answer
        )
        made = await asyncio.to_thread(self._made, domain, services)  # first imports take a while
        await made.prepare()
        return made

    def _made(self, domain: Domain, services: UnderstanderServices) -> Understander:
        from zhuli.understanding.dialogue.acts_reading import RememberedVectors, WithActs  # numpy takes a while

        remembered = RememberedVectors(services)
        made: Understander = self._plugin(domain.understander.type)(domain, remembered)
        if domain.understander.type in TELL_NO_ACTS or domain.understander.act_model:
            return WithActs(made, domain, remembered)
        return made

    def _plugin(self, name: str) -> type:
        known = [*registry.names("understanders"), *self.plugins]
        if name not in known:
            text = f"There is no understander '{name}'. Known: {', '.join(known)}."
            raise InvalidRequest(text, param="understander.type", code="invalid_value")
        found: type = registry.find("understanders", name)
        return found

    def _drop_old(self, key: Key) -> None:
        """Earlier versions of the domain, then those that were asked for longest ago; never one that is being prepared."""
        done = [other for other, task in self._ready.items() if task.done() and other != key]
        done.sort(key=lambda other: other[0] != key[0] or other[1] > key[1])
        for other in done:
            if len(self._ready) > self.most or (other[0] == key[0] and other[1] < key[1]):
                del self._ready[other]

    def _drop_failed(self, key: Key, task: asyncio.Task[Understander]) -> None:
        failed = task.cancelled() or task.exception() is not None
        if failed and self._ready.get(key) is task:
            del self._ready[key]
