"""Stories of runs that call tools of the server: what the log reads, what the model hears, what a tool can't do to a run."""

import asyncio
import logging
from typing import Any

import orjson
import pytest

from tests.engine import invariants
from tests.engine.conftest import Place
from tests.engine.scripts import BEGUN, COMPLETED, OPENED, SAID, SPEAKING, call, tool
from tests.engine.tools.workshop import PLUGIN, Plugin
from zhuli.core.errors import ConfigurationError, InvalidRequest
from zhuli.testing.app import AppInMemory, app_in_memory
from zhuli.types.assistants.run import Run, RunCreate
from zhuli.types.assistants.step import ServerToolCall, ToolCallsDetails

WORKSHOP = {"type": "workshop"}
DOOR = {"workshop": {"plugin": PLUGIN}}


def script(*calls: dict[str, Any]) -> dict[str, Any]:
    """Calls, and says what the last output was."""
    return {"rules": [{"when": {"role": "tool"}, "reply": [{"text": "Heard: {last}"}]}], "default": list(calls)}


def make(**arguments: Any) -> dict[str, Any]:
    return call("workshop_make", arguments=arguments)


def workshop(app: AppInMemory, name: str = "workshop") -> Plugin:
    found = app.app.assistants.tools[name]
    assert isinstance(found, Plugin)
    return found


async def calls(app: AppInMemory, run: Run) -> list[Any]:
    [step] = [step for step in await app.steps(run) if step.type == "tool_calls"]
    assert isinstance(step.step_details, ToolCallsDetails)
    return step.step_details.tool_calls


async def output(app: AppInMemory, run: Run) -> str:
    """What the run's one call gave, which the model read and repeated."""
    assert run.status == "completed", run.last_error
    [made] = await calls(app, run)
    assert isinstance(made, ServerToolCall) and made.output is not None
    assert app.prompts()[-1]["messages"][-1] == {"role": "tool", "tool_call_id": made.id, "content": made.output}
    await invariants.check(app, run)
    return made.output


