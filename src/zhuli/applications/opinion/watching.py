"""Whether the series of a monitor surge, up to the hour that is closed: counts become alarms, alarms become alerts."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from zhuli.applications.opinion import evidence
from zhuli.applications.opinion.reading import READ_CHARACTERS, Predict, company_input
from zhuli.core.clock import Clock
from zhuli.core.errors import ZhuliError
from zhuli.core.ids import new_id
from zhuli.store.applications import opinion, opinion_alerts
from zhuli.store.applications.opinion import HOUR, Progress, Stored
from zhuli.store.database import Database
from zhuli.store.jobs import Job
from zhuli.types.applications.opinion import (
    Alert,
    AlertTerms,
    AlertText,
    EventKind,
    Evidence,
    Item,
    Monitor,
    WordWeight,
)
from zhuli.types.learning.prediction import PredictionCreate

_READ_TEXTS = 500
"""Texts of a surge, and of before, that its new words are found in."""

_READ_HOURS = 48
"""Of counts that are read at once: others have their turn between them."""

_BEFORE_HOURS = 14 * 24

_FIRST_HOURS = 96
"""What a first look tests of what was read before it, each day with its window: surges of these days are news, older ones an
archive."""

_EXPLAINED = 2
_WORDS = 8
_SHOWN_CHARACTERS = 1_000

_SEVERITIES = ("low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Found:
    """An alarm of a series; hour and onset since the epoch."""

    series: str
    hour: int
    onset: int
    severity: str
    evidence: Evidence


def alarms(rows: Sequence[Any], terms: AlertTerms, begin: dict[str, int], *, since: int, until: int) -> list[Found]:
    """Those of hours [since, until), by the rows of the counts of all hours before. begin: where a series is tested from.

    A day at a time, each with a baseline of what was before its window. Imports NumPy; to be called in a thread.
    """
    import numpy as np

    from zhuli.applications.opinion import surges

    watched = sorted({row.series for row in rows if row.series.partition(":")[0] in terms.series})
    if not watched:
        return []
    first = min(row.hour for row in rows)
    place = {series: number for number, series in enumerate(watched)}
    volume, negative = np.zeros(until - first), np.zeros((len(watched), until - first))
    for row in rows:
        if row.series == "all":
            volume[row.hour - first] += row.stories
        if row.series in place:
            negative[place[row.series], row.hour - first] += row.negative
    limit = surges.threshold(len(watched), terms.false_alarms_per_month)
    starts = dict(begin)
    found: list[Found] = []
    for day in range(since // surges.DAY, (until - 1) // surges.DAY + 1):
        end = min(until, (day + 1) * surges.DAY)
        tested = day * surges.DAY - surges.WINDOW
        known = max(first, tested - terms.history_days * surges.DAY)
        if tested - known < surges.LEAST_HISTORY:
            continue
        history = slice(known - first, tested - first)
        fitted = surges.baselines(volume[history], negative[:, history], known, end - tested)
        from_hour = [max(0, starts.get(series, 0) - tested) for series in watched]
        counts = negative[:, tested - first : end - first]
        for each in surges.surges(counts, fitted, limit, begin=from_hour, least=terms.least_items):
            series, hour = watched[each.series], tested + each.hour
            starts[series] = hour + 1
            told = Evidence(
                observed=each.observed,
                expected=round(each.expected, 3),
                ratio=round(each.ratio, 2),
                log_evidence=round(each.log_evidence, 3),
                threshold=round(float(np.log(limit)), 3),
                false_alarms_per_month=terms.false_alarms_per_month,
                series_watched=len(watched),
                level_per_day=round(each.level, 3),
                trend_per_week=round(each.trend, 4),
                overdispersion=round(each.dispersion, 3),
            )
            found.append(Found(series, hour, tested + each.onset, each.severity, told))
    return found


class Watch:
    """Made once for a process."""

    def __init__(self, database: Database, predict: Predict, clock: Clock) -> None:
        self._database = database
        self._predict = predict
        self._clock = clock

    async def look(self, job: Job, stored: Stored, progress: Progress) -> None:
        """Look for surges in the hours that are closed and were not looked at. LeaseLost where the job has gone."""
        if progress.watermark is None:
            return
        terms, hour = stored.monitor.alerts, int(progress.watermark // HOUR)
        since = hour - _FIRST_HOURS if progress.evaluated is None else progress.evaluated
        if hour <= since:
            return
        alerts = await self._alerts(stored, since, hour)
        await self._database.run(opinion_alerts.record, job, alerts, terms, hour=hour, now=self._clock.now())

    async def _alerts(self, stored: Stored, since: int, until: int) -> list[tuple[Alert, EventKind]]:
        monitor, terms, run = stored.monitor, stored.monitor.alerts, self._database.run
        earliest = since - (terms.history_days + 6) * 24
        rows: list[Any] = []
        for start in range(earliest, until, _READ_HOURS):
            end = min(until, start + _READ_HOURS)
            rows += await run(opinion.counts, monitor.id, terms.series, since=start, until=end)
        watched = sorted({row.series for row in rows if row.series.partition(":")[0] in terms.series})
        last = await run(opinion_alerts.last_of_series, monitor.id, watched) if watched else {}
        begin = {series: alert.last_hour + 1 for series, alert in last.items()}
        found = await asyncio.to_thread(alarms, rows, terms, begin, since=since, until=until)
        silent = await run(opinion_alerts.silenced, monitor.id, watched, now=self._clock.now()) if found else {}
        made: dict[str, tuple[Alert, EventKind]] = {}
        for each in found:
            before = last.get(each.series)
            if before is not None and each.hour - before.last_hour <= terms.quiet_hours:
                grown = await self._grown(stored, before, each)
                kind: EventKind = "raised" if made.get(before.id, (None, ""))[1] == "raised" else "grew"
                made[before.id] = grown, kind
                last[each.series] = grown
            else:
                alert = await self._raised(stored, each, silent.get(each.series))
                made[alert.id] = alert, "raised"
                last[each.series] = alert
        return list(made.values())

    async def _raised(self, stored: Stored, found: Found, silenced_until: int | None) -> Alert:
        alert = Alert(
            id=new_id("opal"),
            monitor_id=stored.monitor.id,
            created_at=int(self._clock.now()),
            series=found.series,
            state="open" if silenced_until is None else "silenced",
            severity=found.severity,
            onset=found.onset * HOUR,
            raised_for=found.hour * HOUR,
            last_hour=found.hour,
            silenced_until=silenced_until,
            evidence=found.evidence,
        )
        return await self._with_texts(stored, alert)

    async def _grown(self, stored: Stored, before: Alert, found: Found) -> Alert:
        severity = max(before.severity, found.severity, key=_SEVERITIES.index)
        observed = before.evidence.observed + found.evidence.observed
        expected = round(before.evidence.expected + found.evidence.expected, 3)
        ratio = round(observed / max(expected, 1e-9), 2)
        told = found.evidence.model_copy(update={"observed": observed, "expected": expected, "ratio": ratio})
        changed = {"severity": severity, "last_hour": found.hour, "evidence": told}
        return await self._with_texts(stored, before.model_copy(update=changed))

    async def _with_texts(self, stored: Stored, alert: Alert) -> Alert:
        """The alert with its texts, what is new in them, and why the models read them so."""
        monitor_id, onset, run = alert.monitor_id, alert.onset // HOUR, self._database.run
        lately = await run(opinion.in_hours, monitor_id, since=onset, until=alert.last_hour + 1, most=_READ_TEXTS * 4)
        earlier = await run(opinion.in_hours, monitor_id, since=onset - _BEFORE_HOURS, until=onset, most=_READ_TEXTS)
        surging = [item for item in lately if evidence.label_in(item, alert.series) == "negative"][:_READ_TEXTS]
        before = [evidence.whole(item) for item in earlier if evidence.label_in(item, alert.series) is not None]
        texts = [evidence.whole(item) for item in surging]
        reach = await run(opinion.reach, monitor_id, [item.id for item in surging])
        first = sorted(surging, key=lambda item: (-reach[item.id], -(evidence.score_in(item, alert.series) or 0)))
        new = await asyncio.to_thread(evidence.new_terms, texts, before)
        groups = await asyncio.to_thread(evidence.groups, first, before)
        shown = [
            AlertText(
                id=item.id,
                text=evidence.whole(item)[:_SHOWN_CHARACTERS],
                source=item.source,
                url=item.url,
                published_at=item.published_at,
                reach=reach[item.id],
                score=evidence.score_in(item, alert.series),
                attributions=await self._attributions(stored, item, alert.series) if place < _EXPLAINED else None,
            )
            for place, item in enumerate(first[: evidence.MOST_TEXTS])
        ]
        told = alert.evidence.model_copy(update={"reach": sum(reach.values())})
        changed = {"texts": shown, "new_terms": new, "groups": groups, "evidence": told}
        return alert.model_copy(update=changed)

    async def _attributions(self, stored: Stored, item: Item, series: str) -> list[WordWeight] | None:
        """Words that speak for what the model said; None where it can't be asked."""
        asked = _question(stored.monitor, item, series)
        if asked is None:
            return None
        try:
            answer = await self._predict(stored.project, asked)
        except ZhuliError:
            return None
        of_answers = (answer.data[0].explanation or {}).get("attributions") or [{"tokens": []}]
        words = [WordWeight(word=each["text"], weight=round(each["score"], 4)) for each in of_answers[0]["tokens"]]
        return sorted((word for word in words if word.weight > 0), key=lambda word: -word.weight)[:_WORDS]


def _question(monitor: Monitor, item: Item, series: str) -> PredictionCreate | None:
    """What its model is asked once more, to be explained."""
    assert item.reading is not None
    models = monitor.models.get(item.reading.language)
    if models is None:
        return None
    text = evidence.whole(item)
    kind, _, name = series.partition(":")
    if kind == "company" and models.company_sentiment is not None:
        named = next((each.mentions for each in item.reading.companies if each.company == name and each.mentions), None)
        if named is None or named[0].end > READ_CHARACTERS:
            return None
        given: Any = company_input(text, named[0])
        return PredictionCreate(model=models.company_sentiment, input=given, explain=True, store=False)
    if models.sentiment is None:
        return None
    return PredictionCreate(model=models.sentiment, input=text[:READ_CHARACTERS], explain=True, store=False)
