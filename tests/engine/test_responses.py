"""Responses over the engine: numbers that never change, chains and branches as a model reads them, both APIs on one thread."""

import random
from typing import Any

import orjson
import pytest

from tests.engine.conftest import Place
from tests.engine.scripts import CALLS_THEN_ANSWERS, STALLS, call, says
from tests.harness.response_rules import ResponseRules
from zhuli.assistants.responses.events import ResponseEvents
from zhuli.core.errors import InvalidRequest
from zhuli.store import schema
from zhuli.store.assistants import responses, runs
from zhuli.testing.app import AppInMemory, app_in_memory
from zhuli.types.assistants.response import ConversationCreate, Response, ResponseCreate
from zhuli.types.assistants.run import Run
from zhuli.types.page import PageParams

Json = dict[str, Any]

FUNCTIONS = [{"type": "function", "name": name} for name in ("weather", "time")]
ALL = PageParams(limit=100, order="asc")
RETENTION = 3600


async def respond(app: AppInMemory, input: Any, **asked: Any) -> Response:
    """A response, when it has ended."""
    body = ResponseCreate.model_validate({"model": "script", "input": input, **asked})
    begun = await app.app.assistants.responses.create(app.project, body)
    await app.rest(begun.run)
    return await app.app.assistants.responses.get(app.project, begun.response_id, results=False)


def run_of(response: Response) -> str:
    return response.id.replace("resp_", "run_")


async def told(app: AppInMemory, response: Response) -> list[Json]:
    """The response's events, as a follower is told them now; held against what SDKs insist on."""
    begun = await app.app.assistants.responses.find(app.project, response.id)
    fold = ResponseEvents(begun.asked)
    events = [event for entry in await app.log(begun.run) for event in fold.feed(entry)]
    events = orjson.loads(orjson.dumps(events))
    assert fold.over
    return list(events)


def held(events: list[Json]) -> list[Json]:
    rules = ResponseRules(joined=False)
    problems = [problem for event in events for problem in rules.check(event["type"], event)]
    assert problems == []
    return events


def texts(prompt: Json) -> list[tuple[str, Any]]:
    return [(message["role"], message["content"]) for message in prompt["messages"]]


async def drop_pieces(app: AppInMemory, response: Response) -> None:
    app.clock.move(RETENTION * 2)
    dropped = await app.app.database.run(runs.drop_deltas, ended_before=app.clock.now())
    assert dropped > 0
    log = await app.log(await app.reload((await app.app.assistants.responses.find(app.project, response.id)).run))
    assert not any(event.name.endswith(".delta") for event in log)


@pytest.mark.parametrize(
    "script",
    [
        says("Well, ", "you ", "see."),
        says("Cut", finish="length"),
        says("Well, ", refusal="No."),
        {"default": [call("weather", arguments={"city": "Paris"}, pieces=3)]},
        {
            "default": [
                call("weather", arguments={"city": "Paris"}, pieces=3),
                call("time", arguments={"a": 1}, pieces=2),
            ]
        },
        CALLS_THEN_ANSWERS,
        {"default": [{"text": "Half"}, {"fault": "cut"}]},
    ],
)
async def test_events_keep_their_numbers_when_the_pieces_are_gone(script: Json) -> None:
    async with app_in_memory(script, stream_interval_ms=0) as app:
        response = await respond(app, "Hi", tools=FUNCTIONS)
        before = held(await told(app, response))
        assert before[-1]["response"] == response.model_dump(mode="json")
        await drop_pieces(app, response)
        after = await told(app, response)
        pieces = ("delta",)
        kept = [event for event in after if not event["type"].endswith(pieces)]
        was = [event for event in before if not event["type"].endswith(pieces)]
        calls = [event for event in kept if event["type"] == "response.function_call_arguments.done"]
        if len(calls) > 1:  # how many pieces each had is not known any more
            assert [event["type"] for event in kept] == [event["type"] for event in was]
            assert kept[-1] == was[-1]
        else:
            assert kept == was


