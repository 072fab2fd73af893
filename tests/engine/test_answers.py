"""Given a scripted model, when the run goes its way, then the log reads so: answers, calls, choices and how models stop."""

from typing import Any

import orjson
import pytest

from tests.engine.invariants import check
from tests.engine.scripts import (
    BEGUN,
    CALLED,
    CALLS_THEN_ANSWERS,
    COMPLETED,
    OPENED,
    SAID,
    SPEAKING,
    SUBMITTED,
    TOOLS,
    call,
    says,
)
from zhuli.testing.app import AppInMemory, app_in_memory
from zhuli.types.assistants.message import Message, RefusalBlock, TextBlock
from zhuli.types.assistants.run import Run


def text_of(message: Message) -> str:
    [block] = message.content
    assert isinstance(block, TextBlock)
    return block.text.value


async def test_a_plain_answer_is_a_message_step_and_the_end() -> None:
    async with app_in_memory(says("Hello, ", "you.", usage={"prompt": 5, "completion": 7})) as app:
        run = await app.run("Hi")
        assert await app.story(run) == [*BEGUN, *SPEAKING, "message.delta: Hello, you.", *SAID, *COMPLETED]
        await check(app, run)
        [message], [step] = await app.messages(run), await app.steps(run)
        assert (run.status, text_of(message)) == ("completed", "Hello, you.")
        assert run.usage is not None
        assert run.usage == step.usage
        assert (run.usage.prompt_tokens, run.usage.completion_tokens, run.usage.total_tokens) == (5, 7, 12)


async def test_reasoning_is_thought_and_not_said() -> None:
    script = {"default": [{"reasoning": "They said hi."}, {"text": "Hello."}]}
    async with app_in_memory(script) as app:
        run = await app.run("Hi")
        assert await app.story(run) == [*BEGUN, *SPEAKING, "message.delta: Hello.", *SAID, *COMPLETED]
        await check(app, run)


async def test_a_model_that_says_nothing_has_said_the_empty_message() -> None:
    async with app_in_memory({"default": [{"reasoning": "Better be silent."}]}) as app:
        run = await app.run("Hi")
        assert await app.story(run) == [*BEGUN, *SPEAKING, *SAID, *COMPLETED]
        await check(app, run)
        assert [text_of(message) for message in await app.messages(run)] == [""]


async def test_a_refusal_is_a_refusal_block_in_deltas_and_message() -> None:
    async with app_in_memory({"default": [{"refusal": "I can't "}, {"refusal": "do that."}]}) as app:
        run = await app.run("Do it")
        assert await app.story(run) == [*BEGUN, *SPEAKING, "message.delta: I can't do that.", *SAID, *COMPLETED]
        await check(app, run)
        [message] = await app.messages(run)
        assert message.content == [RefusalBlock(refusal="I can't do that.")]
        deltas = [orjson.loads(event.data) for event in await app.log(run) if event.name == "thread.message.delta"]
        assert {piece["type"] for delta in deltas for piece in delta["delta"]["content"]} == {"refusal"}


async def test_text_then_two_parallel_calls_then_submit_then_text() -> None:
    async with app_in_memory(CALLS_THEN_ANSWERS) as app:
        run = await app.run("Weather and time?", tools=TOOLS)
        asked = [
            *BEGUN,
            *SPEAKING,
            "message.delta: Let me look.",
            *SAID,
            *OPENED,
            'run.step.delta: weather{"city":"Paris"} time{}',
            *CALLED,
        ]
        assert await app.story(run) == asked
        assert run.required_action is not None
        calls = run.required_action.submit_tool_outputs.tool_calls
        assert [(one.function.name, one.function.arguments) for one in calls] == [
            ("weather", '{"city":"Paris"}'),
            ("time", "{}"),
        ]
        await app.submit(run, "sunny", "noon")
        run = await app.rest(run)
        answered = [*SUBMITTED, *SPEAKING, "message.delta: Outputs read: noon", *SAID, *COMPLETED]
        assert await app.story(run) == [*asked, *answered]
        await check(app, run)
        assert app.prompts()[-1]["messages"][-3:] == [
            {
                "role": "assistant",
                "content": "Let me look.",
                "tool_calls": [
                    {
                        "id": calls[0].id,
                        "type": "function",
                        "function": {"name": "weather", "arguments": '{"city":"Paris"}'},
                    },
                    {"id": calls[1].id, "type": "function", "function": {"name": "time", "arguments": "{}"}},
                ],
            },
            {"role": "tool", "tool_call_id": calls[0].id, "content": "sunny"},
            {"role": "tool", "tool_call_id": calls[1].id, "content": "noon"},
        ]


