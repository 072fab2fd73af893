"""The SDK's event handlers, sync and async: every callback fires as an app author expects (contract §3.1)."""

from collections import Counter
from typing import Any

import pytest
from openai import AssistantEventHandler, AsyncAssistantEventHandler, AsyncOpenAI, OpenAI

from tests.harness.stories import WEATHER

CALLBACKS = (
    "on_end",
    "on_event",
    "on_exception",
    "on_image_file_done",
    "on_message_created",
    "on_message_delta",
    "on_message_done",
    "on_run_step_created",
    "on_run_step_delta",
    "on_run_step_done",
    "on_text_created",
    "on_text_delta",
    "on_text_done",
    "on_timeout",
    "on_tool_call_created",
    "on_tool_call_delta",
    "on_tool_call_done",
)


class Handler(AssistantEventHandler):
    """Writes down what was called with what."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[str, Any]] = []
        for name in CALLBACKS:
            setattr(self, name, lambda *values, name=name: self.heard.append((name, values)))


class AsyncHandler(AsyncAssistantEventHandler):
    """Writes down what was called with what."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[str, Any]] = []
        for name in CALLBACKS:
            setattr(self, name, self._listener(name))

    def _listener(self, name: str) -> Any:
        async def listen(*values: Any) -> None:
            self.heard.append((name, values))

        return listen


def story(heard: list[tuple[str, Any]]) -> list[str]:
    """The callbacks in order, without on_event, with neighbouring equal ones as one."""
    names: list[str] = []
    for name, _ in heard:
        if name != "on_event" and names[-1:] != [name]:
            names.append(name)
    return names


ANSWERED = [
    "on_run_step_created",
    "on_message_created",
    "on_text_created",
    "on_text_delta",
    "on_message_delta",
    "on_text_done",
    "on_message_done",
    "on_run_step_done",
    "on_end",
]


def test_every_callback_of_an_answer(client: OpenAI) -> None:
    handler = Handler()
    thread, assistant = _begin(client, "tell a story")
    with client.beta.threads.runs.stream(thread_id=thread, assistant_id=assistant, event_handler=handler) as stream:
        stream.until_done()
        check_answer(handler.heard, stream.get_final_run(), stream.get_final_messages(), stream.get_final_run_steps())
        assert stream.current_run == stream.get_final_run()


async def test_every_callback_of_an_answer_async(aclient: AsyncOpenAI) -> None:
    handler = AsyncHandler()
    thread, assistant = await _begin_async(aclient, "tell a story")
    async with aclient.beta.threads.runs.stream(
        thread_id=thread, assistant_id=assistant, event_handler=handler
    ) as stream:
        await stream.until_done()
        check_answer(
            handler.heard,
            await stream.get_final_run(),
            await stream.get_final_messages(),
            await stream.get_final_run_steps(),
        )
        assert stream.current_run == await stream.get_final_run()


def check_answer(heard: list[tuple[str, Any]], run: Any, messages: list[Any], steps: list[Any]) -> None:
    counts = Counter(name for name, _ in heard)
    assert run.status == "completed"
    assert [message.content[0].text.value for message in messages] == ["Once upon a time."]
    assert [step.type for step in steps] == ["message_creation"]
    assert list(dict.fromkeys(story(heard))) == ANSWERED
    assert counts["on_text_delta"] == counts["on_message_delta"] > 1
    assert counts["on_exception"] == counts["on_timeout"] == counts["on_image_file_done"] == 0
    for name in ("on_message_created", "on_message_done", "on_text_created", "on_text_done", "on_end"):
        assert counts[name] == 1
    deltas = [values for name, values in heard if name == "on_text_delta"]
    assert "".join(delta.value for delta, _ in deltas) == "Once upon a time."
    assert deltas[-1][1].value == "Once upon a time."


def test_every_callback_of_functions_and_their_outputs(client: OpenAI) -> None:
    handler = Handler()
    thread, assistant = _begin(client, "look it up and say so")
    tools: list[Any] = [WEATHER]
    with client.beta.threads.runs.stream(
        thread_id=thread, assistant_id=assistant, tools=tools, event_handler=handler
    ) as stream:
        run = stream.get_final_run()
    outputs = check_calls(handler.heard, run)

    handler = Handler()
    with client.beta.threads.runs.submit_tool_outputs_stream(
        thread_id=thread, run_id=run.id, tool_outputs=outputs, event_handler=handler
    ) as stream:
        stream.until_done()
    check_outputs(handler.heard, stream.get_final_run())


