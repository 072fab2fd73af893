"""`zhuli support`: desks of a server, asked through its API."""

import asyncio
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from zhuli.core.errors import BackendError, ConfigurationError
from zhuli.operating.asking.api_client import ApiClient, api_client

_LOOK_SECONDS = 0.3
_SHARES = ("answered", "asked", "searched", "handed_over")


async def imported(base_url: str, api_key: str | None, desk: str, path: Path, **request: Any) -> dict[str, Any]:
    """What an import of a file came to; ConfigurationError where there is none."""
    if not await asyncio.to_thread(path.is_file):
        raise ConfigurationError(f"There is no file {path}.")
    async with api_client(base_url, api_key) as api:
        file = await api.upload(path, "user_data")
        return await _done(api, desk, "imports", {**request, "file": file})


async def published(base_url: str, api_key: str | None, desk: str, accept: int | None) -> dict[str, Any]:
    """The version that was published."""
    async with api_client(base_url, api_key) as api:
        return await _done(api, desk, "publish", {"accept": accept})


async def evaluated(base_url: str, api_key: str | None, desk: str, most: int, cost: float) -> dict[str, Any]:
    """The report on dialogues that were held out."""
    async with api_client(base_url, api_key) as api:
        return await _done(api, desk, "evaluations", {"most": most, "cost_of_contact": cost})


def told(report: Mapping[str, Any]) -> Iterator[str]:
    """The report in lines: recall beside the yardsticks, shares, and the curve."""
    yield f"{report['matters']} matters, {report['with_a_template']} of them with a template; version {report['version']}"
    yield f"{'':18}{'recall@1':>10}{'recall@5':>10}"
    for way, recall in report["recall"].items():
        yield f"{way.replace('_', ' '):18}{_share(recall['@1']):>10}{_share(recall['@5']):>10}"
    shares = ", ".join(f"{name.replace('_', ' ')} {_share(report['shares'][name])}" for name in _SHARES)
    yield f"{shares}; wrong and sure {_share(report['wrong_and_sure'])}"
    yield f"a contact costs {report['cost_per_contact']:.2f} and {1000 * report['seconds_per_contact']:.0f} ms"
    yield f"{'point':>8}{'answered':>10}{'wrong':>8}"
    best = report["recommended"]
    for point in report["curve"]:
        mark = "  at most 5 % wrong" if point == best else ""
        yield f"{point['point']:>8.2f}{_share(point['answered']):>10}{_share(point['wrong']):>8}{mark}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


async def _done(api: ApiClient, desk: str, work: str, request: dict[str, Any]) -> dict[str, Any]:
    """What a task came to; BackendError with what is wrong."""
    place = f"/support_desks/{quote(desk, safe='')}"
    task = await api.call("POST", f"{place}/{work}", request)
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(file=sys.stderr), transient=True, disable=not sys.stderr.isatty()) as shown:
        bar = shown.add_task(work, total=None)
        while task["status"] == "queued":
            await asyncio.sleep(_LOOK_SECONDS)
            task = await api.call("GET", f"{place}/tasks/{task['id']}")
            for part, count in task["progress"].items():
                shown.update(bar, description=f"{work}: {part}", completed=count)
    if task["error"]:
        raise BackendError(task["error"])
    return dict(task["result"])
