"""An opinion monitor, told with a clock and models of the test: what is pushed counts once, whatever dies or comes late."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiosmtpd.controller import Controller
from sqlalchemy import bindparam, select

from tests.engine.conftest import Place
from tests.engine.transactions import Died, Transactions
from tests.engine.workers import working
from tests.harness.sockets import free_port
from zhuli.applications.opinion import handler, webhooks
from zhuli.applications.opinion.room import OpinionRoom
from zhuli.core.errors import NotFound
from zhuli.core.ids import new_id
from zhuli.learning.datasets.conversions import of_feedback
from zhuli.store import jobs
from zhuli.store.applications import opinion, opinion_alerts
from zhuli.store.projects import DEFAULT_PROJECT as PROJECT
from zhuli.store.schema import jobs as jobs_table
from zhuli.testing.app import AppInMemory
from zhuli.types.applications.opinion import Acknowledge, Alert, Evidence, ItemsCreate, Monitor, MonitorCreate, Silence
from zhuli.types.learning.feedback import FeedbackCreate, ReviewCreate
from zhuli.types.learning.prediction import PredictionCreate, PredictionList, PredictionResult, PredictionUsage
from zhuli.types.page import PageParams

HOUR = 3_600
BEGIN = 1_749_513_600
"""A Tuesday's first second, UTC."""

COMPANIES = [{"id": "acme", "name": "Acme", "tickers": ["ACM"]}, {"id": "globex", "name": "Globex"}]
SECRET = "a secret that only two know"
BAD = ("falls", "sues", "broke")
"""Words that the test's models take for negative."""

SCRIPT: dict[str, Any] = {"default": [{"text": "."}]}


async def predict(_: str, asked: PredictionCreate) -> PredictionList:
    """A model that reads the words after a company, or all of them."""
    results = []
    for index, given in enumerate(asked.input if isinstance(asked.input, list) else [asked.input]):
        text = given if isinstance(given, str) else given["text"][given["head"]["end"] :].split(" as ")[0]
        label = "negative" if any(word in text for word in BAD) else "neutral"
        tokens = [{"text": "falls", "score": 0.9}]
        explained = {"attributions": [{"tokens": tokens}]} if asked.explain else None
        output = [{"label": label, "score": 0.9}]
        results.append(PredictionResult(id=new_id("pred"), index=index, output=output, explanation=explained))
    usage = PredictionUsage(prompt_tokens=1, total_tokens=1)
    return PredictionList(model=asked.model, task="text_classification", data=results, usage=usage)


def room(app: AppInMemory) -> OpinionRoom:
    """The app's, with the test's models."""
    made = app.app.applications.opinion
    made.reading._predict = made.reading._watch._predict = predict
    return made


async def monitor(app: AppInMemory, **alerts: Any) -> Monitor:
    models = {"en": {"sentiment": "s", "company_sentiment": "c"}}
    body = {"name": "m", "companies": COMPANIES, "models": models, "alerts": alerts}
    return await room(app).commands.create(PROJECT, MonitorCreate.model_validate(body))


def item(key: str, text: str, hour: float, **more: Any) -> dict[str, Any]:
    return {"id": key, "text": text, "published_at": BEGIN + hour * HOUR, "source": "wire", **more}


async def push(app: AppInMemory, made: Monitor, items: Sequence[dict[str, Any]]) -> Counter[str]:
    """Push; what became of them, counted."""
    found: Counter[str] = Counter()
    for start in range(0, len(items), 1_000):
        body = ItemsCreate.model_validate({"data": items[start : start + 1_000]})
        found.update(each.state for each in (await room(app).commands.push(PROJECT, made.id, body)).data)
    return found


async def read(app: AppInMemory, made: Monitor) -> None:
    """Until everything was read."""

    async with asyncio.timeout(60):
        while (status := await app.app.database.run(opinion.status, PROJECT, made.id)).waiting or await busy(app, made):
            assert status.failure is None, status.failure
            await asyncio.sleep(0.02)


