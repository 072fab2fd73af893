"""Stories of runs with a domain: what the log holds of the understanding, who speaks, and what a death at any commit leaves."""

import asyncio
from typing import Any

import orjson
import pytest
from sqlalchemy import Connection, select

from tests.engine import invariants
from tests.engine.conftest import Place
from tests.engine.knowledge.test_searching import SEARCHED_FIRST, TOWER, Shelf, ask
from tests.engine.scripts import BEGUN, CALLED, COMPLETED, OPENED, SAID, SPEAKING, SUBMITTED, says
from tests.engine.transactions import Transactions
from tests.engine.understanding.stalling_understander import reads
from tests.engine.workers import claim, handler, play_on
from tests.harness.farm import Storage
from tests.harness.restaurant import BOOK, RESTAURANT
from zhuli.core.ids import new_id
from zhuli.store import collections, schema
from zhuli.store.assistants import runs
from zhuli.store.understanding import understandings
from zhuli.testing.app import AppInMemory, told
from zhuli.types.assistants.event import UNDERSTOOD, Change, RunEvent
from zhuli.types.assistants.message import Message
from zhuli.types.assistants.run import Run
from zhuli.types.understanding.domain import Domain
from zhuli.types.understanding.understanding import DialogueState, Understanding
from zhuli.understanding.dialogue.thread_states import state_of

UNDERSTOOD_BEGUN = [*BEGUN, "zhuli.understood"]
LEASE = 15
MOST = 40
"""More transactions than the story has."""

EVERY: dict[Storage, int] = {"sqlite": 1, "postgres": 5}
"""Which of them are taken: starting an app costs more there, and what the server does is the same."""


async def domain_of(app: AppInMemory, **changes: Any) -> str:
    """A new domain like RESTAURANT; its id."""
    made = Domain.model_validate({**RESTAURANT, **changes, "id": new_id("dom"), "created_at": 1})
    await app.app.database.run(collections.insert, schema.domains, app.project, made)
    return made.id


async def state(app: AppInMemory, thread: str) -> DialogueState:
    return await app.app.database.run(state_of, thread)


async def rows(app: AppInMemory, thread: str) -> list[Understanding]:
    return await app.app.database.run(understandings.of_thread, thread)


async def users_messages(app: AppInMemory, thread: str) -> list[Message]:
    """Oldest first."""
    return await app.app.database.run(_users_messages, thread)


def _users_messages(connection: Connection, thread: str) -> list[Message]:
    table = schema.messages
    query = select(table.c.body).where(table.c.thread_id == thread, table.c.run_id.is_(None)).order_by(table.c.seq)
    return [Message.model_validate_json(body) for body in connection.execute(query).scalars()]


async def answer(app: AppInMemory, run: Run) -> str:
    """What the run said, its last message."""
    block: Any = (await app.messages(run))[-1].content[0]
    return str(block.text.value)


def understood_in(log: list[RunEvent]) -> list[dict[str, Any]]:
    return [orjson.loads(event.data) for event in log if event.name == UNDERSTOOD]


