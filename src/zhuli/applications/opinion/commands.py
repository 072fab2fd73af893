"""What clients and operators do with monitors. Each method is a transaction, or a few."""

from importlib.util import find_spec
from typing import Any

from zhuli.core.clock import Clock
from zhuli.core.errors import InvalidRequest, Unavailable
from zhuli.core.ids import new_id
from zhuli.store.applications import opinion, opinion_alerts
from zhuli.store.applications.opinion import HOUR
from zhuli.store.database import Database
from zhuli.types.applications.opinion import (
    Acknowledge,
    Aggregates,
    Alert,
    Counted,
    ItemsCreate,
    Monitor,
    MonitorCreate,
    MonitorUpdate,
    PushedList,
    SeriesList,
    SeriesTotal,
    Silence,
)

AHEAD_SECONDS = 86_400.0
"""How far ahead of the clock an item may be published: clocks and time zones are wrong by less."""

MOST_MONITORS = 200
"""Of a project."""

MOST_WINDOWS = 5_000
"""Of one answer."""

DEFAULT_HOURS = 7 * 24

_NEEDED = ("ahocorasick_rs", "datasketch")


class OpinionCommands:
    """Made once."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(self, project: str, body: MonitorCreate) -> Monitor:
        """A new monitor. Unavailable where the libraries are not installed."""
        missing = [name for name in _NEEDED if find_spec(name) is None]
        if missing:
            raise Unavailable(
                f"Monitors need libraries that are not installed here ({', '.join(missing)}): zhuli[opinion]."
            )
        if await self._database.run(opinion.number, project) >= MOST_MONITORS:
            raise InvalidRequest(f"A project may have {MOST_MONITORS} opinion monitors. Delete one first.")
        monitor = Monitor(
            id=new_id("opmon"),
            created_at=int(self._clock.now()),
            **{name: getattr(body, name) for name in ("name", "languages", "companies", "models", "alerts")},
            metadata=body.metadata or {},
        )
        await self._database.run(opinion.create, project, monitor)
        return monitor.shown()

    async def change(self, project: str, monitor_id: str, body: MonitorUpdate) -> Monitor:
        """The monitor as it is from now on. NotFound."""
        given = {name: value for name in type(body).model_fields if (value := getattr(body, name)) is not None}
        MonitorCreate.model_validate({"name": "any", "companies": given.get("companies", [])})
        return (await self._database.run(opinion.change, project, monitor_id, given)).shown()

    async def push(self, project: str, monitor_id: str, body: ItemsCreate) -> PushedList:
        """Take items; they are read soon. NotFound; InvalidRequest for an item of the future."""
        latest = self._clock.now() + AHEAD_SECONDS
        for index, item in enumerate(body.data):
            if item.published_at > latest:
                raise InvalidRequest(
                    f"Invalid 'data[{index}].published_at': it is more than a day ahead. Seconds since the epoch are meant.",
                    param=f"data[{index}].published_at",
                    code="invalid_value",
                )
        return PushedList(data=await self._database.run(opinion.push, project, monitor_id, body.data))

    async def aggregates(
        self, project: str, monitor_id: str, series: str, *, since: float | None, until: float | None, hours: int
    ) -> Aggregates:
        """A series in windows. Default: the week up to the newest item. NotFound."""
        first, last = await self._range(monitor_id, since, until)
        rows = await self._database.run(
            opinion.windows, project, monitor_id, series, since=first, until=last, hours=hours, most=MOST_WINDOWS
        )
        data = [Counted(**{**row, "start": row["start"] * HOUR}) for row in rows[:MOST_WINDOWS]]
        return Aggregates(series=series, hours=hours, data=data, has_more=len(rows) > MOST_WINDOWS)

    async def series(self, project: str, monitor_id: str, *, since: float | None, until: float | None) -> SeriesList:
        """Every series with its sums, the most negative first. NotFound."""
        first, last = await self._range(monitor_id, since, until)
        rows = await self._database.run(opinion.totals, project, monitor_id, since=first, until=last)
        return SeriesList(
            data=[
                SeriesTotal(series=row.series, stories=row.stories, negative=row.negative, reach=row.reach)
                for row in rows
            ]
        )

    async def _range(self, monitor_id: str, since: float | None, until: float | None) -> tuple[int, int]:
        """Hours [first, last)."""
        if until is None:
            watermark = (await self._database.run(opinion.progress, monitor_id)).watermark
            until = max(watermark or 0.0, since or 0.0) + HOUR
        last = int(-(-until // HOUR))
        return (last - DEFAULT_HOURS if since is None else int(since // HOUR)), last

    async def acknowledge(self, project: str, monitor_id: str, alert_id: str, body: Acknowledge) -> Alert:
        """Somebody has taken it. NotFound."""
        changes = {"state": "acknowledged", "acknowledged_by": body.by}
        return await self._decide(project, monitor_id, alert_id, "acknowledged", changes, body.by, body.comment)

    async def silence(self, project: str, monitor_id: str, alert_id: str, body: Silence) -> Alert:
        """Its series is not delivered for some hours. NotFound."""
        until = int(self._clock.now() + body.hours * HOUR)
        changes = {"state": "silenced", "silenced_until": until}
        return await self._decide(project, monitor_id, alert_id, "silenced", changes, body.by, body.comment)

    async def _decide(
        self,
        project: str,
        monitor_id: str,
        alert_id: str,
        kind: str,
        changes: dict[str, Any],
        by: str,
        comment: str | None,
    ) -> Alert:
        return await self._database.run(
            opinion_alerts.change,
            project,
            monitor_id,
            alert_id,
            kind,  # type: ignore[arg-type]
            changes,
            now=self._clock.now(),
            by=by,
            comment=comment,
        )
