"""Limits of a project: who is refused, for how long, who waits, and that processes which share a database share limits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2
import openai
import pytest

from tests.engine.conftest import Place
from tests.harness.farm import Storage
from zhuli.core.errors import RateLimited
from zhuli.core.limit_window import Window
from zhuli.core.origin import Origin
from zhuli.metering.meter import Meter, patient
from zhuli.store import limits, projects
from zhuli.store.projects import DEFAULT_PROJECT
from zhuli.testing.app import AppInMemory
from zhuli.testing.clock import EPOCH, ManualClock

SCRIPT: dict[str, Any] = {"default": [{"text": "one two three"}]}
HERE = Origin("req_1", None, DEFAULT_PROJECT)
HI: Any = [{"role": "user", "content": "Hi"}]


@asynccontextmanager
async def sdk(app: AppInMemory, *, retries: int = 0) -> AsyncIterator[openai.AsyncOpenAI]:
    transport = httpx2.AsyncClient(transport=httpx2.ASGITransport(app.asgi))
    async with openai.AsyncOpenAI(
        base_url="http://localhost/v1",
        api_key="any",
        admin_api_key="any",
        http_client=transport,
        max_retries=retries,
    ) as client:
        yield client


async def test_what_is_beyond_a_rate_limit_is_refused_in_the_apis_words(place: Place) -> None:
    async with place.app(SCRIPT, project_limits={"requests_per_minute": 2}) as app, sdk(app) as client:
        for left in (1, 0):
            said = await client.chat.completions.with_raw_response.create(model="script", messages=HI)
            assert said.headers["x-ratelimit-limit-requests"] == "2"
            assert said.headers["x-ratelimit-remaining-requests"] == str(left)
            assert said.headers["x-ratelimit-reset-requests"] == "1m1s"
        with pytest.raises(openai.RateLimitError) as caught:
            await client.embeddings.create(model="hashed", input="Hi")
        error, headers = caught.value, caught.value.response.headers
        assert (error.status_code, error.code, error.type) == (429, "rate_limit_exceeded", "requests")
        assert "Limit 2, Used 2, Requested 1" in error.message
        assert (headers["retry-after"], headers["retry-after-ms"]) == ("61", "60250")
        assert headers["x-ratelimit-remaining-requests"] == "0"
        assert (await client.models.list()).data  # looking asks no model
        app.clock.move(60.25)
        assert await client.embeddings.create(model="hashed", input="Hi")


async def test_the_sdk_waits_as_long_as_it_is_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        app.clock.move(seconds)

    async with place.app(SCRIPT, project_limits={"requests_per_minute": 1}) as app, sdk(app, retries=1) as client:
        await client.chat.completions.create(model="script", messages=HI)
        app.clock.move(45.5)
        monkeypatch.setattr(anyio, "sleep", sleep)
        await client.chat.completions.create(model="script", messages=HI)
        assert slept == [14.75]


async def test_tokens_are_counted_as_they_were_used(place: Place) -> None:
    async with place.app(SCRIPT, project_limits={"tokens_per_minute": 1000}) as app, sdk(app) as client:
        said = await client.chat.completions.create(model="script", messages=HI, max_tokens=900)
        used = said.usage.total_tokens if said.usage else 0
        assert 0 < used < 100
        with pytest.raises(openai.RateLimitError) as caught:
            await client.chat.completions.create(model="script", messages=HI, max_tokens=1000 - used)
        assert caught.value.type == "tokens"
        chunks = await client.chat.completions.create(model="script", messages=HI, max_tokens=900, stream=True)
        assert [chunk async for chunk in chunks]
        raw = await client.embeddings.with_raw_response.create(model="hashed", input="one two")
        embedded = raw.parse().usage.total_tokens
        assert raw.headers["x-ratelimit-remaining-tokens"] == str(1000 - 2 * used - embedded)


async def test_what_can_never_fit_is_not_tried_again(place: Place) -> None:
    async with place.app(SCRIPT, project_limits={"tokens_per_minute": 10}) as app, sdk(app) as client:
        with pytest.raises(openai.RateLimitError) as caught:
            await client.embeddings.create(model="hashed", input="many words " * 30)
        assert "too large" in caught.value.message
        assert caught.value.response.headers["x-should-retry"] == "false"


async def test_a_quota_that_is_used_up_is_not_waited_for(place: Place) -> None:
    async with place.app(SCRIPT, project_limits={"requests_per_day": 1}) as app, sdk(app, retries=3) as client:
        await client.chat.completions.create(model="script", messages=HI)
        with pytest.raises(openai.RateLimitError) as caught:
            await client.chat.completions.create(model="script", messages=HI)
        assert (caught.value.code, caught.value.type) == ("insufficient_quota", "insufficient_quota")
        assert caught.value.response.headers["x-should-retry"] == "false"
        await app.app.meter.settle()
    async with place.app(SCRIPT, project_limits={"requests_per_day": 1}) as app, sdk(app) as client:
        with pytest.raises(openai.RateLimitError):  # it is known after a restart
            await client.chat.completions.create(model="script", messages=HI)
        app.clock.move(86_400)
        await client.chat.completions.create(model="script", messages=HI)


async def test_a_run_waits_for_a_rate_limit_without_holding_a_place(place: Place) -> None:
    settings: dict[str, Any] = {"project_limits": {"tokens_per_minute": 300}, "worker_slots": 1}
    async with place.app(SCRIPT, **settings) as app, sdk(app) as client:
        assistant = await client.beta.assistants.create(model="script")
        body: Any = {"assistant_id": assistant.id, "thread": {"messages": HI}}
        await client.chat.completions.create(model="script", messages=HI, max_tokens=200)
        await app.app.meter.take(HERE, "tokens", 250)
        run = await client.beta.threads.create_and_run(**body)
        cancelled = await client.beta.threads.create_and_run(**body)
        free = await app.run("Hi")  # of nobody with limits
        assert free.status == "completed"
        await client.beta.threads.runs.cancel(cancelled.id, thread_id=cancelled.thread_id)
        async with asyncio.timeout(20):
            while (await app.reload(cancelled)).status != "cancelled":  # type: ignore[arg-type]
                await asyncio.sleep(0.05)
        assert (await app.reload(run)).status in ("queued", "in_progress")  # type: ignore[arg-type]
        app.clock.move(90)
        ended = await app.rest(run)  # type: ignore[arg-type]
        assert ended.status == "completed"
        assert ended.usage


async def test_a_run_beyond_a_quota_fails_and_says_so(place: Place) -> None:
    async with place.app(SCRIPT, project_limits={"tokens_per_month": 300}) as app, sdk(app) as client:
        await app.app.meter.take(HERE, "tokens", 299)
        assistant = await client.beta.assistants.create(model="script")
        run: Any = await client.beta.threads.create_and_run(assistant_id=assistant.id, thread={"messages": HI})
        ended = await app.rest(run)
        assert ended.last_error
        assert ended.last_error.code == "rate_limit_exceeded"
        assert "quota" in ended.last_error.message


async def test_the_tighter_of_a_keys_and_its_projects_limits_holds(place: Place) -> None:
    async with place.app(SCRIPT, key_limits={"requests_per_minute": 5}) as app:
        database, now = app.app.database, app.clock.now()
        one, _ = await database.run(projects.create_key, "default", now=now, limits={"requests_per_minute": 2})
        other, _ = await database.run(projects.create_key, "default", now=now)
        await database.run(limits.put, DEFAULT_PROJECT, {"requests_per_minute": 4})
        app.clock.move(5)
        taken = [await admitted(app.app.meter, Origin("req_1", None, DEFAULT_PROJECT, key.id)) for key in (one,) * 3]
        assert taken == [True, True, False]
        left = [await admitted(app.app.meter, Origin("req_1", None, DEFAULT_PROJECT, other.id)) for _ in range(3)]
        assert left == [True, True, False]
        await database.run(limits.put, DEFAULT_PROJECT, {"requests_per_minute": None})
        app.clock.move(5)
        assert await admitted(app.app.meter, Origin("req_1", None, DEFAULT_PROJECT, other.id))


@pytest.mark.parametrize("limit", [60, 1000])
async def test_processes_that_share_a_database_share_a_limit_exactly(
    place: Place, storage: Storage, limit: int
) -> None:
    """Twice as many come as may, a third of them to one process, whose clock is a little ahead."""
    if storage == "sqlite":
        pytest.skip("One process owns a SQLite database.")
    async with place.app(SCRIPT, project_limits={"requests_per_minute": limit}, work=False) as app:
        ahead = ManualClock(EPOCH + 0.1)
        other = Meter(app.app.database, ahead, app.app.settings)
        meters = [app.app.meter, app.app.meter, other]
        patient.set(False)
        admitted_in: list[int] = []
        asked = 0
        for step in range(480):  # quarters of a second
            count = 0
            while asked < 2 * limit * (step + 1) / 240:
                count += await admitted(meters[asked % 3], HERE)
                asked += 1
            admitted_in.append(count)
            app.clock.move(0.25)
            ahead.move(0.25)
            if step % 2 == 0:
                await app.app.meter.settle()
                await other.settle()
        for first in range(241):
            assert 0.99 * limit - 1 <= sum(admitted_in[first : first + 240]) <= limit


async def admitted(meter: Meter, asked: Origin) -> bool:
    patient.set(False)
    try:
        await meter.take(asked, "requests", 1)
    except RateLimited:
        return False
    return True


def test_a_window_slides() -> None:
    window = Window("tokens_per_minute")
    window.add(window.slot(100.2), 30)
    window.add(window.slot(130.9), 50)
    assert window.used(160.2) == 80
    assert window.wait(140.0, limit=100, wanted=20) == 0
    assert window.wait(140.0, limit=100, wanted=40) == 20.25
    assert window.wait(140.0, limit=100, wanted=500) == 51
    assert window.reset(140.0) == 51
    assert window.used(160.25) == 50
    window.add(window.slot(130.9), -10)
    assert window.used(190.9) == 40
    assert window.used(191.0) == 0


def test_a_quota_begins_anew_with_the_day_and_the_month() -> None:
    day, month = Window("tokens_per_day"), Window("tokens_per_month")
    for window in (day, month):
        window.add(window.slot(1_798_761_599), 7)  # the last second of 2026
        assert window.used(1_798_761_599) == 7
        assert window.wait(1_798_761_599, limit=7, wanted=1) == 1
        assert window.used(1_798_761_600) == 0
    assert Window("tokens_per_month").reset(0) == 0
