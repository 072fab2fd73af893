"""Every limit of every parameter: what is just allowed passes, what is just too much is refused in the API's words.

One table per kind of limit. Parameters of runs are in test_runs*.py.
"""

from typing import Any

import httpx2
import pytest

from tests.harness.refusals import assert_refused

ASSISTANTS = "/v1/assistants"
THREADS = "/v1/threads"
FUNCTION = {"type": "function", "function": {"name": "f"}}
MODEL = {"model": "gpt-4o"}


def user(content: Any, **more: Any) -> dict[str, Any]:
    return {"role": "user", "content": content, **more}


def metadata(pairs: int) -> dict[str, str]:
    return {f"key{n}": "value" for n in range(pairs)}


def named_function(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


def file_search(**settings: Any) -> dict[str, Any]:
    return {"type": "file_search", "file_search": settings}


def json_schema(name: str) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": name, "schema": {"type": "object"}}}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (ASSISTANTS, {**MODEL, "name": "n" * 256}),
        (ASSISTANTS, {**MODEL, "description": "d" * 512}),
        (ASSISTANTS, {**MODEL, "instructions": "i" * 256_000}),
        (ASSISTANTS, {**MODEL, "tools": [named_function(f"f{n}") for n in range(128)]}),
        (ASSISTANTS, {**MODEL, "tools": [named_function("a-Z_0" + "9" * 59)]}),
        (ASSISTANTS, {**MODEL, "tools": [file_search(max_num_results=1), file_search(max_num_results=50)]}),
        (ASSISTANTS, {**MODEL, "tools": [file_search(ranking_options={"score_threshold": 1, "ranker": "auto"})]}),
        (ASSISTANTS, {**MODEL, "metadata": metadata(16)}),
        (ASSISTANTS, {**MODEL, "metadata": {"k" * 64: "v" * 512}}),
        (ASSISTANTS, {**MODEL, "temperature": 0, "top_p": 0}),
        (ASSISTANTS, {**MODEL, "temperature": 2, "top_p": 1}),
        (ASSISTANTS, {**MODEL, "tool_resources": {"code_interpreter": {"file_ids": []}}}),
        (ASSISTANTS, {**MODEL, "tool_resources": {"file_search": {"vector_store_ids": []}}}),
        (ASSISTANTS, {**MODEL, "response_format": "auto"}),
        (ASSISTANTS, {**MODEL, "response_format": {"type": "text"}}),
        (ASSISTANTS, {**MODEL, "response_format": {"type": "json_object"}}),
        (ASSISTANTS, {**MODEL, "response_format": json_schema("s" * 64)}),
        (ASSISTANTS, {**MODEL, **dict.fromkeys(("name", "description", "instructions", "metadata"))}),
        (ASSISTANTS, {**MODEL, **dict.fromkeys(("temperature", "top_p", "response_format", "tool_resources"))}),
        *[
            (ASSISTANTS, {**MODEL, "reasoning_effort": effort})
            for effort in ("none", "minimal", "low", "medium", "high", "xhigh", "max", None)
        ],
        (THREADS, {"metadata": metadata(16), "messages": [user("hi")]}),
        (THREADS, {"messages": None, "tool_resources": None, "metadata": None}),
        (THREADS, {"messages": [user("c" * 256_000)]}),
        (THREADS, {"messages": [user([{"type": "text", "text": "hi"}] * 3, attachments=None, metadata=None)]}),
    ],
)
def test_what_is_just_allowed_passes(http: httpx2.Client, path: str, body: dict[str, Any]) -> None:
    assert http.post(path, json=body).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "param", "limit", "length"),
    [
        (ASSISTANTS, {**MODEL, "name": "n" * 257}, "name", 256, 257),
        (ASSISTANTS, {**MODEL, "description": "d" * 513}, "description", 512, 513),
        (ASSISTANTS, {**MODEL, "instructions": "i" * 256_001}, "instructions", 256_000, 256_001),
        (ASSISTANTS, {**MODEL, "metadata": {"k": "v" * 513}}, "metadata.k", 512, 513),
        (ASSISTANTS, {**MODEL, "tools": [FUNCTION, named_function("f" * 65)]}, "tools[1].function.name", 64, 65),
        (ASSISTANTS, {**MODEL, "response_format": json_schema("s" * 65)}, "response_format.json_schema.name", 64, 65),
        (THREADS, {"messages": [user("c" * 256_001)]}, "messages[0].content", 256_000, 256_001),
    ],
)
def test_a_string_that_is_too_long(
    http: httpx2.Client, path: str, body: dict[str, Any], param: str, limit: int, length: int
) -> None:
    assert_refused(
        http.post(path, json=body),
        400,
        f"Invalid '{param}': string too long. "
        f"Expected a string with maximum length {limit}, but got a string with length {length} instead.",
        param=param,
        code="string_above_max_length",
    )