class TestWhoSpeaks:
    async def test_the_policy_answers_as_a_model_would(self, place: Place) -> None:
        async with place.app(says("Never asked.")) as app:
            run = await app.run("hello", domain=await domain_of(app))
            log = await invariants.check(app, run)
            expected = [*UNDERSTOOD_BEGUN, *SPEAKING, "message.delta: Welcome to Luzhou.", *SAID, *COMPLETED]
            assert told(log) == expected
            assert run.status == "completed" and run.usage is not None and run.usage.total_tokens == 0
            assert not app.prompts()

    async def test_where_it_lets_the_model_talk_the_model_knows_the_state(self, place: Place) -> None:
        async with place.app(says("Two cooks meet.")) as app:
            thread = await app.thread("For later: hello")
            run = await app.run("a joke please", thread=thread, domain=await domain_of(app), instructions="Speak.")
            await invariants.check(app, run)
            [prompt] = app.prompts()
            roles = [message["role"] for message in prompt["messages"]]
            assert roles == ["system", "user", "system", "user"]
            assert "Be brief." in prompt["messages"][2]["content"] and "chat" in prompt["messages"][2]["content"]
            assert await answer(app, run) == "Two cooks meet."

    async def test_a_run_can_switch_it_off(self, place: Place) -> None:
        async with place.app(says("Hi.")) as app:
            assistant = await app.assistant(domain=await domain_of(app))
            run = await app.run("hello", assistant_id=assistant.id, domain="none")
            assert await app.story(run) == [*BEGUN, *SPEAKING, "message.delta: Hi.", *SAID, *COMPLETED]
            assert run.domain is None and "domain" not in run.model_dump(mode="json")
            on = await app.run("hello", assistant_id=assistant.id)
            assert on.domain == assistant.domain and await answer(app, on) == "Welcome to Luzhou."

    async def test_a_form_is_filled_over_runs_and_calls_the_clients_function(self, place: Place) -> None:
        async with place.app(says("Never asked.")) as app:
            domain, thread = await domain_of(app), await app.thread()
            asked = [await app.run(text, thread=thread, domain=domain, tools=[BOOK]) for text in ("a table", "4")]
            assert [await answer(app, run) for run in asked] == ["For how many people?", "Where?"]
            run = await app.run("terrace", thread=thread, domain=domain, tools=[BOOK])
            assert run.status == "requires_action" and run.required_action is not None
            [call] = run.required_action.submit_tool_outputs.tool_calls
            assert orjson.loads(call.function.arguments) == {"people": 4, "seat": "terrace"}
            run = await app.rest(await app.submit(run, '{"number": 7}'))
            log = await invariants.check(app, run)
            called = [line for line in told(log) if not line.startswith("run.step.delta")]
            assert called == [
                *UNDERSTOOD_BEGUN,
                *OPENED,
                *CALLED,
                *SUBMITTED,
                *SPEAKING,
                "message.delta: Booked: number 7.",
                *SAID,
                *COMPLETED,
            ]
            assert not app.prompts()

    async def test_a_search_of_the_policy_comes_before_the_models_first_word(self, place: Place) -> None:
        shelf = Shelf(TOWER)
        async with place.app(says("78 metres.")) as app:
            domain = await domain_of(app)
            run = await ask(app, shelf, "How high is the tower?", domain=domain)
            expected = [*UNDERSTOOD_BEGUN, *SEARCHED_FIRST, *SPEAKING, "message.delta: 78 metres.", *SAID, *COMPLETED]
            assert await app.story(run) == expected
            assert shelf.asked[0]["queries"] == ["How high is the tower?"]
            [prompt] = app.prompts()
            assert TOWER in prompt["messages"][-1]["content"] and "look_up" in prompt["messages"][-2]["content"]
            without = await app.run("How high is the tower?", domain=domain)
            assert without.status == "completed"
            assert "file_search" in (await rows(app, without.thread_id))[-1].reasons[-1]

    async def test_a_function_that_the_run_does_not_offer_is_left_to_the_model(self, place: Place) -> None:
        async with place.app(says("I can't book.")) as app:
            domain, thread = await domain_of(app), await app.thread()
            for text in ("a table", "4"):
                await app.run(text, thread=thread, domain=domain)
            run = await app.run("terrace", thread=thread, domain=domain)
            assert run.status == "completed" and await answer(app, run) == "I can't book."
            assert "book_table" in (await rows(app, thread))[-1].reasons[-1]

    async def test_a_run_that_wants_json_gets_it_from_the_model(self, place: Place) -> None:
        async with place.app(says("{}")) as app:
            run = await app.run("hello", domain=await domain_of(app), response_format={"type": "json_object"})
            assert await answer(app, run) == "{}"
            assert "Welcome to Luzhou." in app.prompts()[0]["messages"][-2]["content"]

    async def test_a_thread_that_is_handed_over_is_not_answered_by_a_model(self, place: Place) -> None:
        async with place.app(says("Never asked.")) as app:
            domain, thread = await domain_of(app), await app.thread()
            run = await app.run("a person!", thread=thread, domain=domain)
            assert await answer(app, run) == "A colleague will be with you."
            await app.run("a joke please", thread=thread, domain=domain)
            assert (await state(app, thread)).handed_over and not app.prompts()


