"""What a run takes and what it shows: every parameter, default and limit of contract §1.5. Not what it then does."""

from typing import Any

import openai
import pytest
from openai import OpenAI

from tests.harness.stories import WEATHER, ask, at_rest, begin, function, set_fields


def test_a_new_run_is_queued_and_has_every_default(client: OpenAI) -> None:
    run = begin(client, "hello")
    assert run.object == "thread.run"
    assert run.id.startswith("run_")
    assert run.status == "queued"
    assert run.model == "script"
    assert run.tools == []
    assert run.metadata == {}
    assert (run.temperature, run.top_p) == (1.0, 1.0)
    assert (run.max_prompt_tokens, run.max_completion_tokens) == (None, None)
    assert run.truncation_strategy is not None and run.truncation_strategy.type == "auto"
    assert run.truncation_strategy.last_messages is None
    assert (run.tool_choice, run.response_format, run.parallel_tool_calls) == ("auto", "auto", True)
    assert set_fields(run, "required_action", "last_error", "incomplete_details", "usage") == []
    assert set_fields(run, "started_at", "cancelled_at", "failed_at", "completed_at") == []
    at_rest(client, run)


def test_instructions_are_a_string_even_when_there_are_none(client: OpenAI) -> None:
    assert begin(client, "hello").instructions == ""


def test_a_run_expires_ten_minutes_after_it_was_made(client: OpenAI) -> None:
    run = begin(client, "hello")
    assert run.expires_at == run.created_at + 600


def test_a_run_takes_over_what_its_assistant_says(client: OpenAI) -> None:
    assistant = client.beta.assistants.create(
        model="gpt-4o",
        instructions="Be brief.",
        tools=[WEATHER],  # type: ignore[list-item]
        temperature=0.3,
        top_p=0.5,
        response_format={"type": "text"},
        metadata={"of": "the assistant"},
    )
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "hello"}])
    run = client.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
    assert run.assistant_id == assistant.id
    assert run.thread_id == thread.id
    assert run.model == "gpt-4o"
    assert run.instructions == "Be brief."
    assert [tool.to_dict() for tool in run.tools] == [tool.to_dict() for tool in assistant.tools]
    assert (run.temperature, run.top_p) == (0.3, 0.5)
    assert run.to_dict()["response_format"] == {"type": "text"}
    assert run.metadata == {}


def test_what_the_run_says_overrides_its_assistant_for_this_run_only(client: OpenAI) -> None:
    assistant = client.beta.assistants.create(model="gpt-4o", instructions="Be brief.", temperature=0.3)
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "hello"}])
    run = client.beta.threads.runs.create(
        thread.id,
        assistant_id=assistant.id,
        model="script",
        instructions="Be long.",
        temperature=0.0,
        top_p=0.1,
        tools=[WEATHER],  # type: ignore[list-item]
        metadata={"of": "the run"},
    )
    assert (run.model, run.instructions, run.temperature, run.top_p) == ("script", "Be long.", 0.0, 0.1)
    assert [tool.type for tool in run.tools] == ["function"]
    assert run.metadata == {"of": "the run"}
    after = client.beta.assistants.retrieve(assistant.id)
    assert (after.model, after.instructions, after.temperature, after.tools) == ("gpt-4o", "Be brief.", 0.3, [])


ECHOED: list[dict[str, Any]] = [
    {"max_prompt_tokens": 256},
    {"max_completion_tokens": 256},
    {"truncation_strategy": {"type": "last_messages", "last_messages": 1}},
    {"truncation_strategy": {"type": "auto", "last_messages": None}},
    {"tool_choice": "none"},
    {"tool_choice": "required", "tools": [WEATHER]},
    {"tool_choice": {"type": "function", "function": {"name": "get_weather"}}, "tools": [WEATHER]},
    {"parallel_tool_calls": False},
    {"response_format": "auto"},
    {"response_format": {"type": "text"}},
    {"response_format": {"type": "json_object"}},
    {"temperature": 2},
    {"top_p": 0},
    {"metadata": {"key": "value"}},
    {"metadata": {f"key{n}": "v" * 512 for n in range(16)}},
]