async def test_a_dead_attempt_takes_back_what_it_began_to_say(place: Place) -> None:
    async with place.app({"default": [{"text": "Half of "}, STALLS]}) as app:
        body = ResponseCreate.model_validate({"model": "script", "input": "Hi", "background": True})
        begun = await app.app.assistants.responses.create(app.project, body)
        await app.until(begun.run, "thread.message.delta")
        seen = ResponseEvents(begun.asked)
        first = [event for entry in await app.log(begun.run) for event in seen.feed(entry)]
    async with place.app(says("All of it.")) as app:
        await app.rest(begun.run)
        response = await app.app.assistants.responses.get(app.project, begun.response_id, results=False)
        events = held(await told(app, response))
        assert events[: len(first)] == orjson.loads(orjson.dumps(first))
        broken, whole = response.output
        assert (broken["status"], broken["content"]) == ("incomplete", [])
        assert whole["content"][0]["text"] == "All of it."
        assert events[-1]["response"]["output"] == response.output


async def test_a_chain_is_one_thread_and_its_prompt_grows_at_its_end(place: Place) -> None:
    async with place.app(says("Yes.")) as app:
        first = await respond(app, "one", instructions="Be brief.")
        second = await respond(app, "two", previous_response_id=first.id)
        third = await respond(app, "three", previous_response_id=second.id)
        threads = {
            (await app.reload(Run.model_construct(id=run_of(each)))).thread_id for each in (first, second, third)
        }
        assert len(threads) == 1
        prompts = app.prompts()
        assert texts(prompts[0]) == [("system", "Be brief."), ("user", "one")]
        said = [("user", "one"), ("assistant", "Yes."), ("user", "two"), ("assistant", "Yes."), ("user", "three")]
        assert texts(prompts[2]) == said


async def test_branches_read_what_they_branched_off_from(place: Place) -> None:
    async with place.app(says("Yes.")) as app:
        root = await respond(app, "root")
        await respond(app, "left", previous_response_id=root.id)
        right = await respond(app, "right", previous_response_id=root.id)
        leaf = await respond(app, "leaf", previous_response_id=right.id, store=False)
        assert leaf.status == "completed"
        yes = ("assistant", "Yes.")
        assert texts(app.prompts()[-1]) == [("user", "root"), yes, ("user", "right"), yes, ("user", "leaf")]


async def test_outputs_reach_the_model_behind_their_calls_also_on_two_branches(place: Place) -> None:
    script = {**CALLS_THEN_ANSWERS, "rules": [{"when": {"role": "tool"}, "reply": [{"text": "Read."}]}]}
    async with place.app(script) as app:
        asked = await respond(app, "Weather and time?", tools=FUNCTIONS)
        calls = [item for item in asked.output if item["type"] == "function_call"]
        for words in (["sunny", "noon"], ["rainy", "night"]):
            given = [
                {"type": "function_call_output", "call_id": one["call_id"], "output": word}
                for one, word in zip(calls, words, strict=True)
            ]
            answered = await respond(app, given, previous_response_id=asked.id, tools=FUNCTIONS)
            assert answered.output[0]["content"][0]["text"] == "Read."
            _, called, *outputs = app.prompts()[-1]["messages"]
            assert called["content"] == "Let me look."
            assert [one["id"] for one in called["tool_calls"]] == [one["call_id"] for one in calls]
            assert [(one["tool_call_id"], one["content"]) for one in outputs] == [
                (one["call_id"], word) for one, word in zip(calls, words, strict=True)
            ]


async def test_what_does_not_fit_is_refused_unless_it_may_be_cut() -> None:
    async with app_in_memory(says("Yes."), context_window=400) as app:
        first = await respond(app, "word " * 200, truncation="auto")
        second = await respond(app, "word " * 200, previous_response_id=first.id)
        assert (second.status, second.error and second.error.code) == ("failed", "invalid_prompt")
        assert (
            await respond(app, "word " * 200, previous_response_id=first.id, truncation="auto")
        ).status == "completed"


async def test_what_nobody_read_of_a_passing_response_is_swept(place: Place) -> None:
    async with place.app(says("Yes.")) as app:
        body = ResponseCreate.model_validate({"model": "script", "input": "Hi", "store": False})
        begun = await app.app.assistants.responses.create(app.project, body)
        await app.rest(begun.run)
        await app.app.assistants.responses.sweep()
        assert await app.app.database.run(responses.find, app.project, begun.run.id) is not None
        app.clock.move(61)
        await app.app.assistants.responses.sweep()
        assert await app.app.database.run(responses.find, app.project, begun.run.id) is None
        left = [await app.app.database.run(_count, table) for table in (schema.threads, schema.messages, schema.runs)]
        assert left == [0, 0, 0]


def _count(connection: Any, table: Any) -> int:
    return len(connection.execute(table.select()).all())


