"""Every text with which a body or a parameter is refused, in the words that apps of the original match on."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from zhuli.core.errors import InvalidRequest
from zhuli.types.assistants.assistant import AssistantCreate
from zhuli.types.assistants.message import MessageCreate
from zhuli.types.assistants.run import RunCreate, ToolOutputsSubmit
from zhuli.types.assistants.thread import ThreadCreate
from zhuli.types.refusals import path, refusal, unreadable_body

FUNCTION = {"type": "function", "function": {"name": "f"}}
ASSISTANT = {"model": "m"}
RUN = {"assistant_id": "asst_1"}
MESSAGE = {"role": "user", "content": "Hi"}


def refused(kind: Any, value: Any) -> InvalidRequest:
    """The error for a body that is not of this kind."""
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(kind).validate_python(value)
    return refusal([{**error, "loc": ("body", *error["loc"])} for error in raised.value.errors()])


CASES: list[tuple[Any, Any, str, str | None, str | None]] = [
    # what is missing or unknown
    (RunCreate, {}, "Missing required parameter: 'assistant_id'.", "assistant_id", "missing_required_parameter"),
    (
        ThreadCreate,
        {"messages": [{"role": "user"}]},
        "Missing required parameter: 'messages[0].content'.",
        "messages[0].content",
        "missing_required_parameter",
    ),
    (
        AssistantCreate,
        {**ASSISTANT, "tools": [{}]},
        "Missing required parameter: 'tools[0].type'.",
        "tools[0].type",
        "missing_required_parameter",
    ),
    (
        AssistantCreate,
        {**ASSISTANT, "tools": [{"type": 5}]},
        "Invalid type for 'tools[0].type': expected a string, but got an integer instead.",
        "tools[0].type",
        "invalid_type",
    ),
    (
        ThreadCreate,
        {"messages": [{"role": "user", "content": [{"type": ["text"], "text": "hi"}]}]},
        "Invalid type for 'messages[0].content[0].type': expected a string, but got an array instead.",
        "messages[0].content[0].type",
        "invalid_type",
    ),
    (RunCreate, {**RUN, "temprature": 1}, "Unknown parameter: 'temprature'.", "temprature", "unknown_parameter"),
    (
        AssistantCreate,
        {**ASSISTANT, "tools": [{"type": "function", "function": {"name": "f", "body": ""}}]},
        "Unknown parameter: 'tools[0].function.body'.",
        "tools[0].function.body",
        "unknown_parameter",
    ),
    # types
    (
        AssistantCreate,
        {"model": 7},
        "Invalid type for 'model': expected a string, but got an integer instead.",
        "model",
        "invalid_type",
    ),
    (
        AssistantCreate,
        {"model": None},
        "Invalid type for 'model': expected a string, but got null instead.",
        "model",
        "invalid_type",
    ),
    (
        RunCreate,
        {**RUN, "stream": "yes"},
        "Invalid type for 'stream': expected a boolean, but got a string instead.",
        "stream",
        "invalid_type",
    ),
    (
        RunCreate,
        {**RUN, "temperature": "hot"},
        "Invalid type for 'temperature': expected a decimal, but got a string instead.",
        "temperature",
        "invalid_type",
    ),
    (
        RunCreate,
        {**RUN, "max_prompt_tokens": 300.5},
        "Invalid type for 'max_prompt_tokens': expected an integer, but got a decimal instead.",
        "max_prompt_tokens",
        "invalid_type",
    ),
    (
        RunCreate,
        {**RUN, "max_prompt_tokens": True},
        "Invalid type for 'max_prompt_tokens': expected an integer, but got a boolean instead.",
        "max_prompt_tokens",
        "invalid_type",
    ),
    (
        RunCreate,
        {**RUN, "tools": {}},
        "Invalid type for 'tools': expected an array, but got an object instead.",
        "tools",
        "invalid_type",
    ),
    (
        RunCreate,
        {**RUN, "metadata": []},
        "Invalid type for 'metadata': expected an object, but got an array instead.",
        "metadata",
        "invalid_type",
    ),
    (
        AssistantCreate,
        {**ASSISTANT, "tools": ["function"]},
        "Invalid type for 'tools[0]': expected an object, but got a string instead.",
        "tools[0]",
        "invalid_type",
    ),
    (
        MessageCreate,
        {"role": "user", "content": 7},
        "Invalid type for 'content': expected a string, but got an integer instead.",
        "content",
        "invalid_type",
    ),
    (
        ToolOutputsSubmit,
        {"tool_outputs": [{"tool_call_id": "call_a", "output": 7}]},
        "Invalid type for 'tool_outputs[0].output': expected a string, but got an integer instead.",
        "tool_outputs[0].output",
        "invalid_type",
    ),
    # choices
    (
        MessageCreate,
        {**MESSAGE, "role": "system"},
        "Invalid value: 'system'. Supported values are: 'user' or 'assistant'.",
        "role",
        "invalid_value",
    ),
    (
        MessageCreate,
        {**MESSAGE, "attachments": [{"file_id": "file_1", "tools": [{"type": "browser"}]}]},
        "Invalid value: 'browser'. Supported values are: 'code_interpreter', 'file_search'.",
        "attachments[0].tools[0].type",
        "invalid_value",
    ),
    (
        RunCreate,
        {**RUN, "tool_choice": "maybe"},
        "Invalid value: 'maybe'. Supported values are: 'none', 'auto' or 'required'.",
        "tool_choice",
        "invalid_value",
    ),
    # lengths
    (
        MessageCreate,
        {"role": "user", "content": "x" * 256_001},
        "Invalid 'content': string too long. Expected a string with maximum length 256000, but got a string with length "
        "256001 instead.",
        "content",
        "string_above_max_length",
    ),
    (
        AssistantCreate,
        {"model": ""},
        "Invalid 'model': string too short. Expected a string with minimum length 1, but got a string with length 0 "
        "instead.",
        "model",
        "string_below_min_length",
    ),
    (
        AssistantCreate,
        {**ASSISTANT, "tools": [FUNCTION] * 163},
        "Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array with length 163 "
        "instead.",
        "tools",
        "array_above_max_length",
    ),
    (
        MessageCreate,
        {"role": "user", "content": []},
        "Invalid 'content': empty array. Expected an array with minimum length 1, but got an empty array instead.",
        "content",
        "empty_array",
    ),
    (
        Annotated[dict[str, Any], Field()],
        None,
        "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library "
        "correctly. The API expects a JSON payload, but what was sent was not valid JSON.) Expected a JSON object.",
        None,
        None,
    ),
    (
        RunCreate,
        {**RUN, "metadata": {str(n): "x" for n in range(17)}},
        "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got an object with "
        "17 properties instead.",
        "metadata",
        "object_above_max_properties",
    ),
    (
        RunCreate,
        {**RUN, "metadata": {"k": "x" * 513}},
        "Invalid 'metadata.k': string too long. Expected a string with maximum length 512, but got a string with length "
        "513 instead.",
        "metadata.k",
        "string_above_max_length",
    ),
    # bounds
    (
        RunCreate,
        {**RUN, "max_prompt_tokens": 255},
        "Invalid 'max_prompt_tokens': integer below minimum value. Expected a value >= 256, but got 255 instead.",
        "max_prompt_tokens",
        "integer_below_min_value",
    ),
    (
        RunCreate,
        {**RUN, "temperature": -1},
        "Invalid 'temperature': decimal below minimum value. Expected a value >= 0, but got -1 instead.",
        "temperature",
        "decimal_below_min_value",
    ),
    (
        RunCreate,
        {**RUN, "temperature": 2.5},
        "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 2.5 instead.",
        "temperature",
        "decimal_above_max_value",
    ),
    (
        RunCreate,
        {**RUN, "truncation_strategy": {"type": "last_messages", "last_messages": 0}},
        "Invalid 'truncation_strategy.last_messages': integer below minimum value. Expected a value >= 1, but got 0 "
        "instead.",
        "truncation_strategy.last_messages",
        "integer_below_min_value",
    ),
    (
        AssistantCreate,
        {**ASSISTANT, "tools": [{"type": "function", "function": {"name": "get weather"}}]},
        "Invalid 'tools[0].function.name': string does not match pattern. Expected a string that matches the pattern "
        "'^[a-zA-Z0-9_-]+$'.",
        "tools[0].function.name",
        "invalid_value",
    ),
]


@pytest.mark.parametrize(("kind", "value", "text", "param", "code"), CASES, ids=lambda case: None)
def test_a_wrong_body_is_refused_in_the_original_words(
    kind: Any, value: Any, text: str, param: str | None, code: str | None
) -> None:
    error = refused(kind, value)
    assert (error.message, error.param, error.code) == (text, param, code)
    assert (error.status, error.type) == (400, "invalid_request_error")


@pytest.mark.parametrize(
    ("kind", "value", "expects"),
    [
        (Annotated[list[int], Field(min_length=2)], [1], "array too short. Expected an array with minimum length 2"),
        (Annotated[int, Field(le=100)], 101, "integer above maximum value. Expected a value <= 100, but got 101"),
        (Annotated[float, Field(gt=0.5)], 0.5, "decimal below minimum value. Expected a value >= 0.5, but got 0.5"),
        (Literal["a", "b"], "c", "Invalid value: 'c'. Supported values are: 'a' or 'b'."),
    ],
)
def test_bounds_that_no_body_has_are_worded_alike(kind: Any, value: Any, expects: str) -> None:
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(kind).validate_python(value)
    error = refusal([{**error, "loc": ("query", "limit", *error["loc"])} for error in raised.value.errors()])
    assert expects in error.message
    assert error.param == "limit"


def test_of_several_mistakes_the_first_is_told() -> None:
    assert refused(RunCreate, {"temperature": "hot", "stream": 1}).param == "assistant_id"


def test_what_nobody_foresaw_is_told_in_pydantic_s_words() -> None:
    error = refusal([{"type": "assertion_error", "loc": ("body", "x"), "msg": "Assertion failed", "input": 1}])
    assert (error.message, error.code) == ("Invalid 'x': Assertion failed.", "invalid_value")


def test_a_long_wrong_choice_is_not_repeated_in_full() -> None:
    assert len(refused(MessageCreate, {**MESSAGE, "role": "x" * 10_000}).message) < 400


def test_broken_json_is_told_without_a_parameter() -> None:
    error = refusal([{"type": "json_invalid", "loc": ("body", 0), "msg": "", "input": {}}])
    assert error.message == unreadable_body().message
    assert error.param is None


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        (("body",), ""),
        (("body", "tools", 0, "~function", "function", "name"), "tools[0].function.name"),
        (("body", "metadata", "key", "[key]"), "metadata.key"),
        (("query", "limit"), "limit"),
    ],
)
def test_a_path_is_written_as_the_api_writes_it(location: tuple[Any, ...], expected: str) -> None:
    assert path(location) == expected