class TestARound:
    async def test_a_call_is_a_step_and_then_the_model_goes_on(self, place: Place) -> None:
        async with place.app(script(make(text="A chair.")), tools=DOOR) as app:
            run = await app.run("Make a chair", tools=[WORKSHOP])
            assert await app.story(run) == [
                *BEGUN,
                *OPENED,
                "run.step.delta: workshop",
                "zhuli.turn.ended",
                "zhuli.step.called",
                "zhuli.tools.begun",
                "run.step.delta: workshop",
                "zhuli.step.called",
                "run.step.completed",
                *SPEAKING,
                "message.delta: Heard: A chair.",
                *SAID,
                *COMPLETED,
            ]
            assert await output(app, run) == "A chair."
            [made] = await calls(app, run)
            assert made.model_dump() == {
                "id": made.id,
                "type": "workshop",
                "workshop": {"name": "workshop_make", "arguments": '{"text":"A chair."}', "output": "A chair."},
            }
            first = app.prompts()[0]
            assert [offered["function"]["name"] for offered in first["tools"]] == ["workshop_make"]

    async def test_the_log_tells_asked_from_begun_from_done(self, place: Place) -> None:
        async with place.app(script(make()), tools=DOOR) as app:
            run = await app.run("Make it", tools=[WORKSHOP])
            ours = [event for event in await app.log(run) if event.name.startswith("zhuli.")]
            assert [event.name for event in ours] == [
                "zhuli.turn.ended",
                "zhuli.step.called",
                "zhuli.tools.begun",
                "zhuli.step.called",
                "zhuli.turn.ended",
            ]
            asked, begun, done = (orjson.loads(event.data) for event in ours[1:4])
            assert asked["step_details"]["tool_calls"][0]["workshop"]["output"] is None
            assert begun == {"step_id": asked["id"], "calls": [0]}
            assert done["step_details"]["tool_calls"][0]["workshop"]["output"] == "Made."
            assert done["status"] == "in_progress"

    async def test_a_call_of_an_idempotent_tool_is_not_noted_when_it_begins(self, place: Place) -> None:
        door = {"workshop": {"plugin": PLUGIN, "idempotent": True}}
        async with place.app(script(make()), tools=door) as app:
            run = await app.run("Make it", tools=[WORKSHOP])
            assert await output(app, run) == "Made."
            names = [event.name for event in await app.log(run)]
            assert names.count("zhuli.step.called") == 1 and "zhuli.tools.begun" not in names

    async def test_the_step_shows_the_call_while_it_runs(self, place: Place) -> None:
        async with place.app(script(make(do="hang")), tools=DOOR) as app:
            run = await app.begin("Make it", tools=[WORKSHOP])
            await begun(app)
            [made] = await calls(app, run)
            [step] = await app.steps(run)
            assert (step.status, made.type, made.output) == ("in_progress", "workshop", None)
            assert made.given == {"do": "hang"}
            await app.cancel(run)
            await app.rest(run)

    async def test_followers_see_the_arguments_as_they_come_and_what_the_tool_shows(self, place: Place) -> None:
        shows = call("workshop_make", arguments={"do": "show"}, pieces=3)
        async with place.app(script(shows), tools=DOOR) as app:
            run = await app.run("Make it", tools=[WORKSHOP])
            log = await app.log(run)
            deltas = [orjson.loads(event.data)["delta"] for event in log if event.name == "thread.run.step.delta"]
            pieces = [piece for delta in deltas for piece in delta["step_details"]["tool_calls"]]
            assert {piece["type"] for piece in pieces} == {"workshop"} and pieces[0]["id"]
            assert pieces[0]["workshop"]["name"] == "workshop_make"
            assert "".join(piece["workshop"].get("arguments", "") for piece in pieces) == '{"do":"show"}'
            assert "".join(piece["workshop"].get("progress", "") for piece in pieces) == "half done"
            assert [piece["workshop"]["output"] for piece in pieces if "output" in piece["workshop"]] == [None, "Made."]
            [made] = await calls(app, run)
            assert made.body["progress"] == "half done"

    async def test_what_a_tool_shows_is_held_to_the_size_of_an_output(self, place: Place) -> None:
        async with place.app(script(make(do="show much")), tools=DOOR, tool_output_bytes=16_384) as app:
            run = await app.run("Make it", tools=[WORKSHOP])
            log = await app.log(run)
            deltas = [orjson.loads(event.data)["delta"] for event in log if event.name == "thread.run.step.delta"]
            pieces = [piece for delta in deltas for piece in delta["step_details"]["tool_calls"]]
            shown = [piece["workshop"]["progress"] for piece in pieces if "progress" in piece["workshop"]]
            assert shown == [f"{number:05}" * 1_000 for number in range(3)]
            assert await output(app, run) == "Made."

    async def test_a_tool_knows_for_whom_it_works_and_what_the_run_says_of_it(self, place: Place) -> None:
        async with place.app(script(make()), tools=DOOR) as app:
            run = await app.run("Make it", tools=[{"type": "workshop", "workshop": {"mends": True}}])
            [task] = workshop(app).tasks
            assert (task.project, task.thread_id, task.run_id) == (app.project, run.thread_id, run.id)
            assert (task.settings, task.words, task.stores) == ({"mends": True}, "Make it", [])
            offered = [function["function"]["name"] for function in app.prompts()[0]["tools"]]
            assert offered == ["workshop_make", "workshop_mend"]

    async def test_a_tool_may_keep_files_for_the_client(self, place: Place) -> None:
        async with place.app(script(make(do="file")), tools=DOOR) as app:
            run = await app.run("Make it", tools=[WORKSHOP])
            file_id = await output(app, run)
            assert b"".join([piece async for piece in app.app.blobs.read(file_id)]) == b"Made."

    async def test_later_runs_of_the_thread_read_what_was_called(self, place: Place) -> None:
        async with place.app(script(make(text="A chair.")), tools=DOOR) as app:
            run = await app.run("Make it", tools=[WORKSHOP])
            await app.run("And?", thread=run.thread_id)
            messages = app.prompts()[-1]["messages"]
            assert [message["role"] for message in messages] == ["user", "assistant", "tool", "assistant", "user"]
            assert messages[1]["tool_calls"][0]["function"]["name"] == "workshop_make"
            assert messages[2]["content"] == "A chair."

    async def test_tools_are_closed_with_the_server(self, place: Place) -> None:
        async with place.app(script(make()), tools=DOOR) as app:
            made = workshop(app)
        assert made.closed