class TestWhatIsUnderstood:
    async def test_each_message_that_waits_in_order_and_the_last_decides(self, place: Place) -> None:
        async with place.app(says("Never asked.")) as app:
            run = await app.run("hello", "a table", "4", domain=await domain_of(app))
            log = await invariants.check(app, run)
            assert [item["text"] for item in understood_in(log)] == ["hello", "a table", "4"]
            assert await answer(app, run) == "Where?"
            assert (await state(app, run.thread_id)).turn == 3

    async def test_rows_state_and_messages_are_the_fold_of_the_log(self, place: Place) -> None:
        async with place.app(says("Never asked.")) as app:
            run = await app.run("a table for 2", domain=await domain_of(app))
            [event], [row] = understood_in(await app.log(run)), await rows(app, run.thread_id)
            assert event.pop("shown") is True
            assert row.model_dump(mode="json") == event
            [message] = await users_messages(app, run.thread_id)
            assert message.understanding is not None and message.understanding.id == row.id
            assert message.understanding.intent == row.intent and message.understanding.slots == {"people": 2}
            assert (await state(app, run.thread_id)).slots["people"].value == 2

    async def test_messages_do_not_show_it_if_the_domain_says_so(self, place: Place) -> None:
        async with place.app(says("Never asked.")) as app:
            run = await app.run("hello", domain=await domain_of(app, show=False))
            [message] = await users_messages(app, run.thread_id)
            assert message.understanding is None and "understanding" not in message.model_dump(mode="json")
            assert len(await rows(app, run.thread_id)) == 1

    async def test_a_run_without_a_new_message_is_the_models(self, place: Place) -> None:
        async with place.app(says("Go on.")) as app:
            domain = await domain_of(app)
            first = await app.run("hello", domain=domain)
            again = await app.run(thread=first.thread_id, domain=domain)
            assert await answer(app, again) == "Go on." and len(await rows(app, first.thread_id)) == 1

    async def test_a_message_whose_run_failed_is_not_understood_again_by_the_next(self, place: Place) -> None:
        async with place.app({"default": [{"fault": "refuse"}]}) as app:
            domain = await domain_of(app)
            failed = await app.run("a joke please", domain=domain)
            assert failed.status == "failed"
            again = await app.run(thread=failed.thread_id, domain=domain)
            assert again.status == "failed"
            assert [row.run_id for row in await rows(app, failed.thread_id)] == [failed.id]
            assert not understood_in(await app.log(again))

    async def test_another_domain_understands_anew_what_nobody_has_replied_to(self, place: Place) -> None:
        async with place.app({"default": [{"fault": "refuse"}]}) as app:
            failed = await app.run("a joke please", domain=await domain_of(app))
            other = await domain_of(app, understander={**RESTAURANT["understander"], "script": {"joke": "greet"}})
            again = await app.run(thread=failed.thread_id, domain=other)
            assert await answer(app, again) == "Welcome to Luzhou."
            assert [row.domain for row in await rows(app, failed.thread_id)] == [other]


