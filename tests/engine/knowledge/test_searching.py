"""Stories of runs that search files: where the search stands in the log, what the model reads of it, what is cited."""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from sqlalchemy import update

from tests.engine import invariants
from tests.engine.conftest import Place
from tests.engine.scripts import BEGUN, CALLED, COMPLETED, OPENED, SAID, SPEAKING, call, says, tool
from tests.engine.workers import working
from zhuli.assistants.runs.citations.passages import BEGIN, END
from zhuli.assistants.runs.commands import insert_thread
from zhuli.plugins.tools.file_search import Plugin
from zhuli.store import schema
from zhuli.store.knowledge import vector_stores
from zhuli.testing.app import AppInMemory
from zhuli.types.assistants.run import Run
from zhuli.types.assistants.thread import ThreadCreate
from zhuli.types.knowledge.passages import Found
from zhuli.types.knowledge.vector_store import VectorStoreCreate

FILE_SEARCH = {"type": "file_search"}
SEARCHES = call("file_search", arguments={"queries": ["height of the tower", "age of the tower"]}, pieces=3)
SEARCHED = [*OPENED, "run.step.delta: file_search", "zhuli.turn.ended", "zhuli.step.called", "run.step.completed"]
SEARCHED_FIRST = [*OPENED, "run.step.delta: file_search", "zhuli.step.called", "run.step.completed"]
TOWER = "The tower of Luzhou was built in 1412 and is 78 metres high. It stands by the river."
BRIDGE = "The old bridge has eleven arches. Its stones were brought from the western hills by boat."
CITED = "The tower of Luzhou was built in 1412【0:0†source】. "


class Shelf:
    """A search with these passages; remembers what it was asked. `wait`: held until it is set."""

    def __init__(self, *texts: str) -> None:
        self.asked: list[dict[str, Any]] = []
        self.wait: asyncio.Event | None = None
        self._texts = texts

    async def search(self, project: str, stores: Sequence[str], queries: Sequence[str], **more: Any) -> list[Found]:
        self.asked.append({"stores": list(stores), "queries": list(queries), **more})
        if self.wait is not None:
            await self.wait.wait()
        return [
            Found(n, stores[0], f"file_{n}", f"{n}.txt", 0.9 - n / 10, text, 0, len(text), page=n + 1)
            for n, text in enumerate(self._texts)
        ]


def file_search(shelf: Shelf) -> Plugin:
    services: Any = shelf  # of what a tool may use, it has the search
    return Plugin("file_search", {}, services)


async def with_store(app: AppInMemory, *, days: int | None = None) -> str:
    expires = {"anchor": "last_active_at", "days": days} if days else None
    body = VectorStoreCreate.model_validate({"expires_after": expires} if expires else {})
    now = int(app.clock.now())
    made = await app.app.database.run(vector_stores.create, app.project, body, embedder="hashed", now=now)
    return made.id


async def thread_with(app: AppInMemory, store: str) -> str:
    body = ThreadCreate.model_validate({"tool_resources": {"file_search": {"vector_store_ids": [store]}}})
    now = int(app.clock.now())
    return (await app.app.database.run(insert_thread, app.project, body, now, embedder="hashed")).id


async def ask(app: AppInMemory, shelf: Shelf, text: str, **fields: Any) -> Run:
    return await app.rest(await begin(app, shelf, text, **fields))


async def begin(app: AppInMemory, shelf: Shelf, text: str, *, store: str | None = None, **fields: Any) -> Run:
    app.app.assistants.engine.tools["file_search"] = file_search(shelf)
    thread = fields.pop("thread", None) or await thread_with(app, store or await with_store(app))
    return await app.begin(text, thread=thread, **{"tools": [FILE_SEARCH], **fields})


def script(*answer: dict[str, Any], first: Sequence[dict[str, Any]] = (SEARCHES,)) -> dict[str, Any]:
    """Searches, and answers when there are results."""
    return {"rules": [{"when": {"role": "tool"}, "reply": list(answer)}], "default": list(first)}


