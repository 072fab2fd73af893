"""Deleting data sets and versions: refused while something in service needs them; what models came of stays known.

A version that a fine-tuning job read stays as a row without files, `deleted_at`, so that lineage can be told. The log of a
data set is deleted in pieces, by a job.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select, update

from zhuli.core.errors import Conflict, InvalidRequest
from zhuli.store import collections, jobs
from zhuli.store.knowledge import files as stored_files
from zhuli.store.learning import datasets as stored
from zhuli.store.learning import fine_tuning, retuning, tuned_models
from zhuli.store.schema import dataset_entries, dataset_tasks, dataset_version_sources, dataset_versions, datasets
from zhuli.types.learning.dataset import DataSetVersion
from zhuli.types.learning.fine_tuning import ENDED

DISCARD = "discard_dataset"
"""The kind of job that deletes a log; its key is the data set's id."""

_AT_ONCE = 1_000


def remove(connection: Connection, project: str, dataset_id: str, *, now: int) -> None:
    """The data set is gone with its versions, and its log soon. NotFound; InvalidRequest or Conflict while it is needed."""
    connection.execute(select(datasets.c.seq).where(datasets.c.id == dataset_id).with_for_update())
    stored.get(connection, project, dataset_id)
    for owner, policy in retuning.policies(connection):
        if owner == project and policy.dataset == dataset_id:
            raise InvalidRequest(
                f"The policy of the alias '{policy.alias}' tunes on '{dataset_id}'. Set a policy without it first.",
                param="dataset_id",
            )
    query = select(dataset_tasks.c.id).where(
        dataset_tasks.c.dataset_id == dataset_id, dataset_tasks.c.status == "queued"
    )
    if task := connection.execute(query.limit(1)).scalar():
        raise Conflict(f"The task {task} is at work on the data set. Wait for its end.", param="dataset_id")
    versions = _versions(connection, dataset_id)
    _refuse(connection, project, versions)
    for version in versions:
        _discard(connection, project, version, now=now)
    connection.execute(delete(dataset_tasks).where(dataset_tasks.c.dataset_id == dataset_id))
    collections.remove(connection, datasets, project, dataset_id)
    jobs.enqueue(connection, DISCARD, dataset_id)


def remove_version(connection: Connection, project: str, dataset_id: str, version_id: str, *, now: int) -> None:
    """The version's files are gone. NotFound; InvalidRequest while it is needed."""
    version = stored.version(connection, project, dataset_id, version_id)
    newest = stored.latest_version(connection, dataset_id)
    for owner, policy in retuning.policies(connection):
        named = {policy.training_file, policy.validation_file, policy.gate.regression_file}
        next_one = policy.dataset == dataset_id and newest is not None and newest.id == version_id
        if owner == project and (next_one or named & _files(version)):
            raise InvalidRequest(
                f"The policy of the alias '{policy.alias}' tunes on '{version_id}'. Make a newer version, or change the "
                "policy first.",
                param="version_id",
            )
    _refuse(connection, project, [version])
    _discard(connection, project, version, now=now)


def _versions(connection: Connection, dataset_id: str) -> list[DataSetVersion]:
    query = select(dataset_versions.c.body).where(dataset_versions.c.dataset_id == dataset_id)
    bodies = connection.execute(query.order_by(dataset_versions.c.seq)).scalars()
    return [DataSetVersion.model_validate_json(body) for body in bodies]


def _files(version: DataSetVersion) -> set[str | None]:
    return {version.training_file, version.manifest_file, version.validation_file} - {None}


def _refuse(connection: Connection, project: str, versions: Sequence[DataSetVersion]) -> None:
    """InvalidRequest while a model in service, a job or an open candidate needs one of these."""
    ids = {version.id for version in versions}
    for each in retuning.active(connection):
        if each.project == project and each.candidate.dataset_version in ids:
            raise InvalidRequest(
                f"The candidate '{each.candidate.id}' of the alias '{each.candidate.alias}' is made of it, and is not "
                "decided yet."
            )
    found, models = stored.models_of(connection, project, versions)
    for job in found:
        if fine_tuning.get(connection, project, job).status not in ENDED:
            raise InvalidRequest(f"The fine-tuning job {job} reads it. Wait for its end, or cancel it.")
    serving = {led: alias for (owner, alias), led in tuned_models.aliases(connection).items() if owner == project}
    for seen in models:
        if alias := serving.get(seen.model):
            raise InvalidRequest(
                f"The model '{seen.model}', which learned from it, serves under the alias '{alias}'. Move the alias first."
            )


def _discard(connection: Connection, project: str, version: DataSetVersion, *, now: int) -> None:
    if version.deleted_at is not None:
        return
    for file_id in sorted(file_id for file_id in _files(version) if file_id is not None):
        if stored_files.file_of(connection, project, file_id) is not None:
            stored_files.delete(connection, project, file_id)
    own = dataset_versions.c.id == version.id
    if stored.models_of(connection, project, [version])[0]:
        kept = version.model_copy(update={"deleted_at": now})
        values = {"body": kept.model_dump_json(), "digest": version.id}  # the same content may be a version again
        connection.execute(update(dataset_versions).where(own).values(values))
        return
    connection.execute(delete(dataset_version_sources).where(dataset_version_sources.c.version_id == version.id))
    connection.execute(delete(dataset_versions).where(own))


def clean_some(connection: Connection, dataset_id: str) -> bool:
    """Delete some of the log of a data set that is gone; whether nothing is left."""
    table = dataset_entries.c
    some = select(table.seq).where(table.dataset_id == dataset_id).order_by(table.seq).limit(_AT_ONCE)
    seqs = list(connection.execute(some).scalars())
    if seqs:
        connection.execute(delete(dataset_entries).where(table.dataset_id == dataset_id, table.seq <= seqs[-1]))
    return len(seqs) < _AT_ONCE
