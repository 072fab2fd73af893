"""Short ways to say what stories about runs need: a question asked, a run waited for, a stream read with its event ids.

It asserts nothing about the server beyond that it gets somewhere before PATIENCE runs out.
"""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx2
from openai import BaseModel, OpenAI
from openai.types.beta.threads import Run

from tests.harness.sse import EventParser, ServerEvent

PATIENCE = 30.0
RESTS = ("completed", "requires_action", "incomplete", "failed", "cancelled", "expired")
DELTAS = ("thread.message.delta", "thread.run.step.delta")


def function(name: str, **extra: Any) -> dict[str, Any]:
    """A function tool without parameters worth naming."""
    return {"type": "function", "function": {"name": name, **extra}}


WEATHER = function(
    "get_weather",
    description="The weather in a city.",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


def begin(client: OpenAI, text: str, **run: Any) -> Run:
    """A run of a new assistant on a new thread whose only message is `text`."""
    assistant = client.beta.assistants.create(model="script")
    thread = client.beta.threads.create(messages=[{"role": "user", "content": text}])
    begun: Run = client.beta.threads.runs.create(thread.id, assistant_id=assistant.id, **run)
    return begun


def ask(client: OpenAI, text: str, **run: Any) -> Run:
    """begin(), and wait until the run rests."""
    return at_rest(client, begin(client, text, **run))


def at_rest(client: OpenAI, run: Run) -> Run:
    """The run when it has ended or waits for tool outputs."""
    return when(client, run, *RESTS)


def when(client: OpenAI, run: Run, *statuses: str) -> Run:
    """The run as soon as it has one of `statuses`."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        run = client.beta.threads.runs.retrieve(run.id, thread_id=run.thread_id)
        if run.status in statuses:
            return run
        time.sleep(0.02)
    raise AssertionError(f"{run.id} stays {run.status}, and does not become {' or '.join(statuses)}")


def calls_of(run: Run) -> list[Any]:
    """The tool calls that a run waits for."""
    assert run.required_action is not None, f"{run.id} is {run.status} and waits for nothing"
    return list(run.required_action.submit_tool_outputs.tool_calls)


def submit(client: OpenAI, run: Run, *outputs: str) -> Run:
    """Answer the calls that the run waits for, in their order, and wait until it rests."""
    answers: list[Any] = [
        {"tool_call_id": call.id, "output": output} for call, output in zip(calls_of(run), outputs, strict=True)
    ]
    run = client.beta.threads.runs.submit_tool_outputs(run.id, thread_id=run.thread_id, tool_outputs=answers)
    return at_rest(client, run)


def answers(client: OpenAI, run: Run) -> list[str]:
    """The texts that the run wrote, oldest first."""
    page = client.beta.threads.messages.list(run.thread_id, run_id=run.id, order="asc")
    return ["".join(part.text.value for part in message.content if part.type == "text") for message in page.data]


def use_the_model(client: OpenAI, model: str) -> None:
    """From now on the server has this model loaded."""
    client.chat.completions.create(model=model, messages=[{"role": "user", "content": "hello"}])


def set_fields(thing: BaseModel, *names: str) -> list[str]:
    """Those of the fields that are not null; a field that is missing altogether is an error."""
    fields = thing.to_dict(exclude_unset=True)
    return [name for name in names if fields[name] is not None]


def post(http: httpx2.Client, path: str, body: dict[str, Any]) -> Iterator[ServerEvent]:
    """The events that answer a POST under /v1, with their ids, as they come."""
    return _events(http, "POST", path, json=body)


def follow(http: httpx2.Client, run: Run, *, after: str | None = None) -> Iterator[ServerEvent]:
    """The run's events from its /events, from the first one on or from behind the id `after`."""
    headers = {"Last-Event-ID": after} if after is not None else {}
    return _events(http, "GET", f"/threads/{run.thread_id}/runs/{run.id}/events", headers=headers)


def until_it_said(http: httpx2.Client, run: Run, *, after: str | None = None) -> list[ServerEvent]:
    """The run's events up to the next piece of text; then the follower leaves."""
    events = []
    for event in follow(http, run, after=after):
        events.append(event)
        if event.name == "thread.message.delta":
            return events
    raise AssertionError(f"{run.id} rests, and said nothing")


def _events(http: httpx2.Client, method: str, path: str, **options: Any) -> Iterator[ServerEvent]:
    parser = EventParser()
    with http.stream(method, f"/v1{path}", **options) as response:
        if response.status_code != 200:
            raise AssertionError(f"{method} {path} → {response.status_code} {response.read().decode()}")
        for piece in response.iter_bytes():
            yield from parser.feed(piece)


def data(event: ServerEvent) -> Any:
    """The event's data as JSON."""
    return json.loads(event.data)


def short(events: list[ServerEvent]) -> list[str]:
    """Names without "thread.", with neighbouring deltas as one, which is as much order as a stream promises."""
    names: list[str] = []
    for event in events:
        name = (event.name or "").removeprefix("thread.")
        if f"thread.{name}" in DELTAS and names[-1:] == [name]:
            continue
        names.append(name)
    return names


def streamed_text(events: list[ServerEvent]) -> str:
    """What the message deltas say together."""
    parts = [
        part for event in events if event.name == "thread.message.delta" for part in data(event)["delta"]["content"]
    ]
    return "".join(part["text"].get("value") or "" for part in parts if part["type"] == "text")


def streamed_calls(events: list[ServerEvent]) -> list[dict[str, Any]]:
    """The function calls that the step deltas say together: name and arguments, in the order of their indexes."""
    calls: list[dict[str, Any]] = []
    for event in events:
        if event.name != "thread.run.step.delta":
            continue
        for piece in data(event)["delta"]["step_details"]["tool_calls"]:
            if piece["index"] == len(calls):
                calls.append({"name": piece["function"]["name"], "arguments": ""})
            calls[piece["index"]]["arguments"] += piece["function"].get("arguments") or ""
    return calls
