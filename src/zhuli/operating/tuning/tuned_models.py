"""`zhuli models import, export, promote, rollback`: tuned models and their aliases, beside a running server or without one.

They work in the default project, or in that of --project; servers notice within seconds.
"""

import asyncio
import shutil
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from zhuli.core.clock import SystemClock
from zhuli.core.errors import ConfigurationError, NotFound
from zhuli.learning.jobs.aliases import Aliases
from zhuli.learning.jobs.exporting import Format, export_of
from zhuli.learning.jobs.importing import Importing
from zhuli.models.catalog import Catalog
from zhuli.operating.access.audited import note
from zhuli.operating.in_database import in_project
from zhuli.settings import Settings
from zhuli.store.database import Database
from zhuli.store.learning import tuned_models
from zhuli.types.learning.model_alias import Alias

FORMATS: tuple[Format, ...] = get_args(Format)


@dataclass(frozen=True, slots=True)
class _House:
    """What the commands need of a server."""

    database: Database
    catalog: Catalog
    clock: SystemClock
    project: str


async def add(settings: Settings, folder: Path, *, name: str, project: str) -> str:
    """Offer a copy of a model's folder under this name; gives the task that it answers, "" for a base."""
    async with _house(settings, project) as house:
        importing = Importing(
            house.database,
            house.catalog,
            house.clock,
            data_dir=settings.data_dir,
            models_file=settings.models,
        )
        model = await importing.add(house.project, folder, name=name)
        await note(house.database, "models import", ("model.imported", house.project, {"id": model.name}))
        return model.task or ""


async def export(settings: Settings, name: str, *, to: Path, format: Format, project: str) -> Path:
    """Copy the model's folder or file into `to`, which is made; gives what is there now."""
    async with _house(settings, project) as house:
        await house.database.run(house.catalog.tuned.read)
        target = house.catalog.tuned.target(name, house.project)
        model = await house.database.run(tuned_models.find, house.project, target)
        if model is None:
            raise NotFound(f"There is no tuned model '{name}'. `zhuli models` and GET /v1/models list what there is.")
        found = export_of(model, settings.data_dir / model.folder, format=format)
        place = to / (found.stem if found.path.is_dir() else found.filename)
        await asyncio.to_thread(_copy, found.path, place)
        await note(house.database, "models export", ("model.exported", house.project, {"id": model.name}))
        return place


def format_of(text: str) -> Format:
    """One of the formats; ConfigurationError names them."""
    for known in FORMATS:
        if text == known:
            return known
    raise ConfigurationError(f"--format is {', '.join(FORMATS)}, not {text!r}.")


async def promote(settings: Settings, alias: str, model: str, *, project: str) -> Alias:
    """The alias leads to the model from now on."""
    async with _house(settings, project) as house:
        moved = await Aliases(house.database, house.catalog, house.clock).move(house.project, alias, model)
        await note(
            house.database, "models promote", ("model_alias.moved", house.project, {"id": alias, "model": model})
        )
        return moved


async def roll_back(settings: Settings, alias: str, *, project: str) -> Alias:
    """The alias leads again to where it led before."""
    async with _house(settings, project) as house:
        moved = await Aliases(house.database, house.catalog, house.clock).roll_back(house.project, alias)
        await note(house.database, "models rollback", ("model_alias.rolled_back", house.project, {"id": alias}))
        return moved


@asynccontextmanager
async def _house(settings: Settings, project: str) -> AsyncGenerator[_House, None]:
    catalog = Catalog.load(settings.models, settings.data_dir)
    async with aclosing(catalog), in_project(settings, project) as (database, project_id):
        yield _House(database, catalog, SystemClock(), project_id)


def _copy(path: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        shutil.copytree(path, place, dirs_exist_ok=True)
    else:
        shutil.copyfile(path, place)
