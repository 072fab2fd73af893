"""What fails in a model, or in us, ends the run as failed, and its last_error says what happened to whom it concerns."""

import pytest

from tests.engine.invariants import check
from tests.engine.scripts import BEGUN, SPEAKING, TOOLS, call, says
from tests.engine.workers import working
from zhuli.testing.app import app_in_memory
from zhuli.types.assistants.message import TextBlock

FAILED = ["message.incomplete", "run.step.failed", "run.failed"]


@pytest.mark.parametrize(
    ("fault", "code", "says"),
    [
        ("refuse", "server_error", "refuses the connection"),
        ("rate_limit", "rate_limit_exceeded", "no capacity"),
        ("server_error", "server_error", "500"),
        ("cut", "server_error", "cut the stream"),
    ],
)
async def test_a_model_that_fails_at_once_fails_the_run(fault: str, code: str, says: str) -> None:
    async with app_in_memory({"default": [{"fault": fault}]}) as app:
        run = await app.run("Hi")
        assert await app.story(run) == [*BEGUN, "run.failed"]
        assert run.last_error is not None
        assert run.last_error.code == code
        assert says in run.last_error.message
        await check(app, run)


async def test_what_was_said_before_a_model_failed_is_kept_as_incomplete() -> None:
    async with app_in_memory({"default": [{"text": "Half "}, {"text": "a sent"}, {"fault": "cut"}]}) as app:
        run = await app.run("Hi")
        assert await app.story(run) == [*BEGUN, *SPEAKING, "message.delta: Half a sent", *FAILED]
        [message] = await app.messages(run)
        assert isinstance(message.content[0], TextBlock)
        assert message.content[0].text.value == "Half a sent"
        assert message.incomplete_details is not None
        assert message.incomplete_details.reason == "run_failed"
        [step] = await app.steps(run)
        assert step.last_error is not None
        assert step.last_error.message == "The scripted model cut the stream before its answer was complete."
        await check(app, run)


async def test_a_failed_answer_is_not_read_again_by_the_next_run() -> None:
    script = {
        "rules": [{"when": {"last": "first"}, "reply": [{"text": "Half a sent"}, {"fault": "cut"}]}],
        "default": [{"text": "Whole."}],
    }
    async with app_in_memory(script) as app:
        run = await app.run("first")
        await app.run("second", thread=run.thread_id)
        assert [message["content"] for message in app.prompts()[-1]["messages"]] == ["first", "second"]


async def test_a_bug_in_a_backend_fails_the_run_without_telling_the_client_of_our_insides() -> None:
    async with app_in_memory({"default": [{"text": "Half"}, {"fault": "bug"}]}) as app:
        run = await app.run("Hi")
        assert await app.story(run) == [*BEGUN, *SPEAKING, "message.delta: Half", *FAILED]
        assert run.last_error is not None
        assert run.last_error.code == "server_error"
        assert run.last_error.message == "The server had an internal error; its log says more."
        await check(app, run)


async def test_a_worker_goes_on_after_a_bug() -> None:
    script = {"rules": [{"when": {"last": "bug"}, "reply": [{"fault": "bug"}]}], **says("Fine.")}
    async with app_in_memory(script, worker_slots=1) as app:
        await app.run("bug")
        assert (await app.run("Hi")).status == "completed"


async def test_a_failure_after_tool_calls_keeps_what_was_finished() -> None:
    script = {
        "rules": [{"when": {"role": "tool"}, "reply": [{"fault": "server_error"}]}],
        "default": [call("time"), {"usage": {"prompt": 7, "completion": 3}}],
    }
    async with app_in_memory(script) as app:
        run = await app.run("Time?", tools=TOOLS)
        await app.submit(run, "noon")
        run = await app.rest(run)
        assert run.status == "failed"
        assert run.usage is not None
        assert run.usage.total_tokens == 10
        [step] = await app.steps(run)
        assert step.status == "completed"
        await check(app, run)


async def test_a_thread_is_free_again_after_a_failure() -> None:
    script = {"rules": [{"when": {"last": "break"}, "reply": [{"fault": "refuse"}]}], **says("Fine.")}
    async with app_in_memory(script) as app:
        run = await app.run("break")
        assert (await app.run("Hi", thread=run.thread_id)).status == "completed"


async def test_a_model_that_left_the_models_file_fails_the_run_by_name() -> None:
    async with app_in_memory(says("Hello."), work=False) as app:
        run = await app.begin("Hi")
        app.app.catalog.entries.clear()
        async with working(app):
            run = await app.rest(run)
        assert run.last_error is not None
        assert run.last_error.message == "The model 'script' is no longer in the models file."
        await check(app, run)
