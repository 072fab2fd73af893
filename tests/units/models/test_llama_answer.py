"""One answer of llama.cpp, from chunks as the engine streams them."""

import json
from typing import Any

import pytest

from zhuli.core.errors import BackendError
from zhuli.models.engines.llama_answer import Answer
from zhuli.testing.backend_contract import WEATHER
from zhuli.types.models.generation import Delta, GenerationRequest, Usage

USAGE = {
    "choices": [],
    "usage": {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}},
}
CALL = '<tool_call>{"name": "get_weather", "arguments": {"city": "Paris"}}</tool_call>'


def test_text_finish_and_usage_are_those_of_the_chunks() -> None:
    deltas = read(GenerationRequest([]), [said("Hel"), said("lo"), ended("stop"), USAGE])
    assert [delta.text for delta in deltas] == ["Hel", "lo", "", "", ""]
    assert deltas[-1] == Delta(finish="stop", usage=Usage(9, 2, 4))


def test_chunks_that_come_together_are_one_delta() -> None:
    assert Answer(GenerationRequest([])).read([said("Hel"), said("lo")]) == Delta("Hello")


def test_a_call_in_the_text_is_a_call() -> None:
    deltas = read(GenerationRequest([], tools=[WEATHER]), [said(CALL[:30]), said(CALL[30:]), ended("stop")])
    (call,) = [call for delta in deltas for call in delta.tool_calls]
    assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Paris"})
    assert deltas[-1].finish == "tool_calls"


def test_an_answer_that_repeats_a_call_is_over_and_knows_its_usage() -> None:
    answer = Answer(GenerationRequest([], tools=[WEATHER]))
    answer.read([said(CALL)])
    assert not answer.stutters
    answer.read([{**said(f"\n{CALL}"), "timings": {"cache_n": 3, "prompt_n": 4, "predicted_n": 60}}])
    assert answer.stutters
    assert answer.close() == Delta(finish="tool_calls", usage=Usage(7, 60, 3))


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (GenerationRequest([], response_format={"type": "json_object"}), "is not JSON"),
        (GenerationRequest([], tools=[WEATHER], tool_choice="required"), "did not call a tool"),
    ],
)
def test_an_answer_that_breaks_its_grammar_fails(request_: GenerationRequest, message: str) -> None:
    with pytest.raises(BackendError, match=message) as raised:
        read(request_, [said("Hello"), ended("stop")])
    assert raised.value.run_code == "invalid_prompt"


def test_the_engine_s_errors_are_backend_errors() -> None:
    with pytest.raises(BackendError, match="out of memory") as raised:
        read(GenerationRequest([]), [{"error": {"code": 500, "message": "out of memory"}}])
    assert raised.value.run_code == "server_error"


def test_an_answer_that_stops_in_the_middle_is_no_answer() -> None:
    with pytest.raises(BackendError, match="without saying why"):
        read(GenerationRequest([]), [said("Hel")])


def read(request: GenerationRequest, chunks: list[dict[str, Any]]) -> list[Delta]:
    answer = Answer(request)
    return [*(answer.read([chunk]) for chunk in chunks), answer.close()]


def said(text: str) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}


def ended(reason: str) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
