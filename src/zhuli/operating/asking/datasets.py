"""`zhuli datasets`: data sets of a server, asked through its API. What takes long shows that it is at work."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from zhuli.core.errors import BackendError, ConfigurationError, NotFound
from zhuli.operating.asking.api_client import ApiClient, api_client

_LOOK_SECONDS = 0.3

DataSet = Mapping[str, Any]


class DataSetsOfServer:
    """The commands, each a request or a task that is waited for."""

    def __init__(self, api: ApiClient) -> None:
        self._api = api

    async def listed(self) -> list[DataSet]:
        """Newest first."""
        return await self._all("/datasets")

    async def create(self, name: str, *, task: str, language: str | None) -> DataSet:
        """An empty one."""
        return dict(await self._api.call("POST", "/datasets", {"name": name, "task": task, "language": language}))

    async def named(self, name: str) -> DataSet:
        """By id, or by a name that only one has."""
        found = [one for one in await self._all("/datasets") if name in (one["id"], one["name"])]
        if not found:
            raise NotFound(f"There is no data set '{name}'. `zhuli datasets list` shows what there is.")
        if len(found) > 1:
            ids = ", ".join(one["id"] for one in found)
            raise ConfigurationError(f"Several data sets are called '{name}': {ids}. Name one by its id.")
        return found[0]

    async def version(self, dataset: DataSet, version: str | None) -> str:
        """The version's id; without one named, the newest's."""
        if version is not None:
            return version
        found = [one for one in await self._all(f"/datasets/{dataset['id']}/versions") if not one.get("deleted_at")]
        if not found:
            raise NotFound(f"The data set '{dataset['name']}' has no version. Make one: zhuli datasets version.")
        return str(found[0]["id"])

    async def take(self, dataset: DataSet, source: Path | None, request: dict[str, Any]) -> dict[str, Any]:
        """What an import came to. source: a file; else the request names one."""
        if source is not None:
            request = {**request, "file": await self.upload(source)}
        return dict((await self.done(dataset, "imports", request))["result"])

    async def upload(self, path: Path) -> str:
        """The file's id; ConfigurationError where there is none."""
        if not await asyncio.to_thread(path.is_file):
            raise ConfigurationError(f"There is no file {path}.")
        return await self._api.upload(path, "fine-tune")

    async def done(self, dataset: DataSet, work: str, request: dict[str, Any]) -> dict[str, Any]:
        """The task, once it is completed; BackendError with what is wrong."""
        place = f"/datasets/{dataset['id']}"
        task = await self._api.call("POST", f"{place}/{work}", request)
        with _at_work(f"{dataset['name']}: {task['kind'].replace('_', ' ')}"):
            while task["status"] == "queued":
                await asyncio.sleep(_LOOK_SECONDS)
                task = await self._api.call("GET", f"{place}/tasks/{task['id']}")
        if task["error"]:
            raise BackendError(task["error"])
        return dict(task)

    async def get(self, dataset: DataSet, path: str, **params: Any) -> dict[str, Any]:
        """Something of the data set."""
        given = {name: value for name, value in params.items() if value is not None}
        return dict(await self._api.call("GET", f"/datasets/{dataset['id']}/{path}", params=given))

    async def delete(self, dataset: DataSet, version: str | None) -> None:
        """The data set, or one version of it."""
        place = f"/datasets/{dataset['id']}"
        await self._api.call("DELETE", place if version is None else f"{place}/versions/{quote(version, safe='')}")

    async def _all(self, path: str) -> list[DataSet]:
        found: list[DataSet] = []
        page: dict[str, Any] = {"has_more": True}
        while page["has_more"]:
            after = {"after": found[-1]["id"]} if found else {}
            page = await self._api.call("GET", path, params={"limit": 100, "order": "desc", **after})
            found += page["data"]
        return found


@asynccontextmanager
async def of_server(base_url: str, api_key: str | None) -> AsyncGenerator[DataSetsOfServer, None]:
    """For as long as a command takes."""
    async with api_client(base_url, api_key) as api:
        yield DataSetsOfServer(api)


def _at_work(what: str) -> Progress:
    """Seconds that go by, in a terminal; a program that reads the output sees nothing of it."""
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    shown = Progress(*columns, console=Console(file=sys.stderr), transient=True, disable=not sys.stderr.isatty())
    shown.add_task(what)
    return shown


def imports(
    file: Path | None, *, feedback: bool, threads: int | None, understandings: int | None, mask: bool | None
) -> dict[str, Any]:
    """An import's request, without the file; ConfigurationError unless there is one source."""
    sources: dict[str, Any] = {"feedback": {}} if feedback else {}
    for name, newest in (("threads", threads), ("understandings", understandings)):
        if newest is not None:
            sources[name] = {"newest": newest}
    if len(sources) + (file is not None) != 1:
        raise ConfigurationError("Name one source: a file, --feedback, --threads NUMBER, or --understandings NUMBER.")
    return sources if mask is None else {**sources, "mask": mask}


def rules_of(keywords: Sequence[str], patterns: Sequence[str]) -> list[dict[str, Any]]:
    """LABEL=word,word and LABEL=expression as rules; ConfigurationError."""
    rules: list[dict[str, Any]] = []
    for given, kind in ((keywords, "keywords"), (patterns, "pattern")):
        for one in given:
            label, is_there, said = one.partition("=")
            if not is_there or not label or not said:
                raise ConfigurationError(
                    f"--{kind} {one!r} must be LABEL={'word,word' if kind == 'keywords' else 'EXPRESSION'}."
                )
            rules.append({"label": label, kind: said.split(",") if kind == "keywords" else said})
    return rules


def told_of_version(version: Mapping[str, Any]) -> str:
    """A version in a line."""
    report = version["report"]
    return (
        f"{version['id']}: {version['examples']} examples, {report['train']} to learn and {report['validation']} held out; "
        f"training_file {version['training_file']}"
    )


def told_of_diff(diff: Mapping[str, Any]) -> str:
    """What is otherwise, a line each."""
    lines = [
        f"{diff['version']} beside {diff['against']}: " + ", ".join(f"{n} {what}" for what, n in diff["counts"].items())
    ]
    lines += [f"{number:+d} {label}" for label, number in diff["labels"].items() if number]
    return "\n".join(lines)
