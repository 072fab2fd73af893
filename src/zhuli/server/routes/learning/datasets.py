"""/v1/datasets, our addition: examples of a task with where they come from, and versions that models learn from."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp, ThePage
from zhuli.store import collections
from zhuli.store.learning import datasets as store
from zhuli.store.schema import dataset_tasks, dataset_versions, datasets
from zhuli.types.learning.dataset import (
    DataSet,
    DataSetCreate,
    DataSetDeleted,
    DataSetDiff,
    DataSetList,
    DataSetTask,
    DataSetVersion,
    EntriesCreate,
    EntryList,
    ImportCreate,
    LabelNoiseCreate,
    SuggestionList,
    TaskList,
    VersionCreate,
    VersionDeleted,
    VersionLineage,
    VersionList,
    WeakLabelsCreate,
)

router = APIRouter(prefix="/v1/datasets", tags=["Data sets"], route_class=JsonRoute, strict_content_type=False)


@router.post("", response_model=DataSet)
async def create_dataset(body: DataSetCreate, app: TheApp, actor: TheActor) -> Response:
    """An empty data set of a task."""
    return Json(await app.learning.datasets.create(actor.project, body))


@router.get("", response_model=DataSetList)
async def list_datasets(page: ThePage, app: TheApp, actor: TheActor) -> Response:
    """The project's data sets."""
    return Json(await app.database.run(collections.page, datasets, DataSet, actor.project, page))


@router.get("/{dataset_id}", response_model=DataSet)
async def get_dataset(dataset_id: str, app: TheApp, actor: TheActor) -> Response:
    """One data set."""
    return Json(await app.database.run(store.get, actor.project, dataset_id))


@router.delete("/{dataset_id}", response_model=DataSetDeleted)
async def delete_dataset(dataset_id: str, app: TheApp, actor: TheActor) -> Response:
    """Delete the data set with its versions; refused while a policy, a model in service or a job needs it."""
    return Json(await app.learning.datasets.delete(actor.project, dataset_id))


@router.post("/{dataset_id}/entries", response_model=EntryList)
async def create_entries(dataset_id: str, body: EntriesCreate, app: TheApp, actor: TheActor) -> Response:
    """Add examples, label some anew, remove some: each is an entry of the log."""
    return Json(await app.learning.datasets.change(actor.project, dataset_id, body))


@router.get("/{dataset_id}/entries", response_model=EntryList)
async def list_entries(
    dataset_id: str,
    app: TheApp,
    actor: TheActor,
    after: Annotated[int, Query(ge=0, le=2**62)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """The log, oldest first, behind a position."""
    return Json(await app.learning.datasets.log(actor.project, dataset_id, after=after, limit=limit))


@router.post("/{dataset_id}/imports", response_model=DataSetTask)
async def create_import(dataset_id: str, body: ImportCreate, app: TheApp, actor: TheActor) -> Response:
    """Add the examples of a file, of reviewed feedback, of threads or of understandings."""
    return Json(await app.learning.datasets.begin(actor.project, dataset_id, "import", body))


@router.post("/{dataset_id}/versions", response_model=DataSetTask)
async def create_version(dataset_id: str, body: VersionCreate, app: TheApp, actor: TheActor) -> Response:
    """Make a version of what is in the data set; the task names it when it is there."""
    return Json(await app.learning.datasets.begin(actor.project, dataset_id, "version", body))


@router.post("/{dataset_id}/label_noise", response_model=DataSetTask)
async def look_for_noise(dataset_id: str, body: LabelNoiseCreate, app: TheApp, actor: TheActor) -> Response:
    """Look for wrong labels in a version."""
    return Json(await app.learning.datasets.begin(actor.project, dataset_id, "label_noise", body))


@router.post("/{dataset_id}/weak_labels", response_model=DataSetTask)
async def label_weakly(dataset_id: str, body: WeakLabelsCreate, app: TheApp, actor: TheActor) -> Response:
    """Have rules and models vote on texts."""
    return Json(await app.learning.datasets.begin(actor.project, dataset_id, "weak_labels", body))


@router.get("/{dataset_id}/suggestions", response_model=SuggestionList)
async def get_suggestions(
    dataset_id: str,
    app: TheApp,
    actor: TheActor,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    pool: Annotated[int, Query(ge=1, le=5_000)] = 1_000,
    model: Annotated[str | None, Query(max_length=255)] = None,
) -> Response:
    """The texts of the project's traffic that are most worth a label."""
    dataset = await app.database.run(store.get, actor.project, dataset_id)
    found = await app.learning.labelling.suggest(actor.project, dataset, limit=limit, pool=pool, model=model)
    return Json(found)


@router.get("/{dataset_id}/tasks", response_model=TaskList)
async def list_tasks(dataset_id: str, page: ThePage, app: TheApp, actor: TheActor) -> Response:
    """The work that was asked for."""
    await app.database.run(store.get, actor.project, dataset_id)
    where = {"dataset_id": dataset_id}
    return Json(await app.database.run(collections.page, dataset_tasks, DataSetTask, actor.project, page, where))


@router.get("/{dataset_id}/tasks/{task_id}", response_model=DataSetTask)
async def get_task(dataset_id: str, task_id: str, app: TheApp, actor: TheActor) -> Response:
    """How far a piece of work is, and what came of it."""
    where = {"dataset_id": dataset_id}
    return Json(await app.database.run(collections.get, dataset_tasks, DataSetTask, actor.project, task_id, where))


@router.get("/{dataset_id}/versions", response_model=VersionList)
async def list_versions(dataset_id: str, page: ThePage, app: TheApp, actor: TheActor) -> Response:
    """The versions."""
    await app.database.run(store.get, actor.project, dataset_id)
    where = {"dataset_id": dataset_id}
    found = await app.database.run(collections.page, dataset_versions, DataSetVersion, actor.project, page, where)
    marked = await app.database.run(store.with_marks, found.data)
    return Json(found.model_copy(update={"data": marked}))


@router.get("/{dataset_id}/versions/{version_id}", response_model=DataSetVersion)
async def get_version(dataset_id: str, version_id: str, app: TheApp, actor: TheActor) -> Response:
    """One version."""
    return Json(await app.database.run(store.version, actor.project, dataset_id, version_id))


@router.delete("/{dataset_id}/versions/{version_id}", response_model=VersionDeleted)
async def delete_version(dataset_id: str, version_id: str, app: TheApp, actor: TheActor) -> Response:
    """Delete the version's files; a version that models learned from stays in their lineage."""
    return Json(await app.learning.datasets.delete_version(actor.project, dataset_id, version_id))


@router.get("/{dataset_id}/versions/{version_id}/diff", response_model=DataSetDiff)
async def get_diff(
    dataset_id: str,
    version_id: str,
    app: TheApp,
    actor: TheActor,
    against: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """What is otherwise than in another version, or in the one before."""
    return Json(await app.learning.datasets.diff(actor.project, dataset_id, version_id, against=against))


@router.get("/{dataset_id}/versions/{version_id}/lineage", response_model=VersionLineage)
async def get_lineage(dataset_id: str, version_id: str, app: TheApp, actor: TheActor) -> Response:
    """What the version came of, and what came of it."""
    return Json(await app.learning.datasets.lineage(actor.project, dataset_id, version_id))
