"""Models that were tuned or imported here, and the aliases that lead to models. Files are not touched here.

An alias is a log of its moves: it leads to the model of the last one, and going back is a move as well, marked so.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from zhuli.core.errors import InvalidRequest, NotFound
from zhuli.store import jobs
from zhuli.store.database import hint
from zhuli.store.schema import fine_tuning_jobs, model_alias_moves, tuned_models
from zhuli.types.learning.fine_tuning import ENDED, FineTuningRecord
from zhuli.types.learning.hyperparameters import TaskName
from zhuli.types.learning.model_alias import Alias, AliasMove
from zhuli.types.wire import Wire

TOPIC = "models"
"""Where it is hinted that there are other models or aliases than before."""

FOLDER = "tuning"
"""Below data_dir; in it there is a folder for each fine-tuning job and each model that was imported."""

DISCARD = "discard_tuning"
"""The kind of job that deletes a folder; its key is the folder below data_dir."""


class TunedModel(Wire):
    """folder: relative to data_dir, like tuning/ftjob-…/model. task None: a base, which can only be tuned.

    chat: how it is talked to, None if it is not: {"backend": …} and settings of that plugin; of paths in it, what is
    relative is so to data_dir. {"served_by": MODEL} has the server of that entry load the folder as an adapter.
    """

    name: str
    project: str
    base: str
    task: TaskName | None
    folder: str
    job: str | None = None
    created_at: int
    language: str | None = None
    chat: dict[str, Any] | None = None


def add(connection: Connection, model: TunedModel) -> None:
    """The model may be asked for from now on."""
    row = {"name": model.name, "project_id": model.project, "body": model.model_dump_json()}
    connection.execute(insert(tuned_models), row)
    hint(connection, TOPIC)


def every(connection: Connection) -> list[TunedModel]:
    """Those of all projects, oldest first."""
    bodies = connection.execute(select(tuned_models.c.body).order_by(tuned_models.c.seq)).scalars()
    return [TunedModel.model_validate_json(body) for body in bodies]


def find(connection: Connection, project: str, name: str) -> TunedModel | None:
    """The project's model of this name."""
    query = select(tuned_models.c.body).where(tuned_models.c.name == name, tuned_models.c.project_id == project)
    body = None if "\0" in name else connection.execute(query).scalar()
    return None if body is None else TunedModel.model_validate_json(body)


def exists(connection: Connection, name: str) -> bool:
    """In any project: names are unique among all."""
    return connection.execute(select(tuned_models.c.seq).where(tuned_models.c.name == name)).scalar() is not None


def remove(connection: Connection, project: str, name: str) -> None:
    """The model is gone, and its folder soon; InvalidRequest while an alias leads to it or a job tunes it."""
    model = find(connection, project, name)
    if model is None:
        raise NotFound(f"The model '{name}' does not exist.", param="model", code="model_not_found")
    leading = sorted(alias for (owner, alias), led in aliases(connection).items() if owner == project and led == name)
    if leading:
        raise InvalidRequest(
            f"The alias '{leading[0]}' leads to '{name}'. Move it to another model or delete it first.", param="model"
        )
    if job := _tuned_on(connection, project, name):
        raise InvalidRequest(f"The fine-tuning job {job} tunes '{name}'. Wait for it, or cancel it.", param="model")
    if user := _built_on(connection, model):
        raise InvalidRequest(f"The model '{user}' is an adapter on '{name}'. Delete that one first.", param="model")
    connection.execute(delete(tuned_models).where(tuned_models.c.name == name))
    kept = any(model.job == other.job for other in every(connection)) if model.job else False
    whole = f"{FOLDER}/{model.job}" if model.job else model.folder.rpartition("/")[0]
    jobs.enqueue(connection, DISCARD, model.folder if kept else whole)
    hint(connection, TOPIC)


def _built_on(connection: Connection, model: TunedModel) -> str | None:
    """A model that can't answer without the files of this one."""
    inside = f"{model.folder}/"
    others = {other.name: other for other in every(connection) if other.name != model.name}
    talking = (other.name for other in others.values() if str((other.chat or {}).get("path", "")).startswith(inside))
    return next(talking, None) or _adapter_on(connection, model, others)


def _adapter_on(connection: Connection, model: TunedModel, others: Collection[str]) -> str | None:
    """One that stayed an adapter; on an adapter none does, for such a training goes on with the adapter itself."""
    records = list(_jobs(connection, model.project, fine_tuning_jobs.c.status == "succeeded"))
    if any(record.id == model.job and not record.knobs.lora.merge for record in records):
        return None
    made = (record for record in records if record.base.name == model.name and not record.knobs.lora.merge)
    return next((record.name for record in made if record.name in others), None)


def _tuned_on(connection: Connection, project: str, name: str) -> str | None:
    going = _jobs(connection, project, fine_tuning_jobs.c.status.not_in(ENDED))
    return next((record.id for record in going if record.base.name == name), None)


def _jobs(connection: Connection, project: str, which: ColumnElement[bool]) -> Iterator[FineTuningRecord]:
    query = select(fine_tuning_jobs.c.body).where(fine_tuning_jobs.c.project_id == project, which)
    return map(FineTuningRecord.model_validate_json, connection.execute(query).scalars())


def aliases(connection: Connection) -> dict[tuple[str, str], str]:
    """Where each alias leads, by project and alias."""
    rows = connection.execute(select(model_alias_moves).order_by(model_alias_moves.c.seq))
    leads = {(row.project_id, row.alias): row.model for row in rows}
    return {key: model for key, model in leads.items() if model is not None}


def move_alias(
    connection: Connection, project: str, alias: str, model: str | None, *, now: float, back: bool = False
) -> None:
    """From now on the alias leads to `model`, or nowhere. back: to where it led before."""
    row = {"project_id": project, "alias": alias, "model": model, "at": now, "back": back}
    connection.execute(insert(model_alias_moves), row)
    hint(connection, TOPIC)


def alias(connection: Connection, project: str, name: str) -> Alias:
    """The alias with its moves since it was last made; NotFound if it leads nowhere."""
    found = _aliases(connection, project, [name]) if "\0" not in name else []
    if not found:
        raise NotFound(f"There is no model alias '{name}'.", param="alias", code="alias_not_found")
    return found[0]


def aliases_of(connection: Connection, project: str) -> list[Alias]:
    """The project's, by name."""
    return _aliases(connection, project, None)


def _aliases(connection: Connection, project: str, only: Sequence[str] | None) -> list[Alias]:
    query = select(model_alias_moves).where(model_alias_moves.c.project_id == project)
    if only is not None:
        query = query.where(model_alias_moves.c.alias.in_(only))
    logs: dict[str, list[AliasMove]] = {}
    for row in connection.execute(query.order_by(model_alias_moves.c.seq)):
        log = logs.setdefault(row.alias, [])
        if row.model is None:
            log.clear()
        else:
            log.append(AliasMove(model=row.model, at=int(row.at), back=row.back))
    return [Alias(id=name, model=log[-1].model, moves=log[::-1]) for name, log in sorted(logs.items()) if log]