async def test_every_callback_of_functions_and_their_outputs_async(aclient: AsyncOpenAI) -> None:
    handler = AsyncHandler()
    thread, assistant = await _begin_async(aclient, "look it up and say so")
    tools: list[Any] = [WEATHER]
    async with aclient.beta.threads.runs.stream(
        thread_id=thread, assistant_id=assistant, tools=tools, event_handler=handler
    ) as stream:
        run = await stream.get_final_run()
    outputs = check_calls(handler.heard, run)

    handler = AsyncHandler()
    async with aclient.beta.threads.runs.submit_tool_outputs_stream(
        thread_id=thread, run_id=run.id, tool_outputs=outputs, event_handler=handler
    ) as stream:
        await stream.until_done()
    check_outputs(handler.heard, await stream.get_final_run())


def check_calls(heard: list[tuple[str, Any]], run: Any) -> list[Any]:
    """Hold the callbacks of a turn with text and two calls against what is promised, and give the outputs to submit."""
    counts = Counter(name for name, _ in heard)
    assert run.status == "requires_action"
    assert counts["on_message_done"] == counts["on_text_done"] == counts["on_end"] == 1
    assert counts["on_run_step_created"] == 2
    assert counts["on_tool_call_created"] == 2
    assert counts["on_tool_call_delta"] >= 2
    assert counts["on_exception"] == 0
    done = {values[0].id: values[0].function for name, values in heard if name == "on_tool_call_done"}
    required = run.required_action.submit_tool_outputs.tool_calls
    assert {call.id: call.function.arguments for call in required} == {
        id: function.arguments for id, function in done.items()
    }
    return [{"tool_call_id": call.id, "output": "sunny"} for call in required]


def check_outputs(heard: list[tuple[str, Any]], run: Any) -> None:
    assert run.status == "completed"
    assert list(dict.fromkeys(story(heard))) == [
        "on_run_step_done",
        *(name for name in ANSWERED if name != "on_run_step_done"),
    ]
    assert [values[0].value for name, values in heard if name == "on_text_done"] == ["It is sunny in both."]


def test_text_deltas_can_be_read_alone(client: OpenAI) -> None:
    thread, assistant = _begin(client, "tell a story")
    with client.beta.threads.runs.stream(thread_id=thread, assistant_id=assistant) as stream:
        assert "".join(stream.text_deltas) == "Once upon a time."


async def test_text_deltas_can_be_read_alone_async(aclient: AsyncOpenAI) -> None:
    thread, assistant = await _begin_async(aclient, "tell a story")
    async with aclient.beta.threads.runs.stream(thread_id=thread, assistant_id=assistant) as stream:
        assert "".join([text async for text in stream.text_deltas]) == "Once upon a time."


def test_a_thread_is_created_and_run_in_one_stream(client: OpenAI) -> None:
    assistant = client.beta.assistants.create(model="script")
    handler = Handler()
    with client.beta.threads.create_and_run_stream(
        assistant_id=assistant.id, thread={"messages": [{"role": "user", "content": "hello"}]}, event_handler=handler
    ) as stream:
        assert stream.get_final_run().status == "completed"
    assert handler.heard[0][0] == "on_event"
    assert handler.heard[0][1][0].event == "thread.created"


@pytest.mark.parametrize("text", ["begin and cut", "fault rate_limit"])
def test_a_failed_run_ends_the_stream_without_an_exception(client: OpenAI, text: str) -> None:
    thread, assistant = _begin(client, text)
    handler = Handler()
    with client.beta.threads.runs.stream(thread_id=thread, assistant_id=assistant, event_handler=handler) as stream:
        run = stream.get_final_run()
    assert run.status == "failed"
    assert run.last_error is not None
    assert "on_exception" not in story(handler.heard)
    assert story(handler.heard)[-1] == "on_end"


def _begin(client: OpenAI, text: str) -> tuple[str, str]:
    thread = client.beta.threads.create(messages=[{"role": "user", "content": text}])
    return thread.id, client.beta.assistants.create(model="script").id


async def _begin_async(aclient: AsyncOpenAI, text: str) -> tuple[str, str]:
    thread = await aclient.beta.threads.create(messages=[{"role": "user", "content": text}])
    return thread.id, (await aclient.beta.assistants.create(model="script")).id
