"""A tool that the operator added, through the official SDK: named by its type, run by the server, shown in steps and streams."""

from pathlib import Path
from typing import Any

import httpx2
import pytest
from openai import AssistantEventHandler, OpenAI
from openai.types.beta.threads import Run
from openai.types.beta.threads.runs import ToolCall, ToolCallDelta

from tests.conftest import StartServer
from tests.engine.tools.workshop import PLUGIN
from tests.harness.clients import Clients
from tests.harness.refusals import assert_refused
from tests.harness.server import Server
from tests.harness.stories import ask, function

SCRIPT = Path(__file__).parents[2] / "scripts" / "workshop.json"
WORKSHOP: Any = {"type": "workshop", "workshop": {"mends": True}}
MADE = {"name": "workshop_make", "arguments": '{"text":"A chair."}', "output": "A chair."}


@pytest.fixture
def server(start_server: StartServer) -> Server:
    return start_server(script=SCRIPT, tools={"workshop": {"plugin": PLUGIN}})


@pytest.fixture
def client(clients: Clients, server: Server) -> OpenAI:
    return clients.sdk(server, strict=False)


@pytest.fixture
def http(clients: Clients, server: Server) -> httpx2.Client:
    return clients.http(server)


def calls_of(client: OpenAI, run: Run) -> list[Any]:
    """The calls of the run's one round, as plain JSON."""
    steps = client.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id).data
    [details] = [step.to_dict(warnings=False)["step_details"] for step in steps if step.type == "tool_calls"]
    return details["tool_calls"]  # type: ignore[index,no-any-return]


def test_an_assistant_keeps_the_tool_as_it_was_named(client: OpenAI) -> None:
    made = client.beta.assistants.create(model="script", tools=[WORKSHOP])
    [listed] = [one for one in client.beta.assistants.list(limit=100).data if one.id == made.id]
    for assistant in (made, listed, client.beta.assistants.retrieve(made.id)):
        [tool] = assistant.tools
        assert (tool.type, tool.to_dict(warnings=False)) == ("workshop", WORKSHOP)
    again = client.beta.assistants.update(made.id, tools=made.tools)  # type: ignore[arg-type]
    assert again.to_dict(warnings=False)["tools"] == [WORKSHOP]


def test_a_run_calls_the_tool_and_its_step_shows_what_it_gave(client: OpenAI) -> None:
    assistant = client.beta.assistants.create(model="script", tools=[WORKSHOP])
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "Make a chair."}])
    run = client.beta.threads.runs.create_and_poll(assistant_id=assistant.id, thread_id=thread.id)
    assert run.status == "completed"
    assert run.to_dict(warnings=False)["tools"] == [WORKSHOP]
    [call] = calls_of(client, run)
    assert call == {"id": call["id"], "type": "workshop", "workshop": MADE}
    said: Any = client.beta.threads.messages.list(thread.id).data[0].content[0]
    assert said.text.value == "Heard: A chair."


class Seen(AssistantEventHandler):
    """What an event handler is told of tool calls."""

    def __init__(self) -> None:
        super().__init__()
        self.created: list[str] = []
        self.arguments = ""
        self.done: list[ToolCall] = []

    def on_tool_call_created(self, tool_call: ToolCall) -> None:
        self.created.append(tool_call.type)

    def on_tool_call_delta(self, delta: ToolCallDelta, snapshot: ToolCall) -> None:
        self.arguments += delta.to_dict(warnings=False)["workshop"].get("arguments", "")  # type: ignore[attr-defined]

    def on_tool_call_done(self, tool_call: ToolCall) -> None:
        self.done.append(tool_call)


def test_an_event_handler_of_the_sdk_sees_the_call(client: OpenAI) -> None:
    assistant = client.beta.assistants.create(model="script", tools=[WORKSHOP])
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "Make a chair."}])
    seen = Seen()
    with client.beta.threads.runs.stream(assistant_id=assistant.id, thread_id=thread.id, event_handler=seen) as stream:
        stream.until_done()
    assert seen.created == ["workshop"]
    assert '{"text":"A chair."}'.endswith(seen.arguments) and seen.arguments
    [call] = {call.id: call for call in seen.done}.values()  # the SDK says so at the step's end and at the run's
    assert call.to_dict(warnings=False)["workshop"] == MADE


def test_the_client_is_asked_for_its_own_function_only(client: OpenAI) -> None:
    run = ask(client, "Make and paint.", tools=[WORKSHOP, function("paint")])
    assert run.status == "requires_action" and run.required_action is not None
    [asked] = run.required_action.submit_tool_outputs.tool_calls
    assert asked.function.name == "paint"
    run = client.beta.threads.runs.submit_tool_outputs_and_poll(
        run_id=run.id, thread_id=run.thread_id, tool_outputs=[{"tool_call_id": asked.id, "output": "Red."}]
    )
    assert run.status == "completed"
    made, painted = calls_of(client, run)
    assert (made["workshop"]["output"], painted["function"]["output"]) == ("A chair.", "Red.")


def test_a_tool_may_be_named_to_be_called_first(client: OpenAI, server: Server) -> None:
    run = ask(client, "Make a chair.", tools=[{"type": "workshop"}], tool_choice={"type": "workshop"})
    assert run.status == "completed"
    first = server.requests(run.thread_id)[0]
    assert first["tool_choice"] == {"type": "function", "function": {"name": "workshop_make"}}


@pytest.mark.parametrize("path", ["/v1/assistants", "/v1/assistants/{assistant}", "/v1/threads/runs"])
@pytest.mark.parametrize(
    ("tools", "param", "code", "said"),
    [
        (
            [{"type": "retrieval"}],
            "tools[0].type",
            "invalid_value",
            "Invalid value: 'retrieval'. Supported values are: 'code_interpreter', 'file_search', 'function', 'recommend', "
            "'workshop'.",
        ),
        (
            [function("workshop_make"), {"type": "workshop"}],
            "tools[1].type",
            "function_name_taken",
            "Invalid 'tools[1]': the tool 'workshop' has a function 'workshop_make', and so has a function of yours. "
            "Nobody could tell whose call it is: rename yours, or leave out one of the two.",
        ),
        (
            [{"type": "workshop", "workshop": {"colour": "red"}}],
            "tools[0].workshop",
            "invalid_value",
            "A workshop does not know colour.",
        ),
        (
            [{"type": "workshop", "workshop": []}],
            "tools[0].workshop",
            "invalid_type",
            "Invalid type for 'tools[0].workshop': expected an object with the tool's settings.",
        ),
        (
            [{"type": "workshop", "colour": "red"}],
            "tools[0].colour",
            "unknown_parameter",
            "Unknown parameter: 'tools[0].colour'.",
        ),
    ],
)
def test_what_can_not_be_is_refused_at_saving(
    client: OpenAI, http: httpx2.Client, path: str, tools: list[Any], param: str, code: str, said: str
) -> None:
    assistant = client.beta.assistants.create(model="script").id
    body = {"tools": tools} | ({"assistant_id": assistant} if "runs" in path else {"model": "script"})
    assert_refused(http.post(path.format(assistant=assistant), json=body), 400, said, param=param, code=code)


def test_without_tools_of_the_operator_s_the_supported_types_are_the_api_s_and_ours(
    clients: Clients, start_server: StartServer
) -> None:
    http = clients.http(start_server())
    said = "Invalid value: 'browser'. Supported values are: 'code_interpreter', 'file_search', 'function', 'recommend'."
    response = http.post("/v1/assistants", json={"model": "script", "tools": [{"type": "browser"}]})
    assert_refused(response, 400, said, param="tools[0].type", code="invalid_value")
