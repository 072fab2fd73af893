"""The recommender behind a chat, and what is left of it when a process dies: a list in a run, a training that is done once."""

from typing import Any

import pytest

from tests.engine.transactions import Died, Transactions
from zhuli.core.errors import Conflict
from zhuli.store import collections, jobs
from zhuli.store.applications import recommender as store
from zhuli.store.schema import recommender_trainings
from zhuli.testing.app import AppInMemory, app_in_memory
from zhuli.types.applications.recommender import (
    EventsCreate,
    ItemsCreate,
    RecommendationsCreate,
    RecommenderCreate,
    Training,
    TrainingCreate,
)

BOOKS = [("b1", "A book about chess"), ("b2", "Another book about chess"), ("b3", "A book about bread")]
CALL = {"tool_call": {"name": "recommend_items", "arguments": {"count": 1}}}
SCRIPT = {"rules": [{"when": {"role": "tool"}, "reply": [{"text": "Heard: {last}"}]}], "default": [CALL]}


async def recommender(app: AppInMemory, *, vectors: bool = True) -> str:
    """Three books, and Ann, who bought the first."""
    commands = app.app.applications.recommender.commands
    made = await commands.create(app.project, RecommenderCreate(name="books", embedder="hashed"))
    items = [{"id": id_, "text": text} for id_, text in BOOKS]
    await commands.put_items(app.project, made.id, ItemsCreate.model_validate({"data": items}))
    event = {"id": "e1", "user": "ann", "item": "b1", "kind": "buy", "at": 1.0}
    await commands.add_events(app.project, made.id, EventsCreate.model_validate({"data": [event]}))
    if vectors:
        await app.app.applications.recommender.vectors.make(made.id, "hashed")
    return made.id


async def test_a_chat_recommends_and_is_told_why() -> None:
    async with app_in_memory(SCRIPT) as app:
        tool: Any = {"type": "recommend", "recommend": {"recommender": await recommender(app), "user": "ann"}}
        run = await app.run("What shall I read?", tools=[tool])
        assert run.status == "completed", run.last_error
        [message] = [one for one in await app.messages(run) if one.role == "assistant"]
        said = message.model_dump_json()
        assert "Another book about chess (id b2)" in said and "Because you bought “A book about chess”" in said


async def test_a_process_that_dies_in_a_training_leaves_it_to_the_next() -> None:
    async with app_in_memory(SCRIPT, work=False) as app:
        room, id_ = app.app.applications.recommender, await recommender(app, vectors=False)
        training = await room.commands.train(app.project, id_, TrainingCreate())
        [job] = await app.app.database.run(
            jobs.claim, "worker", slots={store.TRAINING: 1}, now=app.clock.now(), lease=600.0
        )
        transactions = Transactions(app.app.database)
        transactions.die_before(3)  # with the vectors of the items made, and not kept
        with pytest.raises(Died):
            await room.trainings.handle(job)
        transactions.die_before(0)
        transactions.dead = False
        assert (await app.app.database.run(store.get, app.project, id_)).model is None
        begun = await training_of(app, training.id)
        assert (begun.status, begun.doing) == ("queued", "texts") and begun.started_at is not None
        await room.trainings.handle(job)
        assert (await app.app.database.run(store.get, app.project, id_)).model == training.id
        shown = await room.serving.recommend(app.project, id_, RecommendationsCreate(user="ann", limit=1))
        assert (shown.model, [one.item for one in shown.data]) == (training.id, ["b2"])
        done = await training_of(app, training.id)
        assert (done.status, done.progress, done.doing) == ("completed", 1.0, None)


async def training_of(app: AppInMemory, id_: str) -> Training:
    return await app.app.database.run(collections.get, recommender_trainings, Training, app.project, id_, {})


async def test_of_trainings_one_waits_and_the_next_joins_it() -> None:
    async with app_in_memory(SCRIPT, work=False) as app:
        room, id_ = app.app.applications.recommender, await recommender(app, vectors=False)
        first = await room.commands.train(app.project, id_, TrainingCreate())
        assert (await room.commands.train(app.project, id_, TrainingCreate())).id == first.id
        with pytest.raises(Conflict, match="waits already"):
            await room.commands.train(app.project, id_, TrainingCreate(seed=1))
        [job] = await app.app.database.run(
            jobs.claim, "worker", slots={store.TRAINING: 9}, now=app.clock.now(), lease=600.0
        )
        await app.app.database.run(store.take_up, job, now=1)
        second = await room.commands.train(app.project, id_, TrainingCreate(seed=1))  # what came since the first began
        assert second.id != first.id
        assert (await room.commands.train(app.project, id_, TrainingCreate(seed=1))).id == second.id