@pytest.mark.parametrize("parameter", ECHOED, ids=lambda parameter: str(next(iter(parameter))))
def test_a_run_shows_the_parameters_it_was_made_with(client: OpenAI, parameter: dict[str, Any]) -> None:
    shown = begin(client, "answer in JSON", **parameter).to_dict()
    for name, value in parameter.items():
        if name != "tools":
            assert shown[name] == value


def test_a_json_schema_comes_back_whole(client: OpenAI) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}
    assert begin(client, "hello", response_format=wanted).to_dict()["response_format"] == wanted


@pytest.mark.parametrize("effort", ["none", "minimal", "low", "medium", "high"])
def test_a_run_takes_a_reasoning_effort(client: OpenAI, effort: str) -> None:
    assert ask(client, "hello", reasoning_effort=effort).status == "completed"


OUT_OF_RANGE: list[tuple[dict[str, Any], str, str]] = [
    ({"max_prompt_tokens": 255}, "max_prompt_tokens", "integer_below_min_value"),
    ({"max_completion_tokens": 1}, "max_completion_tokens", "integer_below_min_value"),
    (
        {"truncation_strategy": {"type": "last_messages", "last_messages": 0}},
        "truncation_strategy.last_messages",
        "integer_below_min_value",
    ),
    ({"tools": [function(f"f{n}") for n in range(21)]}, "tools", "array_above_max_length"),
    ({"tools": [function("x" * 65)]}, "tools[0].function.name", "string_above_max_length"),
    (
        {"additional_messages": [{"role": "user", "content": "x" * 256_001}]},
        "additional_messages[0].content",
        "string_above_max_length",
    ),
]


@pytest.mark.parametrize(("parameter", "param", "code"), OUT_OF_RANGE, ids=[param for _, param, _ in OUT_OF_RANGE])
def test_a_parameter_beyond_its_limit_is_refused_by_name(
    client: OpenAI, parameter: dict[str, Any], param: str, code: str
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        begin(client, "hello", **parameter)
    assert refused.value.type == "invalid_request_error"
    assert refused.value.param == param
    assert refused.value.code == code
    assert f"'{param}'" in refused.value.message


INVALID: list[dict[str, Any]] = [
    {"temperature": 2.1},
    {"temperature": -0.1},
    {"top_p": 1.1},
    {"tool_choice": "always"},
    {"tool_choice": {"type": "function"}, "tools": [WEATHER]},
    {"truncation_strategy": {"type": "first_messages"}},
    {"truncation_strategy": {"type": "last_messages"}},
    {"response_format": {"type": "xml"}},
    {"response_format": {"type": "json_schema"}},
    {"reasoning_effort": "enormous"},
    {"metadata": {f"key{n}": "v" for n in range(17)}},
    {"metadata": {"k" * 65: "v"}},
    {"metadata": {"k": "v" * 513}},
    {"tools": [{"type": "telephone"}]},
    {"tools": [function("no spaces")]},
    {"additional_messages": [{"role": "system", "content": "hello"}]},
    {"additional_messages": [{"role": "user", "content": []}]},
    {"parallel_tool_calls": "yes"},
    {"stream": "yes"},
    {"extra_body": {"unheard_of": 1}},
    {"extra_body": {"assistant_id": None}},
    {"extra_body": {"tool_resources": {"code_interpreter": {"file_ids": []}}}},
]


@pytest.mark.parametrize("parameter", INVALID, ids=str)
def test_a_wrong_parameter_is_a_bad_request_and_makes_no_run(client: OpenAI, parameter: dict[str, Any]) -> None:
    assistant = client.beta.assistants.create(model="script")
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "hello"}])
    with pytest.raises(openai.BadRequestError) as refused:
        client.beta.threads.runs.create(thread.id, assistant_id=assistant.id, **parameter)
    assert refused.value.type == "invalid_request_error"
    assert client.beta.threads.runs.list(thread.id).data == []
    assert len(client.beta.threads.messages.list(thread.id).data) == 1


def test_twenty_tools_may_be_given_with_a_run(client: OpenAI) -> None:
    run = begin(client, "hello", tools=[function(f"f{n}") for n in range(20)])
    assert len(run.tools) == 20


