"""Functions of the client's: what a submit takes and refuses, and runs that call more than once (contract §1.8, §2)."""

from typing import Any

import openai
import pytest
from openai import OpenAI

from tests.harness.stories import WEATHER, answers, ask, at_rest, calls_of, function, submit


def test_two_parallel_calls_are_answered_together(client: OpenAI) -> None:
    run = ask(client, "weather in Paris and Rome", tools=[WEATHER])
    first, second = calls_of(run)
    queued = client.beta.threads.runs.submit_tool_outputs(
        run.id,
        thread_id=run.thread_id,
        tool_outputs=[{"tool_call_id": second.id, "output": "rainy"}, {"tool_call_id": first.id, "output": "sunny"}],
    )
    assert queued.status == "queued"
    assert queued.required_action is None
    run = at_rest(client, queued)
    assert run.status == "completed"
    assert answers(client, run) == ["It is sunny in both."]
    steps = client.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id, order="asc").data
    details: Any = steps[0].step_details.to_dict()
    assert [call["function"]["output"] for call in details["tool_calls"]] == ["sunny", "rainy"]


def test_a_run_may_call_in_several_rounds(client: OpenAI) -> None:
    run = ask(client, "find the owner, then the phone", tools=[function("find_owner"), function("find_phone")])
    assert [call.function.name for call in calls_of(run)] == ["find_owner"]
    run = submit(client, run, "owner: Ann")
    assert run.status == "requires_action"
    assert [call.function.name for call in calls_of(run)] == ["find_phone"]
    run = submit(client, run, "phone: 555")
    assert run.status == "completed"
    assert answers(client, run) == ["Ann's phone is 555."]
    steps = client.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id, order="asc").data
    assert [step.type for step in steps] == ["tool_calls", "tool_calls", "message_creation"]


def test_an_output_may_be_left_out(client: OpenAI) -> None:
    run = ask(client, "call once", tools=[WEATHER])
    (call,) = calls_of(run)
    outputs: list[Any] = [{"tool_call_id": call.id}]
    run = client.beta.threads.runs.submit_tool_outputs(run.id, thread_id=run.thread_id, tool_outputs=outputs)
    assert at_rest(client, run).status == "completed"


def test_outputs_for_only_some_calls_are_refused(client: OpenAI) -> None:
    run = ask(client, "weather in Paris and Rome", tools=[WEATHER])
    first, second = calls_of(run)
    refused = _refused(client, run, {"tool_call_id": first.id, "output": "sunny"})
    assert refused == {
        "message": f"Expected tool outputs for call_ids ['{first.id}','{second.id}'], got ['{first.id}']",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }
    assert submit(client, run, "sunny", "sunny").status == "completed"


def test_no_outputs_are_refused(client: OpenAI) -> None:
    run = ask(client, "call once", tools=[WEATHER])
    (call,) = calls_of(run)
    assert _refused(client, run)["message"] == f"Expected tool outputs for call_ids ['{call.id}'], got []"


def test_an_output_for_an_unknown_call_is_refused(client: OpenAI) -> None:
    run = ask(client, "call once", tools=[WEATHER])
    (call,) = calls_of(run)
    known, unknown = {"tool_call_id": call.id, "output": "sunny"}, {"tool_call_id": "call_unknown", "output": "rainy"}
    expected = f"Expected tool outputs for call_ids ['{call.id}'], got "
    assert _refused(client, run, unknown)["message"] == f"{expected}['call_unknown']"
    assert _refused(client, run, known, unknown)["message"] == f"{expected}['{call.id}','call_unknown']"
    assert submit(client, run, "sunny").status == "completed"


def test_two_outputs_for_one_call_are_refused(client: OpenAI) -> None:
    run = ask(client, "call once", tools=[WEATHER])
    (call,) = calls_of(run)
    output = {"tool_call_id": call.id, "output": "sunny"}
    assert _refused(client, run, output, output)["type"] == "invalid_request_error"


def test_outputs_are_taken_once(client: OpenAI) -> None:
    run = ask(client, "call once", tools=[WEATHER])
    (call,) = calls_of(run)
    submit(client, run, "sunny")
    refused = _refused(client, run, {"tool_call_id": call.id, "output": "rainy"})
    assert refused["message"] == 'Runs in status "completed" do not accept tool outputs.'
    assert answers(client, run) == ["Called once: sunny"]


def test_a_run_that_never_asked_takes_no_outputs(client: OpenAI) -> None:
    run = ask(client, "fault refuse")
    refused = _refused(client, run, {"tool_call_id": "call_unknown", "output": "sunny"})
    assert refused["message"] == 'Runs in status "failed" do not accept tool outputs.'


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"tool_outputs": None},
        {"tool_outputs": {}},
        {"tool_outputs": [{"output": "sunny"}]},
        {"tool_outputs": ["sunny"]},
    ],
    ids=str,
)
def test_a_malformed_submit_is_refused(client: OpenAI, body: dict[str, Any]) -> None:
    run = ask(client, "call once", tools=[WEATHER])
    with pytest.raises(openai.BadRequestError):
        client.post(f"/threads/{run.thread_id}/runs/{run.id}/submit_tool_outputs", cast_to=object, body=body)
    assert submit(client, run, "sunny").status == "completed"


def test_outputs_for_an_unknown_run_are_not_found(client: OpenAI) -> None:
    thread = client.beta.threads.create()
    with pytest.raises(openai.NotFoundError):
        client.beta.threads.runs.submit_tool_outputs("run_nowhere", thread_id=thread.id, tool_outputs=[])


def test_a_long_output_is_kept_whole(client: OpenAI) -> None:
    output = "sun " * 50_000
    run = submit(client, ask(client, "call once", tools=[WEATHER]), output)
    (step,) = client.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id, limit=1, order="asc").data
    details: Any = step.step_details.to_dict()
    assert details["tool_calls"][0]["function"]["output"] == output


def _refused(client: OpenAI, run: Any, *outputs: Any) -> dict[str, Any]:
    """The error body of a submit that must not be taken."""
    with pytest.raises(openai.BadRequestError) as refused:
        client.beta.threads.runs.submit_tool_outputs(run.id, thread_id=run.thread_id, tool_outputs=list(outputs))
    body: Any = refused.value.body
    return dict(body)
