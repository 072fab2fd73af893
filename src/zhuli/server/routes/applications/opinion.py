"""/v1/opinion_monitors, our addition: feeds of news and comments, read, counted and watched for surges of negative opinion."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from zhuli.applications.opinion import chart
from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp, ThePage
from zhuli.store import collections
from zhuli.store.applications import opinion as store
from zhuli.store.applications import opinion_alerts as alert_store
from zhuli.store.schema import opinion_monitors
from zhuli.types.applications.opinion import (
    Acknowledge,
    Aggregates,
    Alert,
    AlertList,
    AlertState,
    Item,
    ItemList,
    ItemsCreate,
    Monitor,
    MonitorCreate,
    MonitorList,
    MonitorStatus,
    MonitorUpdate,
    PushedList,
    SeriesList,
    Silence,
)
from zhuli.types.page import Deleted

router = APIRouter(
    prefix="/v1/opinion_monitors", tags=["Opinion monitors"], route_class=JsonRoute, strict_content_type=False
)

Second = Annotated[float | None, Query(ge=0, le=4e9)]
SeriesName = Annotated[str, Query(min_length=1, max_length=192, pattern=r"^(all|(company|topic|source):[^\x00]+)$")]


@router.post("", response_model=Monitor)
async def create_monitor(body: MonitorCreate, app: TheApp, actor: TheActor) -> Response:
    """Make a monitor."""
    return Json(await app.applications.opinion.commands.create(actor.project, body))


@router.get("", response_model=MonitorList)
async def list_monitors(page: ThePage, app: TheApp, actor: TheActor) -> Response:
    """The project's monitors."""
    found = await app.database.run(collections.page, opinion_monitors, Monitor, actor.project, page)
    shown = [monitor.shown() for monitor in found.data]
    return Json(collections.as_page(shown, has_more=found.has_more))


@router.get("/{monitor_id}", response_model=Monitor)
async def get_monitor(monitor_id: str, app: TheApp, actor: TheActor) -> Response:
    """One monitor."""
    return Json((await app.database.run(store.get, actor.project, monitor_id)).shown())


@router.post("/{monitor_id}", response_model=Monitor)
async def modify_monitor(monitor_id: str, body: MonitorUpdate, app: TheApp, actor: TheActor) -> Response:
    """Change a monitor; what was read stays."""
    return Json(await app.applications.opinion.commands.change(actor.project, monitor_id, body))


@router.delete("/{monitor_id}", response_model=Deleted)
async def delete_monitor(monitor_id: str, app: TheApp, actor: TheActor) -> Response:
    """Delete a monitor with its items, counts and alerts."""
    await app.database.run(store.remove, actor.project, monitor_id)
    return Json(Deleted(id=monitor_id, object="opinion_monitor.deleted"))


@router.get("/{monitor_id}/status", response_model=MonitorStatus)
async def get_status(monitor_id: str, app: TheApp, actor: TheActor) -> Response:
    """How far it is."""
    return Json(await app.database.run(store.status, actor.project, monitor_id))


@router.post("/{monitor_id}/items", response_model=PushedList)
async def push_items(monitor_id: str, body: ItemsCreate, app: TheApp, actor: TheActor) -> Response:
    """Push up to a thousand items; those that are there already change nothing, or correct what was there."""
    return Json(await app.applications.opinion.commands.push(actor.project, monitor_id, body))


@router.get("/{monitor_id}/items", response_model=ItemList)
async def list_items(
    monitor_id: str,
    app: TheApp,
    actor: TheActor,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    after: Annotated[str | None, Query(max_length=320)] = None,
    since: Second = None,
    until: Second = None,
) -> Response:
    """Items with what was read in them, the newest first by the time of their publication."""
    place = store.place_of(after) if after is not None else None
    return Json(
        await app.database.run(
            store.items, actor.project, monitor_id, limit=limit, after=place, since=since, until=until
        )
    )


@router.get("/{monitor_id}/items/{item_id}", response_model=Item)
async def get_item(monitor_id: str, item_id: str, app: TheApp, actor: TheActor) -> Response:
    """One item, by the id that it was pushed with."""
    return Json(await app.database.run(store.item, actor.project, monitor_id, item_id))


@router.get("/{monitor_id}/series", response_model=SeriesList)
async def list_series(
    monitor_id: str, app: TheApp, actor: TheActor, since: Second = None, until: Second = None
) -> Response:
    """What there is to aggregate: every series with its sums, the most negative first."""
    return Json(await app.applications.opinion.commands.series(actor.project, monitor_id, since=since, until=until))


@router.get("/{monitor_id}/aggregates", response_model=Aggregates)
async def get_aggregates(
    monitor_id: str,
    app: TheApp,
    actor: TheActor,
    series: SeriesName = "all",
    since: Second = None,
    until: Second = None,
    hours: Annotated[int, Query(ge=1, le=8_784)] = 1,
) -> Response:
    """A series in windows of event time: all, company:ID, topic:LABEL or source:NAME."""
    commands = app.applications.opinion.commands
    return Json(await commands.aggregates(actor.project, monitor_id, series, since=since, until=until, hours=hours))


@router.get("/{monitor_id}/chart", response_class=Response)
async def get_chart(
    monitor_id: str,
    app: TheApp,
    actor: TheActor,
    series: SeriesName = "all",
    since: Second = None,
    until: Second = None,
    hours: Annotated[int, Query(ge=1, le=8_784)] = 24,
    format: Literal["svg", "png"] = "svg",
) -> Response:
    """The same as a picture, with its alerts."""
    commands = app.applications.opinion.commands
    counted = await commands.aggregates(actor.project, monitor_id, series, since=since, until=until, hours=hours)
    alerts = await app.database.run(alert_store.recent, actor.project, monitor_id, series)
    if format == "png":
        return Response(await chart.png(counted, alerts), media_type="image/png")
    return Response(chart.svg(counted, alerts), media_type="image/svg+xml")


@router.get("/{monitor_id}/alerts", response_model=AlertList)
async def list_alerts(
    monitor_id: str,
    page: ThePage,
    app: TheApp,
    actor: TheActor,
    state: AlertState | None = None,
    series: Annotated[str | None, Query(max_length=192)] = None,
) -> Response:
    """The monitor's alerts."""
    return Json(await app.database.run(alert_store.page, actor.project, monitor_id, page, state=state, series=series))


@router.get("/{monitor_id}/alerts/{alert_id}", response_model=Alert)
async def get_alert(monitor_id: str, alert_id: str, app: TheApp, actor: TheActor) -> Response:
    """An alert with its evidence and its log."""
    return Json(await app.database.run(alert_store.get, actor.project, monitor_id, alert_id))


@router.post("/{monitor_id}/alerts/{alert_id}/acknowledge", response_model=Alert)
async def acknowledge_alert(
    monitor_id: str, alert_id: str, body: Acknowledge, app: TheApp, actor: TheActor
) -> Response:
    """Somebody takes care of it; it is not escalated."""
    return Json(await app.applications.opinion.commands.acknowledge(actor.project, monitor_id, alert_id, body))


@router.post("/{monitor_id}/alerts/{alert_id}/silence", response_model=Alert)
async def silence_alert(monitor_id: str, alert_id: str, body: Silence, app: TheApp, actor: TheActor) -> Response:
    """Further alerts of its series are not delivered for a while."""
    return Json(await app.applications.opinion.commands.silence(actor.project, monitor_id, alert_id, body))