async def test_the_usage_of_a_run_is_the_sum_over_its_turns() -> None:
    script = {
        "rules": [
            {"when": {"role": "tool"}, "reply": [{"text": "Done."}, {"usage": {"prompt": 300, "completion": 20}}]}
        ],
        "default": [{"text": "Look."}, call("time"), {"usage": {"prompt": 100, "completion": 10}}],
    }
    async with app_in_memory(script) as app:
        run = await app.run("Time?", tools=TOOLS)
        assert run.usage is None
        await app.submit(run, "noon")
        run = await app.rest(run)
        assert run.usage is not None
        assert (run.usage.prompt_tokens, run.usage.completion_tokens, run.usage.total_tokens) == (400, 30, 430)
        assert [step.usage.total_tokens if step.usage else None for step in await app.steps(run)] == [0, 110, 320]
        await check(app, run)


@pytest.mark.parametrize(
    ("choice", "first", "later"),
    [
        ("auto", "auto", "auto"),
        ("required", "required", "auto"),
        ("none", "none", "none"),
        (
            {"type": "function", "function": {"name": "time"}},
            {"type": "function", "function": {"name": "time"}},
            "auto",
        ),
    ],
)
async def test_a_forced_choice_holds_for_the_first_model_call_only(choice: Any, first: Any, later: Any) -> None:
    async with app_in_memory(CALLS_THEN_ANSWERS) as app:
        run = await app.run("Weather and time?", tools=TOOLS, tool_choice=choice)
        await app.submit(run, "sunny", "noon")
        await app.rest(run)
        assert [prompt["tool_choice"] for prompt in app.prompts()] == [first, later]


@pytest.mark.parametrize(
    ("finish", "reason", "end"),
    [("length", "max_tokens", "incomplete"), ("content_filter", "content_filter", "failed")],
)
async def test_a_message_that_the_model_broke_off_is_incomplete_and_says_why(
    finish: str, reason: str, end: str
) -> None:
    async with app_in_memory(says("As I was say", finish=finish)) as app:
        run = await app.run("Tell me")
        log = await app.story(run)
        assert log[-4] == "zhuli.turn.ended" if end == "failed" else log[-2] == "zhuli.turn.ended"
        assert (run.status, log[-1]) == (end, f"run.{end}")
        [message] = await app.messages(run)
        assert message.incomplete_details is not None
        assert (message.status, message.incomplete_details.reason, text_of(message)) == (
            "incomplete",
            reason,
            "As I was say",
        )
        await check(app, run)


async def test_a_call_that_was_cut_is_not_asked_of_the_client_nor_shown_to_a_model_again() -> None:
    script = {
        "rules": [{"when": {"last": "again"}, "reply": [{"text": "Fine."}]}],
        "default": [call("time", arguments='{"zone": "Eur'), {"finish": "length"}],
    }
    async with app_in_memory(script) as app:
        run = await app.run("Time?", tools=TOOLS)
        assert (run.status, run.required_action) == ("incomplete", None)
        await check(app, run)
        await app.run("And again", thread=run.thread_id)
        assert [message["role"] for message in app.prompts()[-1]["messages"]] == ["user", "user"]


class TestBudgets:
    """max_prompt_tokens and max_completion_tokens are of the whole run, not of a turn."""

    def spending(self, prompt: int, completion: int) -> dict[str, Any]:
        usage = {"usage": {"prompt": prompt, "completion": completion}}
        return {"default": [{"text": "Look."}, call("time"), usage]}

    async def again_and_again(self, app: AppInMemory, run: Run) -> Run:
        """Submit whatever is asked for, until the run ends."""
        while run.status == "requires_action":
            await app.submit(run, "noon")
            run = await app.rest(run)
        return run

    async def test_the_completion_budget_is_what_is_left_of_it(self) -> None:
        async with app_in_memory(self.spending(10, 100)) as app:
            run = await self.again_and_again(app, await app.run("Go", tools=TOOLS, max_completion_tokens=256))
            assert [prompt["max_tokens"] for prompt in app.prompts()] == [256, 156, 56]
            assert run.status == "incomplete"
            assert run.incomplete_details is not None
            assert run.incomplete_details.reason == "max_completion_tokens"
            await check(app, run)

    async def test_the_prompt_budget_is_what_is_left_of_it(self) -> None:
        async with app_in_memory(self.spending(150, 1)) as app:
            run = await self.again_and_again(app, await app.run("Go", tools=TOOLS, max_prompt_tokens=256))
            assert len(app.prompts()) == 2
            assert run.status == "incomplete"
            assert run.incomplete_details is not None
            assert run.incomplete_details.reason == "max_prompt_tokens"
            await check(app, run)

    async def test_a_question_larger_than_the_prompt_budget_is_not_asked(self) -> None:
        async with app_in_memory(says("Never said.")) as app:
            run = await app.run("word " * 2000, max_prompt_tokens=256)
            assert await app.story(run) == [*BEGUN, "run.incomplete"]
            assert app.prompts() == []
            await check(app, run)

    async def test_an_answer_longer_than_the_completion_budget_is_cut_and_marked(self) -> None:
        async with app_in_memory({"default": [{"text": "word ", "repeat": 400}]}) as app:
            run = await app.run("Talk", max_completion_tokens=256)
            [message] = await app.messages(run)
            assert len(text_of(message).split()) == 256
            assert (run.status, message.status) == ("incomplete", "incomplete")
            await check(app, run)