class TestSeveralCalls:
    async def test_calls_of_a_turn_are_made_at_once(self, place: Place) -> None:
        both = script(make(do="hang"), make(text="Two."))
        async with place.app(both, tools=DOOR) as app:
            run = await app.begin("Make both", tools=[WORKSHOP])
            while [made.output for made in await calls_so_far(app, run)] != [None, "Two."]:
                await asyncio.sleep(0.01)
            await app.cancel(run)
            assert (await app.rest(run)).status == "cancelled"
            assert [made.output for made in await calls(app, run)] == [None, "Two."]
            await invariants.check(app, run)

    async def test_functions_of_the_client_are_asked_for_when_the_server_s_calls_are_done(self, place: Place) -> None:
        mixed = script(make(text="A chair."), call("paint", arguments={"colour": "red"}), make(text="A table."))
        async with place.app(mixed, tools=DOOR) as app:
            run = await app.run("Make and paint", tools=[WORKSHOP, tool("paint")])
            assert run.status == "requires_action" and run.required_action is not None
            [asked] = run.required_action.submit_tool_outputs.tool_calls
            assert asked.function.name == "paint"
            chair, paint, table = await calls(app, run)
            assert (chair.output, paint.function.output, table.output) == ("A chair.", None, "A table.")
            await invariants.check(app, run)
            run = await app.rest(await app.submit(run, "Red."))
            assert run.status == "completed"
            assert [made.type for made in await calls(app, run)] == ["workshop", "function", "workshop"]
            outputs = [message["content"] for message in app.prompts()[-1]["messages"] if message["role"] == "tool"]
            assert outputs == ["A chair.", "Red.", "A table."]
            assert len(workshop(app).journal()) == 2
            await invariants.check(app, run)

    async def test_two_tools_of_one_plugin_are_two_tools(self, place: Place) -> None:
        door = {"workshop": {"plugin": PLUGIN}, "smithy": {"plugin": PLUGIN}}
        async with place.app(script(make(text="1"), call("smithy_make", arguments={"text": "2"})), tools=door) as app:
            run = await app.run("Make both", tools=[WORKSHOP, {"type": "smithy"}])
            assert [(made.type, made.output) for made in await calls(app, run)] == [("workshop", "1"), ("smithy", "2")]