async def busy(app: AppInMemory, made: Monitor) -> bool:
    """Whether its job is still there."""
    return await app.app.database.run(lambda connection: connection.execute(_JOB, {"of": made.id}).scalar() is not None)


_JOB = select(jobs_table.c.seq).where(jobs_table.c.kind == opinion.READ, jobs_table.c.key == bindparam("of"))


async def counted(app: AppInMemory, made: Monitor, series: str) -> list[tuple[int, int, int, int]]:
    """(hour behind BEGIN, stories, negative, reach) of a series."""
    found = await room(app).commands.aggregates(PROJECT, made.id, series, since=0, until=4e9, hours=1)
    return [
        (
            (each.start - BEGIN) // HOUR,
            each.positive + each.neutral + each.negative + each.unknown,
            each.negative,
            each.reach,
        )
        for each in found.data
    ]


async def alerts(app: AppInMemory, made: Monitor) -> list[Alert]:
    found = await app.app.database.run(
        opinion_alerts.page, PROJECT, made.id, PageParams(100, "asc"), state=None, series=None
    )
    return found.data


async def test_items_count_once_in_their_hour_and_corrections_restate_it(place: Place) -> None:
    async with place.app(SCRIPT) as app:
        made = await monitor(app)
        first = [
            item("a", "Acme falls as Globex gains after the ruling on Tuesday.", 1),
            item("b", "Acme falls as Globex gains after the ruling on Tuesday!", 2, source="blog"),
            item("c", "Nothing was said about anybody today, and nobody minded.", 2),
        ]
        assert await push(app, made, first) == {"added": 3}
        await read(app, made)
        assert await counted(app, made, "all") == [(1, 1, 1, 1), (2, 1, 0, 2)]
        assert await counted(app, made, "company:acme") == [(1, 1, 1, 1), (2, 0, 0, 1)]
        assert await counted(app, made, "company:globex") == [(1, 1, 0, 1), (2, 0, 0, 1)]
        assert await push(app, made, first) == {"unchanged": 3}
        late = [item("z", "Globex broke its promise to the town of Springfield.", 0)]
        right = [item("c", "Acme sues the town of Springfield over a water bill.", 3)]
        assert await push(app, made, late + right) == {"added": 1, "corrected": 1}
        await read(app, made)
        assert await counted(app, made, "all") == [(0, 1, 1, 1), (1, 1, 1, 1), (2, 0, 0, 1), (3, 1, 1, 1)]
        assert await counted(app, made, "source:blog") == [(2, 0, 0, 1)]
        got = await app.app.database.run(opinion.item, PROJECT, made.id, "c")
        assert (got.revision, got.reading and got.reading.companies[0].mentions[0].text) == (2, "Acme")


async def test_a_wrong_reading_is_corrected_by_feedback_and_becomes_an_example(place: Place) -> None:
    async with place.app(SCRIPT) as app:
        made = await monitor(app)
        await push(app, made, [item("a", "Acme falls as Globex gains after the ruling.", 1)])
        await read(app, made)
        (got,) = await listed(app, made)
        feedback = app.app.learning.feedback
        body = {"target": {"type": "opinion_item", "id": f"{got.item_id}:globex"}, "correction": {"label": "positive"}}
        given = await feedback.give(PROJECT, FeedbackCreate.model_validate(body))
        review = {"reviewer": "ann", "state": "corrected", "correction": {"label": "positive"}}
        reviewed = await feedback.review(PROJECT, given.id, ReviewCreate.model_validate(review))
        record = of_feedback("relation_extraction", reviewed)
        assert record == {
            "text": "Acme falls as Globex gains after the ruling.",
            **{place: {"start": 14, "end": 20} for place in ("head", "tail")},
            "label": "positive",
        }
        other = {**body, "target": {"type": "opinion_item", "id": f"{got.item_id}:nobody"}}
        with pytest.raises(NotFound):
            await feedback.give(PROJECT, FeedbackCreate.model_validate(other))