def annotations(deltas: list[dict[str, Any]]) -> list[dict[str, Any]]:
    pieces = [piece for delta in deltas for piece in delta["delta"]["content"]]
    return [note for piece in pieces for note in piece["text"].get("annotations", [])]


class TestCalledByTheModel:
    async def test_a_search_is_a_step_of_its_own_and_then_the_model_goes_on(self, place: Place) -> None:
        shelf = Shelf(TOWER, BRIDGE)
        async with place.app(script({"text": "It is high."})) as app:
            run = await ask(app, shelf, "How high is the tower?")
            assert run.status == "completed"
            expected = [*BEGUN, *SEARCHED, *SPEAKING, "message.delta: It is high.", *SAID, *COMPLETED]
            assert await app.story(run) == expected
            await invariants.check(app, run)
            searched = (await app.steps(run))[0].model_dump(mode="json")
            [made] = searched["step_details"]["tool_calls"]
            assert shelf.asked[0]["queries"] == ["height of the tower", "age of the tower"]
            assert made["file_search"]["ranking_options"] == {"ranker": "default_2024_08_21", "score_threshold": 0.0}
            assert [result["file_id"] for result in made["file_search"]["results"]] == ["file_0", "file_1"]
            assert searched["usage"] == {"prompt_tokens": searched["usage"]["prompt_tokens"]} | searched["usage"]

    async def test_the_model_reads_the_passages_as_quoted_material_with_marks(self, place: Place) -> None:
        async with place.app(script({"text": "Good."})) as app:
            await ask(app, Shelf(TOWER, BRIDGE), "How high?")
            first, second = app.prompts()
            assert [offered["function"]["name"] for offered in first["tools"]] == ["file_search"]
            output = second["messages"][-1]["content"]
            assert output.index(BEGIN) < output.index(TOWER) < output.index(BRIDGE) < output.index(END)
            assert "【0:0†source】 0.txt, page 1" in output and "【0:1†source】 1.txt, page 2" in output

    async def test_queries_that_can_not_be_read_are_the_users_words(self, place: Place) -> None:
        shelf = Shelf(TOWER)
        broken = call("file_search", arguments='{"queries": [')
        async with place.app(script({"text": "Good."}, first=[broken])) as app:
            await ask(app, shelf, "How high is it?")
            assert shelf.asked[0]["queries"] == ["How high is it?"]

    async def test_searching_in_circles_ends(self, place: Place) -> None:
        async with place.app(
            {
                "rules": [{"when": {"tools": True, "choice": "auto"}, "reply": [SEARCHES]}],
                "default": [{"text": "Enough."}],
            }
        ) as app:
            run = await ask(app, Shelf(BRIDGE), "How high?")
            assert run.status == "completed"
            assert app.prompts()[-1]["tool_choice"] == "none"

    async def test_a_model_that_never_stops_fails_the_run(self, place: Place) -> None:
        async with place.app({"default": [SEARCHES]}) as app:
            run = await ask(app, Shelf(BRIDGE), "How high?")
            assert run.status == "failed" and run.last_error is not None
            assert "goes on searching" in run.last_error.message
            await invariants.check(app, run)

    async def test_beside_a_clients_function_the_search_is_done_first(self, place: Place) -> None:
        shelf = Shelf(TOWER)
        async with place.app(script({"text": "Both."}, first=[SEARCHES, call("weather")])) as app:
            run = await ask(app, shelf, "How high?", tools=[FILE_SEARCH, tool("weather")])
            assert run.status == "requires_action" and run.required_action is not None
            assert [c.function.name for c in run.required_action.submit_tool_outputs.tool_calls] == ["weather"]
            assert shelf.asked
            assert (await app.story(run))[-3:] == [*CALLED[:2], *CALLED[1:]][-3:]
            await app.submit(run, "Sunny")
            run = await app.rest(run)
            assert run.status == "completed"
            await invariants.check(app, run)
            assert [m["role"] for m in app.prompts()[-1]["messages"]] == ["user", "assistant", "tool", "tool"]

    async def test_the_next_run_does_not_read_the_passages_again(self, place: Place) -> None:
        async with place.app(script({"text": CITED})) as app:
            run = await ask(app, Shelf(TOWER), "How old is it?")
            await ask(app, Shelf(TOWER), "And how high?", thread=run.thread_id, tool_choice="none")
            texts = [str(message["content"]) for message in app.prompts()[-1]["messages"]]
            assert texts == ["How old is it?", "The tower of Luzhou was built in 1412. ", "And how high?"]