class TestWhatAToolDoes:
    async def test_an_error_is_told_to_the_model_without_what_was_in_it(
        self, place: Place, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.ERROR):
            async with place.app(script(make(do="raise")), tools=DOOR) as app:
                heard = await output(app, await app.run("Make it", tools=[WORKSHOP]))
        assert heard == "workshop_make failed (RuntimeError) and gave nothing."
        assert "password=secret" in caplog.text, "who operates the server must find out why"

    async def test_a_refusal_in_words_is_told_as_it_stands(self, place: Place) -> None:
        async with place.app(script(make(do="refuse")), tools=DOOR) as app:
            heard = await output(app, await app.run("Make it", tools=[WORKSHOP]))
            assert heard == "A workshop takes no Mondays."

    @pytest.mark.parametrize("do", ["hang", "not listen"])
    async def test_one_that_hangs_is_given_up(self, place: Place, do: str) -> None:
        async with place.app(script(make(do=do)), tools=DOOR, tool_seconds=0.2) as app:
            heard = await output(app, await app.run("Make it", tools=[WORKSHOP]))
            assert heard == "workshop_make took longer than 0.2 seconds."

    @pytest.mark.parametrize("do", ["exit", "give up"])
    async def test_one_that_wants_to_end_the_process_or_its_own_task_ends_neither(self, place: Place, do: str) -> None:
        async with place.app(script(make(do=do)), tools=DOOR) as app:
            assert await output(app, await app.run("Make it", tools=[WORKSHOP]))

    async def test_an_output_that_is_too_long_is_cut_between_characters(self, place: Place) -> None:
        async with place.app(script(make(do="say much")), tools=DOOR, tool_output_bytes=2000) as app:
            heard = await output(app, await app.run("Make it", tools=[WORKSHOP]))
            assert heard == "工" * 666 + "\n(Cut: the first 2000 of 300000 bytes.)"

    async def test_an_output_leaves_room_for_the_answer(self, place: Place) -> None:
        async with place.app(script(make(do="say much")), tools=DOOR, context_window=4096) as app:
            run = await app.run("Make it", tools=[WORKSHOP])
            assert len(await output(app, run)) < 3000

    async def test_a_call_that_is_too_large_to_keep_is_answered_instead(self, place: Place) -> None:
        async with place.app(script(make(do="keep much")), tools=DOOR) as app:
            run = await app.run("Make it", tools=[WORKSHOP])
            assert await output(app, run) == "workshop_make gave more than the server keeps."

    @pytest.mark.parametrize("arguments", ['{"do": ', "[1, 2]", '"make"'])
    async def test_arguments_that_are_no_json_object_do_not_reach_it(self, place: Place, arguments: str) -> None:
        async with place.app(script(call("workshop_make", arguments=arguments)), tools=DOOR) as app:
            heard = await output(app, await app.run("Make it", tools=[WORKSHOP]))
            assert heard.startswith("The arguments of workshop_make are not")
            assert workshop(app).tasks == []

    async def test_a_model_that_calls_in_circles_is_told_to_answer(self, place: Place) -> None:
        circles = {
            "rules": [{"when": {"tools": True, "choice": "auto"}, "reply": [make()]}],
            "default": [{"text": "Enough."}],
        }
        async with place.app(circles, tools=DOOR, tool_rounds=3) as app:
            run = await app.run("Make it", tools=[WORKSHOP])
            assert run.status == "completed"
            assert len(workshop(app).tasks) == 3 and app.prompts()[-1]["tool_choice"] == "none"

    async def test_a_model_that_never_stops_fails_the_run(self, place: Place) -> None:
        async with place.app({"default": [make()]}, tools=DOOR, tool_rounds=2) as app:
            run = await app.run("Make it", tools=[WORKSHOP])
            assert run.status == "failed" and run.last_error is not None
            assert "after 2 rounds" in run.last_error.message
            await invariants.check(app, run)


class TestTheRunIsStopped:
    async def test_cancelling_the_run_stops_the_tool(self, place: Place) -> None:
        async with place.app(script(make(do="hang")), tools=DOOR) as app:
            run = await app.begin("Make it", tools=[WORKSHOP])
            await begun(app)
            await app.cancel(run)
            run = await app.rest(run)
            assert run.status == "cancelled"
            assert [step.status for step in await app.steps(run)] == ["cancelled"]
            await invariants.check(app, run)

    async def test_a_run_expires_while_its_tool_hangs(self, place: Place) -> None:
        async with place.app(script(make(do="hang")), tools=DOOR) as app:
            run = await app.begin("Make it", tools=[WORKSHOP])
            await begun(app)
            app.clock.move(601)
            run = await app.rest(run)
            assert run.status == "expired"
            assert [step.status for step in await app.steps(run)] == ["expired"]
            await invariants.check(app, run)


class TestChoosing:
    @pytest.mark.parametrize(
        ("settings", "choice"),
        [({}, {"type": "function", "function": {"name": "workshop_make"}}), ({"mends": True}, "required")],
    )
    async def test_a_tool_that_is_named_must_be_called_first(
        self, place: Place, settings: dict[str, Any], choice: Any
    ) -> None:
        async with place.app(script(make()), tools=DOOR) as app:
            tools = [{"type": "workshop", "workshop": settings}]
            run = await app.run("Make it", tools=tools, tool_choice=WORKSHOP)
            assert run.status == "completed"
            assert [prompt["tool_choice"] for prompt in app.prompts()] == [choice, "auto"]

    async def test_with_the_choice_none_nothing_of_it_is_offered(self, place: Place) -> None:
        async with place.app({"default": [{"text": "No."}]}, tools=DOOR) as app:
            run = await app.run("Make it", tools=[WORKSHOP], tool_choice="none")
            assert run.status == "completed" and app.prompts()[0]["tools"] == []


