"""An eval's run whose worker dies goes on where it was: each item is recorded once, and counts are the fold of the items."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from tests.engine.conftest import Place
from tests.engine.transactions import Transactions
from zhuli.store.learning import eval_items, eval_runs
from zhuli.store.learning.eval_runs import StoredRun
from zhuli.testing.app import AppInMemory
from zhuli.types.learning.eval_runs import EvalRunCreate, OutputItem
from zhuli.types.learning.evals import EvalCreate
from zhuli.types.page import PageParams

SCRIPT: dict[str, Any] = {
    "rules": [{"when": {"last": "^wait"}, "reply": [{"fault": "stall"}]}],
    "default": [{"text": "{last}"}],
}
ITEMS = 12
CRITERION = {
    "type": "string_check",
    "name": "same",
    "input": "{{sample.output_text}}",
    "reference": "{{item.text}}",
    "operation": "eq",
}
MESSAGES = {"type": "template", "template": [{"role": "user", "content": "{{item.text}}"}]}


async def begun(app: AppInMemory, texts: list[str], model: str = "script") -> StoredRun:
    config = {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True}
    made = EvalCreate.model_validate({"data_source_config": config, "testing_criteria": [CRITERION]})
    of = await app.app.learning.evals.create(app.project, made)
    content = [{"item": {"text": text}} for text in texts]
    source = {"type": "file_content", "content": content}
    body = {"data_source": {"type": "completions", "model": model, "input_messages": MESSAGES, "source": source}}
    return await app.app.learning.evals.create_run(app.project, of.id, EvalRunCreate.model_validate(body))


async def now(app: AppInMemory, run: StoredRun) -> StoredRun:
    return await app.app.database.run(eval_runs.get, app.project, run.record.eval_id, run.record.id)


async def ended(app: AppInMemory, run: StoredRun) -> StoredRun:
    async with asyncio.timeout(30):
        while (found := await now(app, run)).record.status not in ("completed", "failed", "canceled"):
            await asyncio.sleep(0.02)
    return found


async def outputs(app: AppInMemory, run: StoredRun) -> list[OutputItem]:
    page = PageParams(limit=100, order="asc")
    places = await app.app.database.run(eval_items.places, app.project, run.record.id, page, None)
    bodies = [*places.first, *await app.app.database.run(_bodies, places)]
    return [OutputItem.model_validate_json(body) for body in bodies]


def _bodies(connection: Any, places: Any) -> list[str]:
    from zhuli.store import collections

    return collections.bodies(connection, places.table, places.seqs[collections.READ_AT_ONCE :])


@pytest.mark.parametrize("storage", ["sqlite", "postgres"])
async def test_a_run_goes_on_wherever_its_worker_died(place: Place) -> None:
    texts = [f"text {number}" for number in range(ITEMS)]
    async with place.app(SCRIPT, work=False) as app:
        run = await begun(app, texts)
    for number in (1, 2, 4, 5):  # one fewer than a run may cost; about: taken up, emptied, all read, some recorded
        async with place.app(SCRIPT) as app:
            transactions = Transactions(app.app.database)
            transactions.die_before(number) if number % 2 else transactions.die_after(number)
            async with asyncio.timeout(30):
                while not transactions.dead and (await now(app, run)).record.status != "completed":
                    await asyncio.sleep(0.02)
        place.clock.move(120)
    async with place.app(SCRIPT) as app:
        record = (await ended(app, run)).record
        found = await outputs(app, run)
        asked = Counter(prompt["messages"][-1]["content"] for prompt in app.prompts())
    assert record.status == "completed" and record.error is None
    assert [output.datasource_item_id for output in found] == list(range(ITEMS))
    assert [output.datasource_item["text"] for output in found] == texts
    counts = record.result_counts
    assert (counts.total, counts.passed, counts.failed, counts.errored) == (ITEMS, ITEMS, 0, 0)
    assert record.per_model_usage[0].invocation_count == ITEMS
    assert set(asked) == set(texts)


@pytest.mark.parametrize("storage", ["sqlite"])
async def test_an_assistant_whose_worker_died_is_not_asked_twice(place: Place) -> None:
    async with place.app(SCRIPT, work=False) as app:
        assistant = await app.assistant()
        run = await begun(app, ["one", "two"], model=assistant.id)
    async with place.app(SCRIPT) as app:
        transactions = Transactions(app.app.database)
        transactions.die_after(14)
        async with asyncio.timeout(30):
            while not transactions.dead and (await now(app, run)).record.status != "completed":
                await asyncio.sleep(0.02)
    place.clock.move(120)
    async with place.app(SCRIPT) as app:
        record = (await ended(app, run)).record
        prompts = [prompt["messages"][-1]["content"] for prompt in app.prompts()]
    assert (record.result_counts.passed, record.result_counts.total) == (2, 2)
    assert sorted(set(prompts)) == ["one", "two"]


@pytest.mark.parametrize("storage", ["sqlite"])
async def test_a_run_is_put_back_when_its_server_stops_and_ends_when_it_is_cancelled(place: Place) -> None:
    async with place.app(SCRIPT) as app:
        run = await begun(app, ["quick", "wait for ever"])
        async with asyncio.timeout(30):
            while not (await now(app, run)).record.result_counts.passed:
                await asyncio.sleep(0.02)
    async with place.app(SCRIPT) as app:
        async with asyncio.timeout(30):
            while (await now(app, run)).record.status != "in_progress" or len(app.prompts()) < 3:
                await asyncio.sleep(0.02)
        cancelled = await app.app.learning.evals.cancel_run(app.project, run.record.eval_id, run.record.id)
        assert cancelled.record.status == "canceled"
        await asyncio.sleep(1.2)
        assert (await now(app, run)).record.result_counts.passed == 1
        assert not app.app.learning.eval_handler._going
    assert [prompt["messages"][-1]["content"] for prompt in app.prompts()].count("quick") == 1


@pytest.mark.parametrize("storage", ["sqlite"])
async def test_a_run_that_takes_too_long_has_failed(place: Place) -> None:
    async with place.app(SCRIPT, eval_seconds=30) as app:
        run = await begun(app, ["wait"] * 8 + ["never reached"])
        async with asyncio.timeout(30):
            while len(app.prompts()) < 8:
                await asyncio.sleep(0.02)
        place.clock.move(60)
        record = (await ended(app, run)).record
    assert record.status == "failed" and record.error is not None
    assert record.error.code == "time_limit_exceeded"