class Both:
    """One thread, driven by either API at random; what is there is known from what was done."""

    def __init__(self, app: AppInMemory, seed: int) -> None:
        self.app = app
        self.dice = random.Random(seed)
        self.thread = ""
        self.waiting: list[Json] = []

    async def begin(self) -> None:
        made = await self.app.app.assistants.conversations.create(self.app.project, ConversationCreate())
        self.conversation, self.thread = made.id, made.id.replace("conv_", "thread_")

    async def step(self, number: int) -> None:
        if self.waiting:
            given = [{"type": "function_call_output", "call_id": id_["call_id"], "output": "x"} for id_ in self.waiting]
            await self._respond(given)
            return
        await self.dice.choice([self._run, self._say, self._delete, self._call_by_run])(f"turn {number}")

    async def _run(self, text: str) -> None:
        run = await self.app.run(text, thread=self.thread)
        assert run.status == "completed"

    async def _call_by_run(self, text: str) -> None:
        tools = [{"type": "function", "function": {"name": "weather"}}]
        run = await self.app.run(f"call {text}", thread=self.thread, tools=tools)
        with pytest.raises(InvalidRequest, match="Another process"):
            await self._respond("meanwhile")
        run = await self.app.rest(await self.app.submit(run, "sunny"))
        assert run.status == "completed"

    async def _say(self, text: str) -> None:
        await self._respond(self.dice.choice([text, f"call {text}", [{"role": "developer", "content": text}]]))

    async def _respond(self, input: Any) -> None:
        response = await respond(self.app, input, conversation=self.conversation, tools=FUNCTIONS[:1])
        assert response.status == "completed"
        held(await told(self.app, response))
        self.waiting = [item for item in response.output if item["type"] == "function_call"]

    async def _delete(self, _: str) -> None:
        listed = [item for item in await self.items() if item["type"] == "message"]
        if listed:
            chosen = self.dice.choice(listed)["id"]
            await self.app.app.assistants.conversations.delete_item(self.app.project, self.conversation, chosen)

    async def items(self) -> list[Json]:
        found = await self.app.app.assistants.conversations.list_items(
            self.app.project, self.conversation, ALL, results=False
        )
        return found.data

    async def check(self) -> None:
        """Both see the same messages, calls and outputs, in one order, and pages forward and backward agree."""
        items = await self.items()
        messages, steps = await self.app.app.database.run(_on_thread, self.thread)
        talked = [item for item in items if item["type"] == "message" and item["role"] in ("user", "assistant")]
        assert [(item["id"], item["role"]) for item in talked] == [(one["id"], one["role"]) for one in messages]
        assert [_text(item) for item in talked] == [one["content"][0]["text"]["value"] for one in messages]
        called = [item["call_id"] for item in items if item["type"] == "function_call"]
        assert called == [one["id"] for step in steps for one in step["step_details"].get("tool_calls", ())]
        back = PageParams(limit=3, order="desc")
        found: list[Json] = []
        while True:
            page = await self.app.app.assistants.conversations.list_items(
                self.app.project, self.conversation, back, results=False
            )
            found += page.data
            if not page.has_more:
                break
            back = PageParams(limit=3, order="desc", after=page.data[-1]["id"])
        assert found == items[::-1]


def _on_thread(connection: Any, thread: str) -> tuple[list[Json], list[Json]]:
    messages, steps = schema.messages, schema.run_steps
    said = connection.execute(messages.select().where(messages.c.thread_id == thread).order_by(messages.c.seq))
    made = connection.execute(
        steps.select().where(steps.c.thread_id == thread, steps.c.run_id != "").order_by(steps.c.seq)
    )
    return [orjson.loads(row.body) for row in said], [orjson.loads(row.body) for row in made]


def _text(item: Json) -> str:
    return str(item["content"][0]["text"])


@pytest.mark.parametrize("seed", range(2))
async def test_both_apis_see_one_thread_alike_whatever_is_done(place: Place, seed: int) -> None:
    rules = [
        {"when": {"role": "tool"}, "reply": [{"text": "Read."}]},
        {"when": {"last": "call"}, "reply": [call("weather", arguments={})]},
    ]
    async with place.app({"rules": rules, "default": [{"text": "Yes, "}, {"text": "{last}"}]}) as app:
        both = Both(app, seed)
        await both.begin()
        for number in range(20):
            await both.step(number)
            await both.check()