async def test_what_is_denied_is_not_read_as_told(place: Place) -> None:
    texts = {
        "denied": "Acme never falls, says the desk.",
        "told": "Acme falls, says the desk.",
        "elsewhere": "Acme never sues, and it is Acme that falls.",
        "other": "Acme did not comment as Globex falls.",
    }
    async with place.app(SCRIPT) as app:
        made = await monitor(app)
        await push(app, made, [item(key, text, n) for n, (key, text) in enumerate(texts.items())])
        await read(app, made)
        read_of = {each.id: {one.company: one for one in each.reading.companies} for each in await listed(app, made)}
        said = {key: (companies["acme"].label, companies["acme"].denied) for key, companies in read_of.items()}
        assert said["denied"] == ("neutral", True) and said["told"] == ("negative", False)
        assert said["elsewhere"] == ("negative", False) and said["other"] == ("neutral", False)
        assert read_of["other"]["globex"].label == "negative"


async def test_a_person_s_items_are_gone_with_what_they_counted_and_the_next_repost_is_the_story(place: Place) -> None:
    async with place.app(SCRIPT) as app:
        made = await monitor(app)
        text = "Acme falls as Globex gains after the ruling on Tuesday."
        await push(app, made, [item("a", text, 1, user="eve"), item("b", text, 2), item("c", text + "!", 3)])
        await read(app, made)
        gone = await app.app.assistants.end_users.delete(PROJECT, "eve", by=None)
        assert (gone.deleted, gone.counts) == (True, {"opinion_items": 1})
        assert await counted(app, made, "all") == [(2, 1, 1, 1), (3, 0, 0, 1)]
        stories = {each.id: each.reading and each.reading.story for each in await listed(app, made)}
        assert stories == {"b": None, "c": "b"}
        entries = await app.app.database.run(opinion.entries, made.id, after=0, most=10)
        assert [entry.item and entry.item.id for entry in entries] == [None, "b", "c"]
        assert await push(app, made, [item("a", "Acme sues.", 4)]) == {"added": 1}


async def listed(app: AppInMemory, made: Monitor) -> list[Any]:
    return (await app.app.database.run(opinion.items, PROJECT, made.id, limit=100)).data


@pytest.mark.parametrize("after", range(1, 6))
async def test_a_process_that_dies_after_any_transaction_loses_and_doubles_nothing(place: Place, after: int) -> None:
    items = [item(f"i{n}", f"Acme falls for the {n} time, and {n * n} people saw it {n}", n % 5) for n in range(700)]
    async with place.app(SCRIPT, worker_slots=0) as app:
        made = await monitor(app)
        await push(app, made, items)
        transactions = Transactions(app.app.database)
        transactions.die_after(after)
        slots = {opinion.READ: 1}
        (job,) = await app.app.database.run(jobs.claim, "w", slots=slots, now=place.clock.now(), lease=15.0)
        with suppress(Died):
            await room(app).reading._go(job)
    place.clock.move(60)
    async with place.app(SCRIPT) as app:
        room(app)
        await push(app, made, items)
        await app.app.database.run(opinion.wake, [made.id])
        await read(app, made)
        found = await counted(app, made, "all")
        assert sum(reach for *_, reach in found) == 700
        listed_items = [each for each in await all_items(app, made) if each.reading.story is None]
        assert sum(stories for _, stories, _, _ in found) == len(listed_items)


async def all_items(app: AppInMemory, made: Monitor) -> list[Any]:
    found: list[Any] = []
    after = None
    while True:
        page = await app.app.database.run(opinion.items, PROJECT, made.id, limit=100, after=after)
        found += page.data
        if page.next is None:
            return found
        after = opinion.place_of(page.next)


