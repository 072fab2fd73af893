"""Moving an alias to another model, and back: by a request, or by a command beside a running server."""

import re

from sqlalchemy import Connection

from zhuli.core.clock import Clock
from zhuli.core.errors import InvalidRequest
from zhuli.models.catalog import Catalog
from zhuli.store.database import Database
from zhuli.store.learning import tuned_models
from zhuli.types.learning.model_alias import Alias

_NAME = re.compile(r"\w[\w.:@-]{0,127}")


class Aliases:
    """Each method gives the alias as it is afterwards. InvalidRequest says what can't be, NotFound what is not there."""

    def __init__(self, database: Database, catalog: Catalog, clock: Clock) -> None:
        self._database = database
        self._catalog = catalog
        self._clock = clock

    async def move(self, project: str, alias: str, model: str) -> Alias:
        """From now on the alias leads to `model`; it is made if there is none."""
        if not _NAME.fullmatch(alias):
            text = (
                f"'{alias[:200]}' can't be an alias: it has 1 to 128 letters, digits and . : @ _ -, the first no sign."
            )
            raise InvalidRequest(text, param="alias", code="invalid_value")
        if alias in self._catalog.entries or alias in self._catalog.embedders or alias.startswith("ft:"):
            raise InvalidRequest(f"'{alias}' is the name of a model; choose another alias.", param="alias")
        await self._database.run(self._catalog.tuned.read)
        tuned = self._catalog.tuned
        if not self._is_model(project, model):
            raise InvalidRequest(
                f"An alias must lead to a model under its own name, and '{model}' is none. Models here: "
                f"{', '.join([*self._catalog.entries, *tuned.models_of(project)])}.",
                param="model",
                code="model_not_found",
            )
        await self._database.run(self._move, project, alias, model)
        return await self._moved(project, alias)

    async def roll_back(self, project: str, alias: str) -> Alias:
        """It leads again to the model that it led to before; asked again, to the one before that. Deleted ones are left out."""
        await self._database.run(self._catalog.tuned.read)
        found = await self._database.run(tuned_models.alias, project, alias)
        earlier = (model for model in found.versions() if model != found.model)
        before = next((model for model in earlier if self._is_model(project, model)), None)
        if before is None:
            text = f"The alias '{alias}' led to no model before '{found.model}' that is still there; it can't go back."
            raise InvalidRequest(text, param="alias")
        await self._database.run(self._move, project, alias, before, back=True)
        return await self._moved(project, alias)

    async def give_up(self, project: str, alias: str) -> None:
        """It leads nowhere any more; where the models file has one of this name, that holds again."""
        await self._database.run(tuned_models.alias, project, alias)
        await self._database.run(self._move, project, alias, None)
        await self._database.run(self._catalog.tuned.read)

    def _is_model(self, project: str, name: str) -> bool:
        """Whether it is a model under its own name."""
        tuned = self._catalog.tuned
        known = tuned.model(name, project) or self._catalog.entries.get(name)
        return known is not None and (project, name) not in tuned.aliases

    async def _moved(self, project: str, alias: str) -> Alias:
        await self._database.run(self._catalog.tuned.read)
        return await self._database.run(tuned_models.alias, project, alias)

    def _move(self, connection: Connection, project: str, alias: str, model: str | None, *, back: bool = False) -> None:
        tuned_models.move_alias(connection, project, alias, model, now=self._clock.now(), back=back)
