"""A model's folder from elsewhere becomes a model here: one that was tuned with zhuli, or any Hugging Face folder as a base."""

import asyncio
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection

from zhuli.core.clock import Clock
from zhuli.core.errors import InvalidRequest
from zhuli.core.ids import new_id
from zhuli.learning.jobs.exporting import ADAPTER
from zhuli.learning.jobs.registering import chat_of
from zhuli.learning.neural import model_folder
from zhuli.models import bases
from zhuli.models.catalog import Catalog
from zhuli.store.database import Database
from zhuli.store.learning import tuned_models
from zhuli.store.learning.tuned_models import FOLDER, TunedModel
from zhuli.types.learning.hyperparameters import TaskName
from zhuli.types.learning.tuning import MODEL, Base

_NAME = re.compile(r"[\w][\w.:/-]{0,200}")


class Importing:
    """Made where a command needs it: it can be used beside a running server."""

    def __init__(
        self, database: Database, catalog: Catalog, clock: Clock, *, data_dir: Path, models_file: Path | None
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._clock = clock
        self._data_dir = data_dir.resolve()
        self._models_file = models_file

    async def add(self, project: str, folder: Path, *, name: str) -> TunedModel:
        """Copy `folder`, and offer it as `name` to the project. InvalidRequest says what is wrong with either.

        A folder with task.json answers as it did where it was tuned; another one can be tuned, and talked to if it has a
        model.gguf.
        """
        await self._database.run(self._check_name, name)
        about = model_folder.read(folder) if model_folder.is_one(folder) else None
        found = None if about is None else await asyncio.to_thread(self._base_of, folder, about.base)
        if found is None:
            bases.facts(folder)  # raises for what is no Hugging Face folder
        place = f"{FOLDER}/{new_id('import')}/{MODEL}"
        await asyncio.to_thread(_copy, folder, self._data_dir / place)
        if found is not None:
            _put_on(self._data_dir / place, found)
        task: TaskName | None = None if about is None else about.task
        base = name if about is None else about.base.name
        model = TunedModel(
            name=name,
            project=project,
            base=base,
            task=task,
            folder=place,
            created_at=int(self._clock.now()),
            language=None if about is None else about.language,
            chat=chat_of(
                self._data_dir / place,
                Base(name=base),
                served_by=bases.served_by(base, models_file=self._models_file),
                data_dir=self._data_dir,
                models_file=self._models_file,
            ),
        )
        await self._database.run(self._add, model)
        return model

    def _base_of(self, folder: Path, base: Base) -> Path | None:
        """Where the base of an adapter from another machine lies on this one; None if the folder needs none."""
        stands = base.path is not None and Path(base.path).is_absolute() and Path(base.path).exists()
        if stands or not (folder / ADAPTER).exists():
            return None
        return bases.folder(Base(name=base.name), data_dir=self._data_dir, models_file=self._models_file).resolve()

    def _add(self, connection: Connection, model: TunedModel) -> None:
        self._check_name(connection, model.name)
        tuned_models.add(connection, model)

    def _check_name(self, connection: Connection, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise InvalidRequest(f"'{name}' can't be a model's name: letters, digits and . : / - _ can.", param="name")
        known = {*self._catalog.names(), *self._catalog.embedder_names(), *bases.names(self._models_file)}
        if name in known or tuned_models.exists(connection, name):
            raise InvalidRequest(f"There is a model '{name}' already; choose another name.", param="name")


def _put_on(place: Path, base: Path) -> None:
    """Have the adapter in `place` stand on the base there."""
    about = model_folder.read(place)
    model_folder.write(place, replace(about, base=about.base.model_copy(update={"path": str(base)})))
    config = json.loads((place / ADAPTER).read_text(encoding="utf-8"))
    text = json.dumps(config | {"base_model_name_or_path": str(base)}, indent=2)
    (place / ADAPTER).write_text(text + "\n", encoding="utf-8")


def _copy(folder: Path, place: Path) -> None:
    """Whole or not at all."""
    scratch = place.with_name(f"{place.name}.new")
    shutil.copytree(folder, scratch)
    scratch.rename(place)
