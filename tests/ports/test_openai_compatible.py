"""The openai_compatible backend against its contract, and against a server on a real socket that has every fault."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

import orjson
import pytest
import pytest_asyncio

from zhuli.core.errors import BackendError, ConfigurationError
from zhuli.models.engines.model_server import retry_after
from zhuli.ports import Backend
from zhuli.registry import find
from zhuli.testing import upstream as say
from zhuli.testing.backend_contract import WEATHER, BackendContract, collect
from zhuli.testing.upstream import FaultyUpstream, Received, Reply
from zhuli.types.models.generation import Delta, GenerationRequest, ToolCallDelta, Usage

HELLO = GenerationRequest([{"role": "user", "content": "Hello?"}])
QUICK = {"retries": 2, "retry_base_delay": 0.001, "first_token_timeout": 5, "idle_timeout": 5}
PARIS = {
    "index": 0,
    "id": "call_paris",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'},
}


class TestContract(BackendContract):
    bounds_answers = True

    @pytest_asyncio.fixture
    async def backend(self) -> AsyncIterator[Backend]:
        async with FaultyUpstream(_as_asked) as server:
            backend = make(server.base_url)
            yield backend
            await backend.aclose()

    def settings(self) -> dict[str, Any]:
        return {"base_url": "http://127.0.0.1:1/v1"}

    def failing_prompt(self) -> GenerationRequest:
        return GenerationRequest([{"role": "user", "content": "fail"}])


def _as_asked(request: Received) -> Reply:
    content = request.body["messages"][-1]["content"]
    if "Count" in content:
        return say.answer("one two " * 500, delay=0.01)
    if "fail" in content:
        return say.status(400, "The prompt is too long.")
    return say.tool_calls(PARIS) if "tools" in request.body else say.answer()


class TestAnswers:
    async def test_words_come_one_by_one_and_then_the_usage(self) -> None:
        deltas = await ask(say.answer("Hello my dear"))
        assert [delta.text for delta in deltas] == ["Hello", " my", " dear", ""]
        assert deltas[-1] == Delta(finish="stop", usage=Usage(prompt=7, completion=3))

    async def test_usage_may_be_missing(self) -> None:
        assert (await ask(say.answer(usage=False)))[-1] == Delta(finish="stop")

    async def test_usage_has_cached_and_reasoning_tokens(self) -> None:
        counts = {
            "prompt_tokens": 50,
            "completion_tokens": 9,
            "prompt_tokens_details": {"cached_tokens": 48},
            "completion_tokens_details": {"reasoning_tokens": 4},
        }
        stream = [say.chunk({"content": "Hi"}, finish="stop"), say.event({"choices": [], "usage": counts}), say.DONE]
        assert (await ask(Reply(stream)))[-1].usage == Usage(prompt=50, completion=9, cached=48, reasoning=4)

    @pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
    async def test_reasoning_is_kept_apart(self, field: str) -> None:
        deltas = await ask(say.deltas({field: "Hm."}, {"content": "Yes."}))
        assert [(delta.reasoning, delta.text) for delta in deltas] == [("Hm.", ""), ("", "Yes."), ("", "")]

    async def test_reasoning_in_content_parts_is_kept_apart(self) -> None:
        thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
        deltas = await ask(say.deltas({"content": [thinking]}, {"content": [{"type": "text", "text": "Yes."}]}))
        assert [(delta.reasoning, delta.text) for delta in deltas] == [("Hm.", ""), ("", "Yes."), ("", "")]

    async def test_a_refusal_is_kept_apart(self) -> None:
        assert (await ask(say.deltas({"refusal": "I can't."})))[0] == Delta(refusal="I can't.")

    @pytest.mark.parametrize(
        ("said", "meant"),
        [("length", "length"), ("content_filter", "content_filter"), ("eos", "stop"), ("tool_calls", "stop")],
    )
    async def test_finish_reasons_are_the_four_of_the_port(self, said: str, meant: str) -> None:
        assert (await ask(say.deltas({"content": "Hi"}, finish=said)))[-1].finish == meant

    async def test_a_whole_completion_is_read_although_a_stream_was_asked_for(self) -> None:
        deltas = await ask(say.completion({"role": "assistant", "content": "All of it."}))
        assert deltas == [Delta(text="All of it."), Delta(finish="stop", usage=Usage(prompt=7, completion=3))]

    async def test_a_whole_completion_may_call_tools(self) -> None:
        deltas = await ask(say.completion({"role": "assistant", "content": None, "tool_calls": [PARIS]}))
        assert called(deltas) == [("call_paris", "get_weather", '{"city":"Paris"}')]
        assert deltas[-1].finish == "tool_calls"

    async def test_only_the_first_choice_counts(self) -> None:
        second = say.event({"choices": [{"index": 1, "delta": {"content": "other"}, "finish_reason": None}]})
        assert text(await ask(Reply([second, say.chunk({"content": "this"}), say.DONE]))) == "this"


class TestEventStreams:
    async def test_any_cut_of_the_bytes_gives_the_same_answer(self) -> None:
        stream = say.chunk({"content": "Grüße, 世界 🌍"}) + say.chunk({"content": "!"}, finish="stop") + say.DONE
        for size in (1, 2, 3, 7):
            pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
            assert text(await ask(Reply(pieces))) == "Grüße, 世界 🌍!"

    @pytest.mark.parametrize(
        "stream",
        [
            b'data:{"choices":[{"delta":{"content":"Hi"}}]}\n\ndata:[DONE]\n\n',
            b'data: {"choices":[{"delta":{"content":"Hi"}}]}\r\n\r\ndata: [DONE]\r\n\r\n',
            b': ping\n\nevent: message\nid: 7\ndata: {"choices":[{"delta":{"content":"Hi"}}]}\n\ndata: [DONE]\n\n',
            b'data: {"choices":[{"delta":\ndata: {"content":"Hi"}}]}\n\ndata: [DONE]\n\n',
            b'data: {"choices":[{"delta":{"content":"Hi"}}]}\ndata: [DONE]\n',
            b'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\ndata: [DONE]',
            b'data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n',
            b'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n'
            b'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\ndata: [DONE]\n\ndata: after the end\n\n',
        ],
        ids=[
            "no space",
            "CRLF",
            "other fields",
            "two data lines",
            "no empty line",
            "no last newline",
            "no DONE",
            "after DONE",
        ],
    )
    async def test_lax_streams_are_read(self, stream: bytes) -> None:
        deltas = await ask(Reply([stream]))
        assert text(deltas) == "Hi"
        assert deltas[-1].finish == "stop"

    async def test_broken_json_fails_after_what_was_good(self) -> None:
        async with backend_on(say.broken_json(after="Half of")) as (backend, _):
            await fails(backend, ["Half of"], "server_error", "streamed broken JSON")

    async def test_a_stream_that_ends_without_a_finish_was_cut(self) -> None:
        async with backend_on(say.deltas({"content": "Half of"}, finish=None, done=False)) as (backend, _):
            await fails(backend, ["Half of"], "server_error", "cut the stream")

    async def test_a_connection_that_breaks_was_cut(self) -> None:
        async with backend_on(say.cut(after="Half of")) as (backend, _):
            await fails(backend, ["Half of"], "server_error", "cut the stream")

    @pytest.mark.parametrize("rest", [b"", b'data: {"choices": [], "us'])
    async def test_a_connection_may_break_once_the_answer_has_finished(self, rest: bytes) -> None:
        whole = say.chunk({"content": "Whole"}, finish="stop")
        assert text(await ask(Reply([whole, rest or b": ping\n\n"], ending="cut"))) == "Whole"

    @pytest.mark.parametrize(
        ("error", "code"),
        [
            (b'data: {"error": {"message": "out of memory", "code": 500}}\n\n', "server_error"),
            (b'data: {"error": "out of memory"}\n\n', "server_error"),
            (b'event: error\ndata: {"message": "out of memory"}\n\n', "server_error"),
            (b'error: {"message": "out of memory"}\n\n', "server_error"),
            (b'data: {"error": {"message": "out of memory", "type": "rate_limit_error"}}\n\n', "rate_limit_exceeded"),
            (b'data: {"object": "error", "message": "out of memory", "type": "BadRequestError"}\n\n', "invalid_prompt"),
        ],
    )
    async def test_an_error_inside_the_stream_fails(self, error: bytes, code: str) -> None:
        async with backend_on(Reply([say.chunk({"content": "Half of"}), error])) as (backend, _):
            await fails(backend, ["Half of"], code, "out of memory")

    async def test_an_answer_that_was_given_up_fails(self) -> None:
        async with backend_on(say.deltas({"content": "Half of"}, finish="error")) as (backend, _):
            await fails(backend, ["Half of"], "server_error", "gave the answer up")

    @pytest.mark.parametrize(
        "chunk", [b"[1, 2]", b'{"choices": [7]}', b'{"choices": [{"delta": {"content": 7}}]}', b'{"choices": 1}']
    )
    async def test_chunks_of_an_unknown_shape_fail(self, chunk: bytes) -> None:
        async with backend_on(Reply([b"data: " + chunk + b"\n\n", say.DONE])) as (backend, _):
            with pytest.raises(BackendError, match=r"unknown shape|something else"):
                await collect(backend, HELLO)


class TestToolCalls:
    async def test_arguments_in_pieces(self) -> None:
        deltas = await ask(
            say.tool_calls(
                {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}},
                {"index": 0, "function": {"arguments": '{"a"'}},
                {"index": 0, "function": {"arguments": ": 1}"}},
            )
        )
        assert [piece for delta in deltas for piece in delta.tool_calls] == [
            ToolCallDelta(0, id="call_1", name="f"),
            ToolCallDelta(0, arguments='{"a"'),
            ToolCallDelta(0, arguments=": 1}"),
        ]
        assert deltas[-1].finish == "tool_calls"

    async def test_two_calls_interleaved(self) -> None:
        deltas = await ask(
            say.tool_calls(
                {"index": 0, "id": "call_1", "function": {"name": "f", "arguments": '{"a"'}},
                {"index": 1, "id": "call_2", "function": {"name": "g", "arguments": '{"b"'}},
                [{"index": 1, "function": {"arguments": ": 2}"}}, {"index": 0, "function": {"arguments": ": 1}"}}],
            )
        )
        assert called(deltas) == [("call_1", "f", '{"a": 1}'), ("call_2", "g", '{"b": 2}')]

    @pytest.mark.parametrize("given", [{}, {"id": ""}, {"id": None}], ids=["missing", "empty", "null"])
    async def test_a_missing_id_is_made(self, given: dict[str, Any]) -> None:
        [(made, name, _)] = called(
            await ask(say.tool_calls(given | {"index": 0, "function": {"name": "f", "arguments": "{}"}}))
        )
        assert made.startswith("call_")
        assert len(made) == len("call_") + 24
        assert name == "f"

    @pytest.mark.parametrize("indexes", [(1, 2), (3, 7), (0, 5)])
    async def test_indexes_are_numbered_anew(self, indexes: tuple[int, int]) -> None:
        first, second = indexes
        deltas = await ask(
            say.tool_calls(
                {"index": first, "id": "call_1", "function": {"name": "f", "arguments": "{"}},
                {"index": first, "function": {"arguments": "}"}},
                {"index": second, "id": "call_2", "function": {"name": "g", "arguments": "{}"}},
            )
        )
        assert called(deltas) == [("call_1", "f", "{}"), ("call_2", "g", "{}")]

    async def test_all_calls_under_index_0(self) -> None:
        deltas = await ask(
            say.tool_calls(
                {"index": 0, "id": "call_1", "function": {"name": "f", "arguments": '{"a":1}'}},
                {"index": 0, "id": "call_2", "function": {"name": "f", "arguments": '{"a":2}'}},
            )
        )
        assert called(deltas) == [("call_1", "f", '{"a":1}'), ("call_2", "f", '{"a":2}')]

    async def test_a_new_id_in_each_piece(self) -> None:
        deltas = await ask(
            say.tool_calls(
                {"index": 0, "id": "call_1", "function": {"name": "f", "arguments": '{"a"'}},
                {"index": 0, "id": "call_x", "function": {"arguments": ":1}"}},
            )
        )
        assert called(deltas) == [("call_1", "f", '{"a":1}')]

    async def test_the_name_in_each_piece(self) -> None:
        deltas = await ask(
            say.tool_calls(
                {"index": 0, "id": "call_1", "function": {"name": "f", "arguments": '{"a"'}},
                {"index": 0, "id": "call_1", "function": {"name": "f", "arguments": ":1}"}},
            )
        )
        assert called(deltas) == [("call_1", "f", '{"a":1}')]

    async def test_the_name_after_the_id(self) -> None:
        deltas = await ask(
            say.tool_calls(
                {"index": 0, "id": "call_1", "function": {"arguments": ""}},
                {"index": 0, "function": {"name": "f", "arguments": "{}"}},
            )
        )
        assert called(deltas) == [("call_1", "f", "{}")]

    async def test_no_index_but_ids(self) -> None:
        deltas = await ask(
            say.tool_calls(
                {"id": "call_1", "function": {"name": "f", "arguments": '{"a"'}},
                {"id": "call_1", "function": {"arguments": ":1}"}},
                {"id": "call_2", "function": {"name": "f", "arguments": '{"a":2}'}},
            )
        )
        assert called(deltas) == [("call_1", "f", '{"a":1}'), ("call_2", "f", '{"a":2}')]

    async def test_neither_index_nor_ids(self) -> None:
        deltas = await ask(
            say.tool_calls(
                {"function": {"name": "f", "arguments": '{"a"'}},
                {"function": {"arguments": ":1"}},
                {"function": {"name": "f", "arguments": "}"}},
                {"function": {"name": "f", "arguments": '{"a":2}'}},
                {"function": {"name": "g", "arguments": "{}"}},
            )
        )
        assert [call[1:] for call in called(deltas)] == [("f", '{"a":1}'), ("f", '{"a":2}'), ("g", "{}")]
        assert len({call[0] for call in called(deltas)}) == 3

    async def test_arguments_as_an_object(self) -> None:
        deltas = await ask(
            say.tool_calls({"index": 0, "id": "call_1", "function": {"name": "f", "arguments": {"a": 1}}})
        )
        assert called(deltas) == [("call_1", "f", '{"a":1}')]

    @pytest.mark.parametrize(
        "function", [{"name": "f"}, {"name": "f", "arguments": ""}, {"name": "f", "arguments": None}]
    )
    async def test_no_arguments_are_an_empty_object(self, function: dict[str, Any]) -> None:
        assert called(await ask(say.tool_calls({"index": 0, "id": "call_1", "function": function}))) == [
            ("call_1", "f", "{}")
        ]

    async def test_the_old_function_call(self) -> None:
        deltas = await ask(
            say.deltas(
                {"function_call": {"name": "f", "arguments": '{"a"'}},
                {"function_call": {"arguments": ":1}"}},
                finish="function_call",
            )
        )
        assert [call[1:] for call in called(deltas)] == [("f", '{"a":1}')]
        assert deltas[-1].finish == "tool_calls"

    async def test_stop_although_there_were_calls(self) -> None:
        assert (await ask(say.tool_calls(PARIS, finish="stop")))[-1].finish == "tool_calls"

    async def test_a_call_without_a_name_fails(self) -> None:
        async with backend_on(say.tool_calls({"index": 0, "id": "call_1", "function": {"arguments": "{}"}})) as (
            backend,
            _,
        ):
            with pytest.raises(BackendError, match="without a name"):
                await collect(backend, HELLO)


class TestFailures:
    @pytest.mark.parametrize(
        "failure",
        [
            say.refuse(),
            say.status(408),
            say.status(429),
            say.status(500),
            say.status(503),
            say.status(529),
            Reply(ending="cut"),
        ],
        ids=["hangs up", "408", "429", "500", "503", "529", "cut before a word"],
    )
    async def test_what_may_pass_is_tried_again(self, failure: Reply) -> None:
        async with backend_on(failure, failure, say.answer("There you are.")) as (backend, server):
            assert text(await collect(backend, HELLO)) == "There you are."
            assert len(server.requests) == 3

    @pytest.mark.parametrize(
        ("failure", "code", "says"),
        [
            (say.status(429, "slow down"), "rate_limit_exceeded", "answered 429: slow down"),
            (say.status(500, "oh no"), "server_error", "answered 500: oh no"),
            (
                Reply([b"<h1>Bad gateway</h1>"], status=502, headers={}),
                "server_error",
                "answered 502: <h1>Bad gateway</h1>",
            ),
            (Reply(status=503, headers={}), "server_error", "answered 503: no reason given"),
            (say.refuse(), "server_error", "closed the connection without an answer"),
        ],
    )
    async def test_after_the_last_try_the_error_says_what_happened(self, failure: Reply, code: str, says: str) -> None:
        async with backend_on(failure) as (backend, server):
            await fails(backend, [], code, says)
            assert len(server.requests) == 3

    @pytest.mark.parametrize(
        ("failure", "code", "says"),
        [
            (say.status(400, "context too long"), "invalid_prompt", "answered 400: context too long"),
            (say.status(413, "too large"), "invalid_prompt", "answered 413: too large"),
            (
                Reply([b'{"detail": [{"loc": ["n"], "msg": "bad"}]}'], status=422, headers={}),
                "invalid_prompt",
                "answered 422: bad",
            ),
            (say.status(401, "bad key"), "server_error", "answered 401: bad key"),
            (say.status(404, "no such model"), "server_error", "answered 404: no such model"),
            (say.status(429, "pay first", code="insufficient_quota"), "rate_limit_exceeded", "answered 429: pay first"),
            (Reply(status=307, headers={"Location": "/v2"}), "server_error", "answered 307: no reason given"),
        ],
    )
    async def test_what_will_not_pass_is_not_tried_again(self, failure: Reply, code: str, says: str) -> None:
        async with backend_on(failure) as (backend, server):
            await fails(backend, [], code, says)
            assert len(server.requests) == 1

    async def test_after_the_first_word_nothing_is_tried_again(self) -> None:
        async with backend_on(say.cut(after="Half of"), say.answer()) as (backend, server):
            await fails(backend, ["Half of"], "server_error", "cut the stream")
            assert len(server.requests) == 1

    async def test_nobody_listening_says_so(self) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            backend = make(f"http://127.0.0.1:{closed.getsockname()[1]}/v1")
            await fails(backend, [], "server_error", "can't be reached")
        await backend.aclose()

    async def test_a_long_reason_is_shortened(self) -> None:
        async with backend_on(say.status(400, "so long " * 1000)) as (backend, _):
            with pytest.raises(BackendError) as raised:
                await collect(backend, HELLO)
        assert len(raised.value.message) < 400

    async def test_silence_before_the_answer_ends_the_try(self) -> None:
        async with backend_on(say.stall(), first_token_timeout=0.05) as (backend, server):
            await fails(backend, [], "server_error", "gave no answer within 0.05 s")
            await over(server)

    async def test_comments_are_no_answer(self) -> None:
        pings = Reply([b": ping\n\n"] * 50, delay=0.01, ending="stall")
        async with backend_on(pings, first_token_timeout=0.1, idle_timeout=60) as (backend, _):
            await fails(backend, [], "server_error", "gave no answer within 0.1 s")

    async def test_silence_in_the_middle_ends_the_answer(self) -> None:
        async with backend_on(say.stall(after="Half of"), idle_timeout=0.05) as (backend, server):
            await fails(backend, ["Half of"], "server_error", "fell silent in the middle")
            await over(server)

    async def test_leaving_early_closes_the_connection(self) -> None:
        async with backend_on(say.stall(after="Half of")) as (backend, server):
            async with aclosing(backend.generate(HELLO)) as deltas:
                assert (await anext(deltas)).text == "Half of"
            await over(server)

    async def test_cancelling_while_waiting_closes_the_connection(self) -> None:
        async with backend_on(say.stall()) as (backend, server):
            asking = asyncio.create_task(collect(backend, HELLO))
            await server.arrived.wait()
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            await over(server)


class TestWaiting:
    @pytest.mark.parametrize(
        ("headers", "seconds"),
        [
            ({}, None),
            ({"Retry-After": "2"}, 2),
            ({"Retry-After": "0.5"}, 0.5),
            ({"Retry-After": "2", "retry-after-ms": "150"}, 0.15),
            ({"Retry-After": "Wed, 21 Oct 2026 07:28:05 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 5),
            ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
            ({"Retry-After": "soon"}, None),
            ({"Retry-After": "2", "retry-after-ms": "soon"}, 2),
        ],
    )
    def test_retry_after_is_read_in_all_its_forms(self, headers: dict[str, str], seconds: float | None) -> None:
        assert retry_after(headers) == seconds

    async def test_a_wait_that_is_asked_for_is_kept_and_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        busy = say.status(429, "slow down", headers={"retry-after-ms": "180"})
        async with backend_on(busy, say.answer()) as (backend, _):
            assert text(await collect(backend, HELLO)) == "Hello from upstream."
        assert caplog.messages == [
            "Trying again in 0.2 s. The model server of 'test' answered 429: slow down",
        ]

    async def test_a_wait_beyond_the_cap_fails_at_once_and_says_how_long(self) -> None:
        async with backend_on(say.status(429, headers={"Retry-After": "3600"}), say.answer()) as (backend, server):
            with pytest.raises(BackendError) as raised:
                await collect(backend, HELLO)
            assert (raised.value.run_code, raised.value.retry_after) == ("rate_limit_exceeded", 3600)
            assert len(server.requests) == 1


class TestRequests:
    async def test_what_is_default_is_not_sent(self) -> None:
        assert await sent(HELLO) == {
            "model": "test",
            "messages": [{"role": "user", "content": "Hello?"}],
            "stream": True,
            "stream_options": {"include_usage": True},
        }

    async def test_everything_that_was_asked_for_is_sent(self) -> None:
        schema = {"type": "json_schema", "json_schema": {"name": "s", "schema": {}}}
        request = GenerationRequest(
            HELLO.messages,
            tools=[WEATHER],
            tool_choice="required",
            parallel_tool_calls=False,
            response_format=schema,
            max_tokens=9,
            temperature=0.0,
            top_p=0.5,
            reasoning_effort="low",
            extra={"seed": 7},
        )
        assert (await sent(request)).items() >= {
            "tools": [WEATHER],
            "tool_choice": "required",
            "parallel_tool_calls": False,
            "response_format": schema,
            "max_tokens": 9,
            "temperature": 0.0,
            "top_p": 0.5,
            "reasoning_effort": "low",
            "seed": 7,
        }.items()

    async def test_settings_shape_the_request(self) -> None:
        body = await sent(
            GenerationRequest(HELLO.messages, max_tokens=9, temperature=0.5),
            model="Qwen/Qwen2.5-7B-Instruct",
            max_tokens_field="max_completion_tokens",
            omit=["stream_options", "temperature"],
            extra_body={"top_k": 20},
        )
        assert body == {
            "model": "Qwen/Qwen2.5-7B-Instruct",
            "messages": HELLO.messages,
            "stream": True,
            "max_completion_tokens": 9,
            "top_k": 20,
        }

    async def test_the_key_comes_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TEST_MODEL_KEY", "a-secret\n")
        async with backend_on(say.answer(), api_key_env="TEST_MODEL_KEY", headers={"X-Team": "blue"}) as (
            backend,
            server,
        ):
            await collect(backend, HELLO)
            headers = server.requests[0].headers
        assert (headers["Authorization"], headers["X-Team"]) == ("Bearer a-secret", "blue")

    async def test_the_key_is_in_no_message(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TEST_MODEL_KEY", "a-secret")
        async with backend_on(say.status(401, "Wrong key: a-secret"), api_key_env="TEST_MODEL_KEY") as (backend, _):
            with pytest.raises(BackendError) as raised:
                await collect(backend, HELLO)
        assert raised.value.message == (
            "The model server of 'test' answered 401: Wrong key: *** (its key comes from TEST_MODEL_KEY)"
        )

    async def test_connections_are_used_again(self) -> None:
        async with backend_on(say.answer()) as (backend, server):
            for _ in range(5):
                await collect(backend, HELLO)
            assert len(server.requests) == 5
            assert server.connections == 1

    async def test_text_that_is_not_unicode_has_a_replacement_and_the_thread_goes_on(self) -> None:
        body = await sent(GenerationRequest([{"role": "user", "content": "a\ud800b"}]))
        assert body["messages"] == [{"role": "user", "content": "a\ufffdb"}]

    async def test_other_text_that_is_not_unicode_is_an_invalid_prompt(self) -> None:
        async with backend_on(say.answer()) as (backend, _):
            with pytest.raises(BackendError) as raised:
                await collect(backend, GenerationRequest(HELLO.messages, extra={"stop": "\ud800"}))
        assert raised.value.run_code == "invalid_prompt"


class TestSettings:
    @pytest.mark.parametrize(
        ("settings", "says"),
        [
            ({}, "'base_url' is missing"),
            ({"base_url": "127.0.0.1:8001"}, "'base_url' can't be '127.0.0.1:8001'.*like http://"),
            ({"base_url": "http://h/v1", "retries": "many"}, "'retries' can't be 'many'"),
            ({"base_url": "http://h/v1", "url": "x"}, "unknown setting 'url'. Known: base_url, model, api_key_env"),
            ({"base_url": "http://h/v1", "api_key_env": "NO_SUCH_VARIABLE"}, "NO_SUCH_VARIABLE, which is not set"),
        ],
    )
    async def test_mistakes_are_told_at_the_start(self, settings: dict[str, Any], says: str) -> None:
        with pytest.raises(ConfigurationError, match=says):
            find("backends", "openai_compatible")("test", settings)


def make(base_url: str, **settings: Any) -> Backend:
    backend: Backend = find("backends", "openai_compatible")("test", {"base_url": base_url, **QUICK, **settings})
    return backend


@asynccontextmanager
async def backend_on(*replies: Reply, **settings: Any) -> AsyncIterator[tuple[Backend, FaultyUpstream]]:
    async with FaultyUpstream(replies) as server:
        backend = make(server.base_url, **settings)
        yield backend, server
        await backend.aclose()


async def ask(reply: Reply) -> list[Delta]:
    async with backend_on(reply) as (backend, _):
        return await collect(backend, HELLO)


async def sent(request: GenerationRequest, **settings: Any) -> dict[str, Any]:
    async with backend_on(say.answer(), **settings) as (backend, server):
        await collect(backend, request)
        return server.requests[0].body


async def fails(backend: Backend, after: list[str], code: str, says: str) -> None:
    """Asserts that the answer fails after these words, with this run code and a message that says this."""
    words: list[str] = []
    with pytest.raises(BackendError) as raised:
        await _hear(backend, words)
    assert words == after
    assert raised.value.run_code == code
    assert says in raised.value.message


async def _hear(backend: Backend, words: list[str]) -> None:
    async with aclosing(backend.generate(HELLO)) as deltas:
        async for delta in deltas:
            words.append(delta.text)


async def over(server: FaultyUpstream) -> None:
    """Waits until the server has seen its first client leave."""
    async with asyncio.timeout(5):
        await server.requests[0].gone.wait()


def text(deltas: Sequence[Delta]) -> str:
    return "".join(delta.text for delta in deltas)


def called(deltas: Sequence[Delta]) -> list[tuple[str, str, str]]:
    """Id, name and joined arguments of each call; fails where the indexes or first pieces break the port's promise."""
    pieces = [piece for delta in deltas for piece in delta.tool_calls]
    count = max((piece.index for piece in pieces), default=-1) + 1
    calls = []
    for index in range(count):
        first, *more = [piece for piece in pieces if piece.index == index]
        assert first.id
        assert first.name
        assert [piece for piece in more if piece.id or piece.name] == []
        arguments = "".join(piece.arguments for piece in (first, *more))
        assert orjson.loads(arguments) is not None
        calls.append((first.id, first.name, arguments))
    return calls