@pytest.mark.parametrize(
    ("path", "body", "param", "limit", "length"),
    [
        (ASSISTANTS, {**MODEL, "tools": [FUNCTION] * 163}, "tools", 128, 163),
        (
            ASSISTANTS,
            {**MODEL, "tool_resources": {"code_interpreter": {"file_ids": ["file-a"] * 21}}},
            "tool_resources.code_interpreter.file_ids",
            20,
            21,
        ),
        (
            THREADS,
            {"tool_resources": {"file_search": {"vector_store_ids": ["vs_a", "vs_b"]}}},
            "tool_resources.file_search.vector_store_ids",
            1,
            2,
        ),
        (
            THREADS,
            {"tool_resources": {"file_search": {"vector_stores": [{}, {}]}}},
            "tool_resources.file_search.vector_stores",
            1,
            2,
        ),
    ],
)
def test_an_array_that_is_too_long(
    http: httpx2.Client, path: str, body: dict[str, Any], param: str, limit: int, length: int
) -> None:
    assert_refused(
        http.post(path, json=body),
        400,
        f"Invalid '{param}': array too long. "
        f"Expected an array with maximum length {limit}, but got an array with length {length} instead.",
        param=param,
        code="array_above_max_length",
    )


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        (ASSISTANTS, {}, "model"),
        (ASSISTANTS, {**MODEL, "tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
        (ASSISTANTS, {**MODEL, "tools": [{"type": "function"}]}, "tools[0].function"),
        (
            ASSISTANTS,
            {**MODEL, "tools": [file_search(ranking_options={})]},
            "tools[0].file_search.ranking_options.score_threshold",
        ),
        (ASSISTANTS, {**MODEL, "response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        (THREADS, {"messages": [{"role": "user"}]}, "messages[0].content"),
        (THREADS, {"messages": [{"content": "hi"}]}, "messages[0].role"),
        (THREADS, {"messages": [user([{"type": "text"}])]}, "messages[0].content[0].text"),
        (
            THREADS,
            {"messages": [user([{"type": "image_url", "image_url": {}}])]},
            "messages[0].content[0].image_url.url",
        ),
    ],
)
def test_a_required_parameter_that_is_missing(http: httpx2.Client, path: str, body: dict[str, Any], param: str) -> None:
    assert_refused(
        http.post(path, json=body),
        400,
        f"Missing required parameter: '{param}'.",
        param=param,
        code="missing_required_parameter",
    )


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        (ASSISTANTS, {**MODEL, "colour": "blue"}, "colour"),
        (ASSISTANTS, {**MODEL, "file_ids": []}, "file_ids"),
        (ASSISTANTS, {**MODEL, "tools": [{"type": "code_interpreter", "gpu": True}]}, "tools[0].gpu"),
        (THREADS, {"messages": [user("hi", name="Bob")]}, "messages[0].name"),
        (THREADS, {"title": "Holidays"}, "title"),
    ],
)
def test_a_parameter_that_does_not_exist(http: httpx2.Client, path: str, body: dict[str, Any], param: str) -> None:
    assert_refused(
        http.post(path, json=body), 400, f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter"
    )


@pytest.mark.parametrize(
    ("path", "body", "param", "expected", "got"),
    [
        (ASSISTANTS, {"model": 4}, "model", "a string", "an integer"),
        (ASSISTANTS, {"model": None}, "model", "a string", "null"),
        (ASSISTANTS, {**MODEL, "tools": {}}, "tools", "an array", "an object"),
        (ASSISTANTS, {**MODEL, "metadata": "x"}, "metadata", "an object", "a string"),
        (ASSISTANTS, {**MODEL, "metadata": {"k": 1}}, "metadata.k", "a string", "an integer"),
        (ASSISTANTS, {**MODEL, "temperature": "hot"}, "temperature", "a decimal", "a string"),
        (ASSISTANTS, {**MODEL, "temperature": "1"}, "temperature", "a decimal", "a string"),
        (ASSISTANTS, {**MODEL, "name": True}, "name", "a string", "a boolean"),
        (THREADS, {"messages": "hi"}, "messages", "an array", "a string"),
    ],
)
def test_a_value_of_the_wrong_type(
    http: httpx2.Client, path: str, body: dict[str, Any], param: str, expected: str, got: str
) -> None:
    message = assert_refused(http.post(path, json=body), 400, param=param, code="invalid_type")
    assert message.startswith(f"Invalid type for '{param}': expected {expected}")
    assert f"but got {got} instead." in message