class TestWhatGoesWrong:
    async def test_a_failing_understander_leaves_the_word_to_the_model(self, place: Place) -> None:
        async with place.app(says("Hi.")) as app:
            broken = {"type": RESTAURANT["understander"]["type"], "script": {"^hello": "no_such_intent"}}
            run = await app.run("hello", domain=await domain_of(app, understander=broken))
            assert run.status == "completed" and await answer(app, run) == "Hi."
            [row] = await rows(app, run.thread_id)
            assert row.intent is None and not row.changes and "no_such_intent" in row.reasons[0]

    async def test_a_broken_understander_leaves_the_word_to_the_model_and_tells_the_operator(
        self, place: Place, caplog: pytest.LogCaptureFixture
    ) -> None:
        broken = "tests.engine.understanding.broken_understander:Plugin"
        async with place.app(says("Hi."), understander_plugins=[broken]) as app:
            run = await app.run("hello", domain=await domain_of(app, understander={"type": broken}))
            assert run.status == "completed" and await answer(app, run) == "Hi."
            [row] = await rows(app, run.thread_id)
            assert row.reasons == ["The understander broke; the server's log says how."]
            assert "KeyError" in caplog.text

    async def test_a_domain_that_is_gone_fails_the_run_and_says_so(self, place: Place) -> None:
        async with place.app(says("Never asked.")) as app:
            domain = await domain_of(app)
            assistant = await app.assistant(domain=domain)
            await app.app.database.run(collections.remove, schema.domains, app.project, domain)
            run = await app.run("hello", assistant_id=assistant.id)
            assert run.status == "failed" and run.last_error is not None
            assert run.last_error.code == "invalid_prompt" and domain in run.last_error.message
            await invariants.check(app, run)

    async def test_a_cancel_while_it_is_understood_cancels(self, place: Place) -> None:
        stalling = "tests.engine.understanding.stalling_understander:Plugin"
        async with place.app(says("Never asked."), understander_plugins=[stalling]) as app:
            text = f"hello {new_id('greeting')}"
            run = await app.begin(text, domain=await domain_of(app, understander={"type": stalling}))
            await reads(text)
            await app.cancel(run)
            run = await app.rest(run)
            assert run.status == "cancelled" and not await rows(app, run.thread_id)
            await invariants.check(app, run)

    async def test_a_message_that_is_deleted_while_it_is_understood_leaves_nothing(self, place: Place) -> None:
        async with place.app(says("Never asked."), work=False) as app:
            domain = await domain_of(app)
            run = await app.begin("a table for 4", domain=domain)
            [message] = await users_messages(app, run.thread_id)
            understood = Understanding(
                id="und_1", created_at=1, domain=domain, version=1, text="a table for 4", message_id=message.id
            )
            await app.app.database.run(collections.remove, schema.messages, app.project, message.id)
            change = Change(UNDERSTOOD, {**understood.model_dump(mode="json"), "shown": True})
            await app.app.database.run(runs.record, run.id, [change], now=app.clock.now())
            assert not await rows(app, run.thread_id)

    async def test_a_lost_lease_writes_nothing(self, place: Place) -> None:
        async with place.app(says("Never asked."), work=False) as app:
            run = await app.begin("hello", domain=await domain_of(app))
            [stale] = await claim(app, "one", lease=1)
            app.clock.move(2)
            [fresh] = await claim(app, "two")
            await handler(app).handle(stale)
            assert not await rows(app, run.thread_id)
            await handler(app).handle(fresh)
            run = await app.rest(run)
            assert run.status == "completed" and len(await rows(app, run.thread_id)) == 1


async def test_a_death_before_any_commit_leaves_the_state_of_a_story_without_deaths(
    place: Place, storage: Storage
) -> None:
    async with place.app(says("Never asked.")) as app:
        expected = _without_ids(await state(app, (await play_story(app, await domain_of(app))).thread_id))
    for number in range(2, MOST, EVERY[storage]):
        if not await dies(place, number, expected):
            break
    assert number > 5, "the story has more commits than were enumerated"


async def play_story(app: AppInMemory, domain: str, thread: str | None = None) -> Run:
    run = await app.begin("a table for 4", "on the terrace", thread=thread, domain=domain, tools=[BOOK])
    return await play_on(app, run)


async def dies(place: Place, number: int, expected: dict[str, Any]) -> bool:
    """Play the story, die before commit `number`, recover, and compare."""
    async with place.app(says("Never asked.")) as app:
        domain, thread = await domain_of(app), await app.thread()
        transactions = Transactions(app.app.database)
        transactions.die_before(number)
        playing = asyncio.create_task(play_story(app, domain, thread))
        while not playing.done() and not transactions.dead:
            await asyncio.sleep(0.01)
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
        died = transactions.dead
    place.clock.move(LEASE + 1)
    async with place.app(says("Never asked.")) as app:
        for run in await app.app.database.run(_runs_of, thread):
            run = await play_on(app, run)
            log = await invariants.check(app, run)
            assert run.status == "completed", (number, told(log))
            texts = [item["text"] for item in understood_in(log)]
            assert texts == ["a table for 4", "on the terrace"], (number, told(log))
            assert len(await rows(app, thread)) == 2
            assert _without_ids(await state(app, thread)) == expected
            assert (await answer(app, run)).startswith("Booked: number")
    return died


def _runs_of(connection: Connection, thread: str) -> list[Run]:
    query = select(schema.runs.c.body).where(schema.runs.c.thread_id == thread)
    return [Run.model_validate_json(body) for body in connection.execute(query).scalars()]


def _without_ids(found: DialogueState) -> dict[str, Any]:
    """The state without the ids of its thread, domain and messages."""
    data = found.model_dump(mode="json", exclude={"thread_id", "domain"})
    for slot in data["slots"].values():
        for value in slot["history"]:
            value["message_id"] = None
    return data