class TestSaying:
    @pytest.mark.parametrize(
        ("tools", "said"),
        [
            (
                [{"type": "smithy"}],
                "Invalid value: 'smithy'. Supported values are: 'code_interpreter', 'file_search', ",
            ),
            ([{"type": "workshop", "colour": {}}], "Unknown parameter: 'tools[0].colour'."),
            ([{"type": "workshop", "workshop": 1}], "Invalid type for 'tools[0].workshop'"),
            ([{"type": "workshop", "workshop": {"colour": 1}}], "A workshop does not know colour."),
            (
                [{"type": "workshop", "workshop": {"broken": True}}],
                "The tool 'workshop' can't be used now. The workshop",
            ),
            ([tool("workshop_make"), WORKSHOP], "the tool 'workshop' has a function 'workshop_make', and so has"),
            ([WORKSHOP, WORKSHOP], "the tool 'workshop' has a function 'workshop_make', and so has a function of"),
        ],
    )
    async def test_what_can_not_be_is_refused_when_the_run_is_made(self, tools: list[Any], said: str) -> None:
        async with app_in_memory(script(make()), tools=DOOR) as app:
            with pytest.raises(InvalidRequest) as refused:
                await app.begin("Make it", tools=tools)
            assert said in refused.value.message

    async def test_one_that_never_says_its_functions_is_refused_in_time(self) -> None:
        async with app_in_memory(script(make()), tools=DOOR, tool_seconds=0.1) as app:
            with pytest.raises(InvalidRequest, match="The tool 'workshop' can't be used now") as refused:
                await app.begin("Make it", tools=[{"type": "workshop", "workshop": {"slow": True}}])
            assert (refused.value.code, refused.value.param) == ("tool_unavailable", "tools[0].type")

    async def test_a_choice_of_a_tool_that_is_not_there_is_refused(self) -> None:
        async with app_in_memory(script(make()), tools=DOOR) as app:
            with pytest.raises(InvalidRequest, match="Invalid value: 'smithy'"):
                await app.begin("Make it", tools=[WORKSHOP], tool_choice={"type": "smithy"})

    async def test_a_tool_that_went_away_ends_runs_that_wait_for_it_and_new_ones_are_refused(
        self, place: Place
    ) -> None:
        async with place.app(script(make()), tools=DOOR, work=False) as app:
            waiting = await app.begin("Make it", tools=[WORKSHOP])
        async with place.app(script(make())) as app:
            run = await app.rest(waiting)
            assert run.status == "failed" and run.last_error is not None
            assert "no tool 'workshop'" in run.last_error.message
            assistant = await app.assistant(tools=[WORKSHOP])
            assert assistant.tools[0].type == "workshop"
            await invariants.check(app, run)

    async def test_a_tool_that_can_not_say_its_functions_is_left_out_of_a_run(self, place: Place) -> None:
        async with place.app({"default": [{"text": "Without it."}]}, tools=DOOR) as app:
            assistant = await app.assistant(tools=[WORKSHOP])
            workshop(app).on_fire = True
            body = RunCreate(assistant_id=assistant.id)
            run = await app.rest(await app.app.assistants.runs.create(app.project, await app.thread("Hi"), body))
            assert run.status == "completed" and app.prompts()[0]["tools"] == []

    @pytest.mark.parametrize(
        ("tools", "said"),
        [
            ({"function": {"plugin": PLUGIN}}, "can't be called 'function'"),
            ({"a-b": {"plugin": PLUGIN}}, "can't be called 'a-b'"),
            ({"nowhere": {}}, "There is no tools plugin 'nowhere'"),
            ({"workshop": {"plugin": PLUGIN, "colour": "red"}}, "does not take colour"),
            ({"file_search": {"speed": 1}}, "file_search"),
        ],
    )
    async def test_an_operator_s_mistake_is_said_at_the_start(self, tools: dict[str, Any], said: str) -> None:
        with pytest.raises(ConfigurationError, match=said):
            async with app_in_memory({}, tools=tools):
                pass


async def begun(app: AppInMemory) -> None:
    """Until the workshop is at work."""
    async with asyncio.timeout(30):
        while not workshop(app).tasks:
            await asyncio.sleep(0.01)


async def calls_so_far(app: AppInMemory, run: Run) -> list[Any]:
    steps = [step.step_details for step in await app.steps(run) if step.type == "tool_calls"]
    return [call for details in steps if isinstance(details, ToolCallsDetails) for call in details.tool_calls]