class TestSearchedFirst:
    @pytest.mark.parametrize("choice", [{"type": "file_search"}, "required"])
    async def test_a_forced_search_comes_before_the_first_turn(self, place: Place, choice: Any) -> None:
        shelf = Shelf(TOWER)
        async with place.app(says("It is high.")) as app:
            run = await ask(app, shelf, "How high is the tower?", tool_choice=choice)
            told = await app.story(run)
            assert told == [*BEGUN, *SEARCHED_FIRST, *SPEAKING, "message.delta: It is high.", *SAID, *COMPLETED]
            await invariants.check(app, run)
            [prompt] = app.prompts()
            assert shelf.asked[0]["queries"] == ["How high is the tower?"]
            [message] = prompt["messages"]
            assert message["role"] == "user" and message["content"].endswith("user:)\nHow high is the tower?")
            assert prompt["tool_choice"] == "auto"

    async def test_the_choice_none_searches_nothing(self, place: Place) -> None:
        shelf = Shelf(TOWER)
        async with place.app(says("No.")) as app:
            await ask(app, shelf, "How high?", tool_choice="none")
            assert not shelf.asked and app.prompts()[0]["tools"] == []


class TestCiting:
    async def test_a_marker_becomes_an_annotation_in_the_delta_that_carries_it(self, place: Place) -> None:
        pieces = [
            {"text": piece} for piece in ("The tower was built in 1412 【0", ":0†", "source】. 【7:7†source】", "End.")
        ]
        async with place.app(script(*pieces)) as app:
            run = await ask(app, Shelf(TOWER), "How old?")
            log = await invariants.check(app, run)
            [message] = await app.messages(run)
            text = message.model_dump(mode="json")["content"][0]["text"]
            assert text["value"] == "The tower was built in 1412 【0:0†source】. End."
            [note] = text["annotations"]
            assert text["value"][note["start_index"] : note["end_index"]] == note["text"] == "【0:0†source】"
            assert note["file_citation"] == {"file_id": "file_0", "quote": TOWER}
            deltas = [orjson.loads(event.data) for event in log if event.name == "thread.message.delta"]
            assert annotations(deltas) == [{"index": 0, **note}]

    async def test_a_model_that_writes_no_markers_is_cited_by_what_its_sentences_take(self, place: Place) -> None:
        answer = "The tower of Luzhou is 78 metres high. I like ice cream with nuts very much."
        async with place.app(script({"text": answer})) as app:
            run = await ask(app, Shelf(BRIDGE, TOWER), "How high?")
            [message] = await app.messages(run)
            text = message.model_dump(mode="json")["content"][0]["text"]
            assert text["value"] == answer.replace("high.", "high.【0:1†source】")
            assert [note["file_citation"]["file_id"] for note in text["annotations"]] == ["file_1"]

    async def test_json_is_left_alone(self, place: Place) -> None:
        answer = '{"a": "The tower of Luzhou was built in 1412 and is 78 metres high."}'
        async with place.app(script({"text": answer})) as app:
            run = await ask(app, Shelf(TOWER), "How high?", response_format={"type": "json_object"})
            [message] = await app.messages(run)
            assert message.model_dump(mode="json")["content"][0]["text"] == {"value": answer, "annotations": []}


