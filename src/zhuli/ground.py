"""What every wing stands on, made once: settings, clock, hints, database, models, blobs, telemetry. And what a wing is."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from zhuli import registry
from zhuli.core.clock import Clock
from zhuli.core.hints import Hints
from zhuli.core.telemetry import Telemetry
from zhuli.core.traces import make_tracer
from zhuli.metering.calls import MeteredBackend
from zhuli.metering.meter import Meter
from zhuli.models import bases
from zhuli.models.catalog import Catalog
from zhuli.models.measured import MeasuredBackend, MeasuredEmbedder, provider_of
from zhuli.ports import Backend, BlobStore, Embedder
from zhuli.settings import Settings
from zhuli.store import limits, retention, usage
from zhuli.store.database import Database
from zhuli.store.opening import open_database
from zhuli.worker.loop import Chore, JobKind

_IDLE_WINDOWS_SECONDS = 40 * 86_400
"""Longer than a month, the longest of the windows."""


@dataclass
class Ground:
    """Each wing's build() takes it, beside what it needs of other wings."""

    settings: Settings
    clock: Clock
    hints: Hints
    database: Database
    catalog: Catalog
    blobs: BlobStore
    telemetry: Telemetry
    meter: Meter

    @property
    def job_slots(self) -> bool:
        """Whether this process does jobs at all: with worker_slots = 0 it only serves, and looks after time limits."""
        return self.settings.worker_slots > 0

    def chores(self) -> Sequence[Chore]:
        """What is looked after in each worker process, whatever wings there are."""
        chores = [Chore(600.0, self._fold_usage)]
        return [*chores, Chore(3600.0, self.forget_old)] if self.settings.retention_days else chores

    async def forget_old(self) -> None:
        """Delete what is older than the setting `retention_days` says, in pieces."""
        for kind, days in self.settings.retention_days.items():
            behind: int | None = 0
            while behind is not None:
                now = self.clock.now()
                older = now - days * 86_400
                found = await self.database.run(retention.look, kind, older_than=older, behind=behind, now=now)
                behind = found.behind
                await asyncio.sleep(0)

    async def _fold_usage(self) -> None:
        """Minutes of usage that are old become hours; windows of limits that nobody touched for long are gone."""
        now = self.clock.now()
        while await self.database.run(usage.fold, now=now):
            await asyncio.sleep(0)
        await self.database.run(limits.forget, before=now - _IDLE_WINDOWS_SECONDS)

    async def aclose(self) -> None:
        """After the wings."""
        await self.catalog.aclose()
        await self.blobs.aclose()
        await self.telemetry.aclose()
        await self.meter.aclose()
        await self.database.aclose()


class Wing(Protocol):
    """A wing of the house as the root sees it: built, started and closed as one; its jobs are the worker's."""

    def jobs(self) -> Mapping[str, JobKind]:
        """The kinds of job that it handles, and how many of each at once."""

    def chores(self) -> Sequence[Chore]:
        """What it looks after in each worker process."""

    async def start(self) -> None:
        """Once the schema is up to date, before anybody asks."""

    def begin_to_stop(self) -> None:
        """The process will end: make jobs that take long give up their place soon."""

    async def aclose(self) -> None:
        """When no job runs any more."""


def lay(settings: Settings, clock: Clock) -> Ground:
    """The ground that `settings` describe; nothing is started. Raises ConfigurationError."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    hints = Hints()
    database = open_database(settings.database, hints, durable=settings.durable)
    meter = Meter(database, clock, settings)

    telemetry = Telemetry(make_tracer(settings.otel_endpoint, settings.otel_service_name))

    def watched(name: str, backend: Backend) -> Backend:
        metered = MeteredBackend(name, backend, meter)
        return MeasuredBackend(name, metered, telemetry.calls, provider=provider_of(backend))

    def watched_embedder(name: str, embedder: Embedder) -> Embedder:
        return MeasuredEmbedder(name, embedder, telemetry.calls, provider=provider_of(embedder))

    catalog = Catalog.load(
        settings.models,
        settings.data_dir,
        engines=settings.tuned_engines,
        watch=watched,
        watch_embedder=watched_embedder,
    )
    bases.check(settings.models, entries=catalog.entries)
    blobs: BlobStore = registry.find("blobs", settings.blobs.partition(":")[0])(settings.blobs)
    return Ground(settings, clock, hints, database, catalog, blobs, telemetry, meter)