@pytest.mark.parametrize(
    ("body", "param", "reason", "code"),
    [
        (
            {"temperature": 2.5},
            "temperature",
            "decimal above maximum value. Expected a value <= 2",
            "decimal_above_max_value",
        ),
        (
            {"temperature": -1},
            "temperature",
            "decimal below minimum value. Expected a value >= 0",
            "decimal_below_min_value",
        ),
        ({"top_p": 1.5}, "top_p", "decimal above maximum value. Expected a value <= 1", "decimal_above_max_value"),
        (
            {"tools": [file_search(max_num_results=0)]},
            "tools[0].file_search.max_num_results",
            "integer below minimum value. Expected a value >= 1",
            "integer_below_min_value",
        ),
        (
            {"tools": [file_search(max_num_results=51)]},
            "tools[0].file_search.max_num_results",
            "integer above maximum value. Expected a value <= 50",
            "integer_above_max_value",
        ),
    ],
)
def test_a_number_that_is_out_of_range(
    http: httpx2.Client, body: dict[str, Any], param: str, reason: str, code: str
) -> None:
    message = assert_refused(http.post(ASSISTANTS, json={**MODEL, **body}), 400, param=param, code=code)
    assert message.startswith(f"Invalid '{param}': {reason}")


@pytest.mark.parametrize(
    ("path", "body", "param", "supported"),
    [
        (THREADS, {"messages": [{"role": "system", "content": "hi"}]}, "messages[0].role", ["user", "assistant"]),
        (ASSISTANTS, {**MODEL, "reasoning_effort": "huge"}, "reasoning_effort", ["none", "minimal", "max"]),
        (
            ASSISTANTS,
            {**MODEL, "tools": [{"type": "retrieval"}]},
            "tools[0].type",
            ["code_interpreter", "file_search", "function"],
        ),
        (
            THREADS,
            {
                "messages": [
                    user([{"type": "image_url", "image_url": {"url": "https://a.example/a.png", "detail": "blurred"}}])
                ]
            },
            "messages[0].content[0].image_url.detail",
            ["auto", "low", "high"],
        ),
        (
            THREADS,
            {"messages": [user([{"type": "video"}])]},
            "messages[0].content[0].type",
            ["image_file", "image_url", "text"],
        ),
    ],
)
def test_a_word_that_is_not_one_of_the_supported(
    http: httpx2.Client, path: str, body: dict[str, Any], param: str, supported: list[str]
) -> None:
    message = assert_refused(http.post(path, json=body), 400, param=param, code="invalid_value")
    assert all(f"'{word}'" in message for word in supported), message


def test_a_name_may_hold_only_letters_digits_underscores_and_dashes(http: httpx2.Client) -> None:
    body = {**MODEL, "tools": [named_function("get weather!")]}
    message = assert_refused(
        http.post(ASSISTANTS, json=body), 400, param="tools[0].function.name", code="invalid_value"
    )
    assert "string does not match pattern" in message


def test_metadata_has_at_most_16_pairs(http: httpx2.Client) -> None:
    for path, body in ((ASSISTANTS, MODEL), (THREADS, {})):
        response = http.post(path, json={**body, "metadata": metadata(17)})
        message = assert_refused(response, 400, param="metadata", code="object_above_max_properties")
        assert "16" in message and "17" in message


def test_metadata_keys_have_at_most_64_characters(http: httpx2.Client) -> None:
    response = http.post(THREADS, json={"metadata": {"k" * 65: "v"}})
    assert response.status_code == 400
    assert response.json()["error"]["param"].startswith("metadata")
    assert "64" in response.json()["error"]["message"]


def test_content_parts_are_at_least_one(http: httpx2.Client) -> None:
    message = assert_refused(
        http.post(THREADS, json={"messages": [user([])]}), 400, param="messages[0].content", code="empty_array"
    )
    assert "minimum length 1" in message


def test_text_is_counted_in_characters_not_bytes(http: httpx2.Client) -> None:
    """256,000 characters of three bytes each."""
    assert http.post(THREADS, json={"messages": [user("猪" * 256_000)]}).status_code == 200


def test_vector_stores_and_vector_store_ids_exclude_each_other(http: httpx2.Client) -> None:
    resources = {"file_search": {"vector_store_ids": ["vs_a"], "vector_stores": [{}]}}
    assert http.post(THREADS, json={"tool_resources": resources}).status_code == 400


def test_the_vector_store_helper_is_for_create_only(http: httpx2.Client) -> None:
    thread = http.post(THREADS, json={}).json()["id"]
    response = http.post(f"{THREADS}/{thread}", json={"tool_resources": {"file_search": {"vector_stores": [{}]}}})
    assert_refused(
        response,
        400,
        "Unknown parameter: 'tool_resources.file_search.vector_stores'.",
        param="tool_resources.file_search.vector_stores",
        code="unknown_parameter",
    )