class TestCutOff:
    async def test_a_run_cancelled_while_it_searches_stops_at_once(self, place: Place) -> None:
        shelf = Shelf(TOWER)
        shelf.wait = asyncio.Event()
        async with place.app(script({"text": "Never."})) as app:
            run = await begin(app, shelf, "How high?")
            await app.until(run, "thread.run.step.delta")
            while not shelf.asked:
                await asyncio.sleep(0.01)
            await app.cancel(run)
            run = await app.rest(run)
            assert run.status == "cancelled"
            assert [step.status for step in await app.steps(run)] == ["cancelled"]

    async def test_a_worker_that_dies_while_searching_repeats_the_search_and_not_the_turn(self, place: Place) -> None:
        shelf = Shelf(TOWER)
        shelf.wait = asyncio.Event()
        async with place.app(script({"text": "High."})) as app:
            run = await begin(app, shelf, "How high?")
            while not shelf.asked:
                await asyncio.sleep(0.01)
        again = Shelf(TOWER)
        async with place.app(script({"text": "High."}), work=False) as app:
            app.app.assistants.engine.tools["file_search"] = file_search(again)
            async with working(app):
                run = await app.rest(run)
            assert run.status == "completed"
            assert len(app.prompts()) == 2 and len(again.asked) == 1
            assert [step.status for step in await app.steps(run)] == ["completed", "completed"]
            await invariants.check(app, run)


class TestStores:
    async def test_an_expired_store_of_the_thread_fails_the_run_and_says_why(self, place: Place) -> None:
        async with place.app(says("Never.")) as app:
            store = await with_store(app, days=1)
            thread = await thread_with(app, store)
            app.clock.move(2 * 86_400)
            run = await ask(app, Shelf(TOWER), "How high?", thread=thread)
            assert run.status == "failed" and run.last_error is not None
            assert store in run.last_error.message and "expired" in run.last_error.message

    async def test_without_any_store_the_model_hears_that_nothing_was_found(self, place: Place) -> None:
        shelf = Shelf(TOWER)
        async with place.app(script({"text": "Sorry."})) as app:
            await ask(app, shelf, "How high?", thread=await app.thread())
            assert not shelf.asked
            assert "found nothing" in app.prompts()[-1]["messages"][-1]["content"]

    async def test_passages_that_do_not_fit_stay_out(self, place: Place) -> None:
        long = Shelf(*(f"Passage {n}. " + "The river was low that year. " * 60 for n in range(8)))
        async with place.app(script({"text": "Good."}), context_window=4096) as app:
            run = await ask(app, long, "What of the river?")
            assert run.status == "completed"
            [made] = (await app.steps(run))[0].model_dump(mode="json")["step_details"]["tool_calls"]
            assert 1 <= len(made["file_search"]["results"]) < 5
            assert long.asked[0]["most"] == 5

    async def test_a_run_waits_for_its_threads_store(self, place: Place) -> None:
        async with place.app(script({"text": "Good."})) as app:
            store = await with_store(app)
            await app.app.database.run(_working, store, "in_progress")
            run = await begin(app, Shelf(TOWER), "How high?", store=store)
            await app.until(run, "thread.run.in_progress")
            await asyncio.sleep(0.3)
            assert not app.prompts()
            await app.app.database.run(_working, store, "completed")
            assert (await app.rest(run)).status == "completed"


def _working(connection: Any, store: str, status: str) -> None:
    """A file of the store with this status."""
    row = {"id": f"{store}/file_1", "project_id": "p", "body": "{}", "vector_store_id": store, "file_id": "file_1"}
    changed = connection.execute(
        update(schema.vector_store_files).where(schema.vector_store_files.c.id == row["id"]).values(status=status)
    )
    if not changed.rowcount:
        connection.execute(schema.vector_store_files.insert().values(**row, status=status))
