"""What models were asked for, as it is counted, kept and shown: by kind, project, key and model, in buckets of time."""

from collections.abc import Callable
from typing import Any

import openai
import pytest

from tests.conftest import StartServer
from tests.engine.conftest import Place
from tests.engine.test_limits import HI, SCRIPT, sdk
from tests.harness.clients import Clients
from tests.harness.waiting import eventually
from zhuli.store import projects, usage
from zhuli.store.usage import DAY, HOUR, Counted, Counts
from zhuli.testing.app import AppInMemory
from zhuli.testing.clock import EPOCH

MIDNIGHT = int(EPOCH) // DAY * DAY


async def test_what_was_asked_is_counted_by_kind_and_model(place: Place) -> None:
    async with place.app(SCRIPT) as app, sdk(app) as client:
        chats = [await client.chat.completions.create(model="script", messages=HI) for _ in range(2)]
        chunks = await client.chat.completions.create(model="script", messages=HI, stream=True)
        assert [chunk async for chunk in chunks]
        assistant = await client.beta.assistants.create(model="script")
        run: Any = await client.beta.threads.create_and_run(assistant_id=assistant.id, thread={"messages": HI})
        ended = await app.rest(run)
        embedded = await client.embeddings.create(model="hashed", input=["one two", "three"])
        said = [chat.usage for chat in chats if chat.usage]
        (result,) = await results(app, client, group_by=["model"])
        assert result.num_model_requests == 4
        assert ended.usage
        assert result.input_tokens == sum(one.prompt_tokens for one in said) * 3 // 2 + ended.usage.prompt_tokens
        assert result.output_tokens == said[0].completion_tokens * 3 + ended.usage.completion_tokens
        assert result.model == "script"
        assert result.project_id is None
        found = await client.admin.organization.usage.embeddings(start_time=int(EPOCH))
        (bucket,) = found.data
        (one,) = bucket.results
        assert one.object == "organization.usage.embeddings.result"
        assert (one.input_tokens, one.num_model_requests) == (embedded.usage.prompt_tokens, 1)


async def test_buckets_begin_on_whole_times_and_are_given_in_pages(place: Place) -> None:
    async with place.app(SCRIPT) as app, sdk(app) as client:
        for _ in range(3):
            await client.chat.completions.create(model="script", messages=HI)
            app.clock.move(2 * HOUR)
        await app.app.meter.settle()
        get = client.admin.organization.usage.completions
        first = await get(start_time=int(EPOCH), bucket_width="1h", limit=3)
        assert first.has_more
        assert first.next_page
        assert [bucket.start_time % HOUR for bucket in first.data] == [0, 0, 0]
        assert [len(bucket.results) for bucket in first.data] == [1, 0, 1]
        rest = await get(start_time=int(EPOCH), bucket_width="1h", page=first.next_page)
        assert rest.data[0].start_time == first.data[-1].end_time
        assert [len(bucket.results) for bucket in rest.data[:2]] == [0, 1]
        assert not rest.has_more
        with pytest.raises(openai.BadRequestError):
            await get(start_time=int(EPOCH), bucket_width="1d", limit=32)
        with pytest.raises(openai.BadRequestError, match="group_by"):
            await get(start_time=int(EPOCH), group_by=["colour"])  # type: ignore[list-item]
        assert not (await get(start_time=int(EPOCH), models=["another"])).data[0].results


async def test_a_project_sees_only_its_own_and_keys_apart(place: Place) -> None:
    async with place.app(SCRIPT) as app:
        make: Callable[..., Any] = projects.create_key
        keys = [
            await app.app.database.run(make, name, now=app.clock.now()) for name in ("default", "default", "another")
        ]
        app.clock.move(6)
        async with sdk(app) as client:
            for (_, secret), asks in zip(keys, (1, 2, 4), strict=True):
                for _ in range(asks):
                    await client.with_options(api_key=secret).chat.completions.create(model="script", messages=HI)
            mine = client.with_options(api_key=keys[0][1], admin_api_key=keys[0][1])
            of_keys = await results(app, mine, group_by=["api_key_id", "project_id"])
            assert {one.api_key_id: one.num_model_requests for one in of_keys} == {keys[0][0].id: 1, keys[1][0].id: 2}
            assert {one.project_id for one in of_keys} == {keys[0][0].project}
            only = await results(app, mine, api_key_ids=[keys[1][0].id])
            assert [one.num_model_requests for one in only] == [2]
            assert not await results(app, mine, project_ids=[keys[2][0].project])
            _, reader = await app.app.database.run(make, "default", now=app.clock.now(), scopes=("write",))
            with pytest.raises(openai.PermissionDeniedError):
                await results(app, client.with_options(admin_api_key=reader))


async def test_minutes_become_hours_and_nothing_is_counted_twice(place: Place) -> None:
    async with place.app(SCRIPT, work=False) as app:
        run = app.app.database.run
        for process in ("one", "two"):
            for minute in range(120):
                of = Counted(MIDNIGHT + 60 * minute, "completions", "proj_x", "", "script")
                await run(usage.write, process, {of: Counts(1, 5, 0, 2)})
                await run(usage.write, process, {of: Counts(2, 10, 1, 4)})  # it has counted on
        asked = usage.Asked("completions", MIDNIGHT, MIDNIGHT + DAY, HOUR)

        async def hours() -> list[Counts]:
            return [one.counts for one in await run(usage.used, asked)]

        before = [Counts(240, 1200, 120, 480)] * 2
        assert await hours() == before
        while await run(usage.fold, now=MIDNIGHT + usage.KEEP_MINUTES_SECONDS + 90 * 60):
            assert await hours() == before
        assert await hours() == before
        minutes = usage.Asked("completions", MIDNIGHT, MIDNIGHT + DAY, 60)
        assert len(await run(usage.used, minutes)) == 30
        assert await run(usage.forget, before=MIDNIGHT + HOUR) == 1


def test_an_operator_sets_limits_and_sees_usage(start_server: StartServer, clients: Clients) -> None:
    server = start_server(name="limited")
    key = server.cli("keys", "create", "--limit", "requests_per_day=2,tokens_per_minute=100000").split()[-1]
    listed = server.cli("keys", "list")
    assert "2 requests/day" in listed
    client = clients.sdk(server, key=key)
    client.models.list()
    for _ in range(2):
        client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hello"}])
    with pytest.raises(openai.RateLimitError):
        client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hello"}])
    key_id = next(word for word in listed.split() if word.startswith("key_"))
    assert "5 requests/day" in server.cli("keys", "limit", key_id, "requests_per_day=5")
    assert "no limits" in server.cli("keys", "limit", key_id, "requests_per_day=none", "tokens_per_minute=none")
    with pytest.raises(RuntimeError, match="There is no limit 'colours'"):
        server.cli("keys", "limit", "default", "colours=1")
    eventually(lambda: "script" in server.cli("usage", "--by", "model") and " 2 " in server.cli("usage"))


async def results(app: AppInMemory, client: openai.AsyncOpenAI, **asked: Any) -> list[Any]:
    """Of completions, in all buckets."""
    await app.app.meter.settle()
    found = await client.admin.organization.usage.completions(start_time=int(EPOCH), **asked)
    return [result for bucket in found.data for result in bucket.results]
