"""Stories of searches at their limits: budgets, a full prompt, a store that is never ready, a name that the client has taken."""

import asyncio
from typing import Any

import pytest

from tests.engine import invariants
from tests.engine.conftest import Place
from tests.engine.knowledge.test_searching import (
    FILE_SEARCH,
    SEARCHES,
    TOWER,
    Shelf,
    _working,
    ask,
    begin,
    script,
    with_store,
)
from tests.engine.scripts import call, says, tool
from zhuli.core.errors import Unavailable

LONG = [f"Passage {n}. " + "The river was low that year. " * 60 for n in range(8)]
SHORT = [f"Passage {n}. " + "The river was low that year. " * 15 for n in range(30)]
FORCED = {"type": "file_search"}


class TestRoom:
    async def test_passages_take_what_the_question_leaves_of_the_runs_budget(self, place: Place) -> None:
        question = "How low was the river? " * 60
        async with place.app(says("Very low.")) as app:
            run = await ask(app, Shelf(*LONG), question, tool_choice=FORCED, max_prompt_tokens=800)
            assert run.status == "completed"
            [made] = (await app.steps(run))[0].model_dump(mode="json")["step_details"]["tool_calls"]
            assert len(made["file_search"]["results"]) == 1

    async def test_a_long_question_leaves_room_for_the_answer(self, place: Place) -> None:
        question = "How low was the river? " * 350
        async with place.app(says("Very low."), context_window=4096) as app:
            run = await ask(app, Shelf(*LONG), question, tool_choice=FORCED)
            assert run.status == "completed"
            [prompt] = app.prompts()
            assert len(prompt["messages"][0]["content"]) < 3.5 * 3072

    @pytest.mark.parametrize("choice", [FORCED, "auto"])
    async def test_a_prompt_full_of_passages_still_lets_the_model_call_functions(
        self, place: Place, choice: Any
    ) -> None:
        rules = [{"when": {"role": "tool"}, "reply": [call("weather")]}]
        first = call("weather") if choice == FORCED else SEARCHES
        async with place.app({"rules": rules, "default": [first]}, context_window=4096) as app:
            tools = [FILE_SEARCH, tool("weather")]
            run = await ask(app, Shelf(*SHORT), "And the weather?", tools=tools, tool_choice=choice)
            assert run.status == "requires_action"
            prompt = app.prompts()[-1]
            assert prompt["tool_choice"] == "auto"
            assert [offered["function"]["name"] for offered in prompt["tools"]] == ["weather"]

    async def test_the_words_of_a_long_message_are_cut_to_a_query(self, place: Place) -> None:
        shelf = Shelf(TOWER)
        async with place.app(says("Yes.")) as app:
            await ask(app, shelf, "How high is it? " * 2000, tool_choice=FORCED)
            [query] = shelf.asked[0]["queries"]
            assert query.startswith("How high is it?") and len(query) == 2000


class TestStores:
    async def test_a_store_that_is_never_ready_is_waited_for_only_so_long(self, place: Place) -> None:
        shelf = Shelf(TOWER)
        async with place.app(script({"text": "Good."}), lease_seconds=1000) as app:
            store = await with_store(app)
            await app.app.database.run(_working, store, "in_progress")
            run = await begin(app, shelf, "How high?", store=store)
            await app.until(run, "thread.run.in_progress")
            app.clock.move(app.app.settings.thread_store_wait_seconds - 2)
            await asyncio.sleep(0.3)
            assert not app.prompts()
            app.clock.move(3)
            assert (await app.rest(run)).status == "completed"
            assert shelf.asked[0]["stores"] == [store]

    async def test_a_run_that_waits_for_a_store_can_be_cancelled(self, place: Place) -> None:
        async with place.app(says("Never.")) as app:
            store = await with_store(app)
            await app.app.database.run(_working, store, "in_progress")
            run = await begin(app, Shelf(TOWER), "How high?", store=store)
            await app.until(run, "thread.run.in_progress")
            await app.cancel(run)
            assert (await app.rest(run)).status == "cancelled"
            assert not app.prompts()

    async def test_an_index_that_does_not_answer_fails_the_run_and_says_so(self, place: Place) -> None:
        class Broken(Shelf):
            async def search(self, *_: Any, **__: Any) -> Any:
                raise Unavailable("The vector index's database does not answer.")

        async with place.app(script({"text": "Never."})) as app:
            run = await ask(app, Broken(), "How high?")
            assert run.status == "failed" and run.last_error is not None
            assert run.last_error.message == "The vector index's database does not answer."
            await invariants.check(app, run)


class TestAClientsOwnFunction:
    """One that is called file_search, beside the tool."""

    async def test_its_calls_are_the_clients_and_the_server_searches_first(self, place: Place) -> None:
        shelf = Shelf(*LONG)
        rules = [{"when": {"role": "tool"}, "reply": [{"text": "Both."}]}]
        story = {"rules": rules, "default": [call("file_search", arguments={"path": "/"})]}
        async with place.app(story, context_window=4096) as app:
            run = await ask(app, shelf, "What is in /?", tools=[FILE_SEARCH, tool("file_search")])
            assert run.status == "requires_action" and run.required_action is not None
            [wanted] = run.required_action.submit_tool_outputs.tool_calls
            assert (wanted.function.name, wanted.function.arguments) == ("file_search", '{"path":"/"}')
            assert shelf.asked[0]["queries"] == ["What is in /?"]
            await app.submit(run, "Two files")
            run = await app.rest(run)
            assert run.status == "completed" and len(shelf.asked) == 1
            kinds = [
                [made["type"] for made in step.model_dump(mode="json")["step_details"].get("tool_calls", [])]
                for step in await app.steps(run)
            ]
            assert kinds == [["file_search"], ["function"], []]
            await invariants.check(app, run)


async def test_another_process_reads_no_passages_of_earlier_runs(place: Place) -> None:
    first = [SEARCHES, call("weather")]
    async with place.app(script({"text": "Good."}, first=first)) as app:
        run = await ask(app, Shelf(TOWER), "How high?", tools=[FILE_SEARCH, tool("weather")])
        await app.submit(run, "Sunny")
        await app.rest(run)
    async with place.app(says("Fine.")) as app:
        await ask(app, Shelf(TOWER), "And now?", thread=run.thread_id, tool_choice="none")
        messages = app.prompts()[-1]["messages"]
        assert [message["role"] for message in messages] == ["user", "assistant", "tool", "assistant", "user"]
        assert [made["function"]["name"] for made in messages[1]["tool_calls"]] == ["weather"]
        assert messages[2]["content"] == "Sunny"