def quiet(days: int, *, number: int = 4) -> list[dict[str, Any]]:
    """Some negative news of Acme a day, at hours that differ, and other news every other hour."""
    items = []
    for day in range(days):
        for n in range(number):
            hour = day * 24 + (day * 7 + n * 5) % 24
            items.append(
                item(f"q{day}-{n}", f"Acme falls, says note {day * 31 + n}: {word(day, n)} {word(n, day + 3)}", hour)
            )
        for n in range(0, 24, 2):
            items.append(
                item(f"o{day}-{n}", f"{word(day, n)} {word(n, day)} {word(day + n, 7)} {day}.{n}", day * 24 + n)
            )
    return items


def word(one: int, other: int) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz"
    number = (one * 7919 + other * 104_729 + 13) % 26**5
    return "".join(letters[number // 26**place % 26] for place in range(5))


def kinds(alert: Alert) -> list[str]:
    return [event.kind for event in alert.events or []]


class Hook:
    """A webhook on this machine, whose first answer is that it can't."""

    def __init__(self) -> None:
        self.got: list[tuple[Any, bytes]] = []

    async def __aenter__(self) -> "Hook":
        app = web.Application()
        app.router.add_post("/hook", self._answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", free_port())
        await site.start()
        self.url = f"{site.name}/hook"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        self.got.append((request.headers, await request.read()))
        return web.Response(status=500 if len(self.got) == 1 else 204)

    async def called(self, times: int) -> None:
        async with asyncio.timeout(30):
            while len(self.got) < times:
                await asyncio.sleep(0.02)


@asynccontextmanager
async def mail() -> AsyncIterator[tuple[str, list[Any]]]:
    """A mail server on this machine, and the envelopes that it took."""
    got: list[Any] = []

    class Box:
        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
            got.append(envelope)
            return "250 OK"

    server = Controller(Box(), hostname="127.0.0.1", port=free_port())
    server.start()
    try:
        yield f"smtp://127.0.0.1:{server.port}", got
    finally:
        server.stop()


async def test_who_acknowledges_or_silences_an_alert_ends_its_escalation(place: Place) -> None:
    escalation = {"after_minutes": 30, "to": [{"type": "email", "to": "boss@example.com"}]}
    async with place.app(SCRIPT, worker_slots=0) as app:
        made = await monitor(app, escalation=escalation)
        run, now = app.app.database.run, place.clock.now()
        evidence = Evidence(
            **dict.fromkeys(("observed", "series_watched"), 9),
            **dict.fromkeys(("expected", "ratio", "log_evidence", "threshold", "false_alarms_per_month"), 1.0),
            **dict.fromkeys(("level_per_day", "trend_per_week", "overdispersion"), 1.0),
        )
        common = {"monitor_id": made.id, "created_at": 0, "state": "open", "severity": "high", "evidence": evidence}
        common |= {"onset": 0, "raised_for": 0, "last_hour": 0}
        raised = [Alert(id=f"opal_{n}", series=f"company:{n}", **common) for n in ("a", "b", "c")]
        await push(app, made, [item("x", "Nothing.", 0)])
        (job,) = await run(jobs.claim, "w", slots={opinion.READ: 1}, now=now, lease=60.0)
        found: list[Any] = [(alert, "raised") for alert in raised]
        await run(opinion_alerts.record, job, found, made.alerts, hour=1, now=now)
        commands = room(app).commands
        taken = await commands.acknowledge(PROJECT, made.id, "opal_a", Acknowledge(by="ann", comment="mine"))
        assert (taken.state, taken.acknowledged_by, kinds(taken)) == ("acknowledged", "ann", ["raised", "acknowledged"])
        await commands.silence(PROJECT, made.id, "opal_b", Silence(hours=1, by="ann"))
        place.clock.move(31 * 60)
        await room(app)._escalate()
        told = {alert.id: kinds(await run(opinion_alerts.get, PROJECT, made.id, alert.id)) for alert in raised}
        assert [id_ for id_, events in told.items() if "escalated" in events] == ["opal_c"]


async def test_a_first_look_tests_the_last_days_of_what_was_read_before_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what came in one batch yesterday's surge is an alert, and an older one is an archive's."""
    monkeypatch.setattr(handler, "BATCH", 10_000)
    days = 30
    place.clock.move(days * 24 * HOUR)
    surges = [
        item(f"{at}-{n}", f"Acme falls over {word(n, 1)} {word(n, 2)} {word(n, at)}", at * 24 + n // 8)
        for at in (18, days - 1)
        for n in range(40)
    ]
    async with place.app(SCRIPT, work=False) as app:
        made = await monitor(app, series=["company"])
        await push(app, made, [*quiet(days), *surges, item("end", "Nothing else happened.", days * 24 - 1)])
        async with working(app):
            await read(app, made)
        (alert,) = await alerts(app, made)
        assert alert.onset == BEGIN + (days - 1) * 24 * HOUR
        status = await app.app.database.run(opinion.status, PROJECT, made.id)
        assert status.watermark is not None and status.looked_until == status.watermark // HOUR * HOUR


async def test_a_surge_raises_one_alert_with_its_texts_and_goes_where_it_must(place: Place) -> None:
    days = 30
    place.clock.move(days * 24 * HOUR)
    async with (
        Hook() as hook,
        mail() as (smtp_url, letters),
        place.app(SCRIPT, private_webhooks=True, smtp_url=smtp_url) as app,
    ):
        escalation = {"after_minutes": 30, "to": [{"type": "email", "to": "boss@example.com"}]}
        made = await monitor(
            app,
            deliver=[{"type": "webhook", "url": hook.url, "secret": SECRET}],
            escalation=escalation,
            series=["company"],
        )
        await push(app, made, quiet(days))
        await read(app, made)
        assert await alerts(app, made) == []
        surge = [
            item(
                f"s{n}",
                f"Acme falls over poisoned batteries, {word(n, 1)} {word(n, 2)} {word(n, 3)}",
                days * 24 + n // 8,
            )
            for n in range(40)
        ]
        await push(app, made, [*surge, item("end", "Nothing else happened.", days * 24 + 8)])
        await read(app, made)
        (alert,) = await alerts(app, made)
        assert (alert.series, alert.state, alert.onset) == ("company:acme", "open", BEGIN + days * 24 * HOUR)
        assert alert.evidence.observed >= 8 and alert.evidence.log_evidence > alert.evidence.threshold
        assert {"poisoned", "batteries"} <= set(alert.new_terms)
        assert alert.texts[0].attributions and alert.texts[0].attributions[0].word == "falls"
        await hook.called(1)
        place.clock.move(6)
        await hook.called(2)
        first, second = hook.got
        assert first[0]["webhook-id"] == second[0]["webhook-id"]
        signed = webhooks.signature(SECRET, second[0]["webhook-id"], int(second[0]["webhook-timestamp"]), second[1])
        assert second[0]["webhook-signature"] == signed
        assert orjson.loads(second[1])["data"]["id"] == alert.id
        place.clock.move(31 * 60)
        await room(app)._escalate()
        async with asyncio.timeout(30):  # it is recorded behind the webhook's answer
            while (
                Counter(kinds(got := await app.app.database.run(opinion_alerts.get, PROJECT, made.id, alert.id)))[
                    "delivered"
                ]
                < 2
            ):
                await asyncio.sleep(0.02)
        assert kinds(got)[0] == "raised" and "escalated" in kinds(got)
        assert [envelope.rcpt_tos for envelope in letters] == [["boss@example.com"]]
        assert alert.id.encode() in letters[0].content and b"poisoned" in letters[0].content
        hushed = await room(app).commands.silence(PROJECT, made.id, alert.id, Silence(hours=48, by="ann"))
        assert hushed.state == "silenced"
        later = [
            item(f"t{n}", f"Acme sues {word(n, 9)} and {word(n, 8)} too", days * 24 + 40 + n // 10) for n in range(40)
        ]
        await push(app, made, [*later, item("end2", "Nothing else.", days * 24 + 47)])
        await read(app, made)
        assert [each.state for each in await alerts(app, made)] == ["silenced", "silenced"]