def test_a_run_inherits_all_128_tools_of_its_assistant(client: OpenAI) -> None:
    tools: list[Any] = [function(f"f{n}") for n in range(128)]
    assistant = client.beta.assistants.create(model="script", tools=tools)
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "hello"}])
    run = client.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
    assert len(run.tools) == 128
    assert at_rest(client, run).status == "completed"


def test_without_an_assistant_there_is_no_run(client: OpenAI) -> None:
    thread = client.beta.threads.create()
    with pytest.raises(openai.BadRequestError) as refused:
        client.post(f"/threads/{thread.id}/runs", cast_to=object, body={})
    assert refused.value.body == {
        "message": "Missing required parameter: 'assistant_id'.",
        "type": "invalid_request_error",
        "param": "assistant_id",
        "code": "missing_required_parameter",
    }


def test_an_unknown_assistant_is_not_found(client: OpenAI) -> None:
    thread = client.beta.threads.create()
    with pytest.raises(openai.NotFoundError) as refused:
        client.beta.threads.runs.create(thread.id, assistant_id="asst_nowhere")
    assert _message(refused.value) == "No assistant found with id 'asst_nowhere'."


def test_an_unknown_thread_is_not_found(client: OpenAI) -> None:
    assistant = client.beta.assistants.create(model="script")
    with pytest.raises(openai.NotFoundError) as refused:
        client.beta.threads.runs.create("thread_nowhere", assistant_id=assistant.id)
    assert _message(refused.value) == "No thread found with id 'thread_nowhere'."


def test_an_unknown_model_is_refused(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        begin(client, "hello", model="nobody-knows")
    assert refused.value.code == "unsupported_model"
    assert refused.value.param == "model"
    assert _message(refused.value).startswith(
        "The requested model 'nobody-knows' cannot be used with the Assistants API."
    )


def test_an_unknown_run_is_not_found(client: OpenAI) -> None:
    thread = client.beta.threads.create()
    with pytest.raises(openai.NotFoundError) as refused:
        client.beta.threads.runs.retrieve("run_nowhere", thread_id=thread.id)
    assert _message(refused.value) == "No run found with id 'run_nowhere'."


def test_a_run_is_only_found_on_its_own_thread(client: OpenAI) -> None:
    run = ask(client, "hello")
    other = client.beta.threads.create()
    with pytest.raises(openai.NotFoundError):
        client.beta.threads.runs.retrieve(run.id, thread_id=other.id)


def test_metadata_is_all_that_can_be_changed_on_a_run(client: OpenAI) -> None:
    run = ask(client, "hello", metadata={"old": "1"})
    changed = client.beta.threads.runs.update(run.id, thread_id=run.thread_id, metadata={"new": "2"})
    assert changed.metadata == {"new": "2"}
    assert changed.to_dict() | {"metadata": None} == run.to_dict() | {"metadata": None}
    assert client.beta.threads.runs.retrieve(run.id, thread_id=run.thread_id) == changed
    with pytest.raises(openai.BadRequestError):
        client.beta.threads.runs.update(run.id, thread_id=run.thread_id, extra_body={"status": "failed"})


def test_a_threads_runs_are_listed_in_the_order_they_were_made_also_within_a_second(client: OpenAI) -> None:
    assistant = client.beta.assistants.create(model="script")
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "hello"}])
    made = []
    for _ in range(4):
        run = client.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
        made.append(at_rest(client, run).id)
    assert [run.id for run in client.beta.threads.runs.list(thread.id)] == made[::-1]
    assert [run.id for run in client.beta.threads.runs.list(thread.id, order="asc", limit=1)] == made
    page = client.beta.threads.runs.list(thread.id, order="asc", after=made[0], before=made[3])
    assert [run.id for run in page.data] == made[1:3]


def test_polling_clients_are_told_how_long_to_wait(client: OpenAI) -> None:
    run = ask(client, "hello")
    response = client.beta.threads.runs.with_raw_response.retrieve(run.id, thread_id=run.thread_id)
    assert 0 < int(response.headers["openai-poll-after-ms"]) <= 500


def _message(error: openai.APIStatusError) -> str:
    """The server's own text, without what the SDK puts around it."""
    body: Any = error.body
    return str(body["message"])
