"""Every shape in which model servers are known to answer, good and bad; docs/models.md has the table of them."""

import gzip
from typing import Any

import orjson
import pytest

from tests.ports.test_openai_compatible import HELLO, ask, backend_on, called, fails, text
from zhuli.core.errors import BackendError
from zhuli.plugins.backends import openai_compatible
from zhuli.testing import upstream as say
from zhuli.testing.backend_contract import collect
from zhuli.testing.upstream import Reply
from zhuli.types.models.generation import Delta, GenerationRequest, Usage

HI = b'{"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}'
JSON = {"Content-Type": "application/json"}


class TestBytes:
    @pytest.mark.parametrize(
        "stream",
        [
            b"\xef\xbb\xbfdata: " + HI + b"\n\ndata: [DONE]\n\n",
            b"data: " + HI + b"\r\rdata: [DONE]\r\r",
            b"\n\ndata: " + HI + b"\n\n",
            b"data:\n\ndata: null\n\ndata: " + HI + b"\n\ndata: [DONE]\n\n",
            b"event: ping\n\nretry: 10\n\n: x\n\ndata: " + HI + b"\n\n",
            b"data: [" + HI + b"]\n\n",
            b"data: " + HI + b"\n\ntrailing garbage",
            HI,
            b"[" + HI + b"]",
            HI + b"\n" + b'{"choices":[],"usage":{"prompt_tokens":1}}\n',
        ],
        ids=[
            "BOM",
            "CR",
            "empty lines first",
            "empty and null",
            "other fields",
            "a list of one",
            "garbage behind",
            "one object",
            "a list around it",
            "a line each",
        ],
    )
    @pytest.mark.parametrize("kind", ["text/event-stream", "application/json", "text/plain"])
    async def test_the_form_is_told_by_the_bytes(self, stream: bytes, kind: str) -> None:
        for size in (1, len(stream)):
            pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
            assert text(await ask(Reply(pieces, headers={"Content-Type": kind}))) == "Hi"

    async def test_lines_end_with_cr_lf_or_both_wherever_the_bytes_are_cut(self) -> None:
        stream = b"data: " + HI.replace(b',"finish_reason":"stop"', b"") + b"\r\n\r\n"
        stream += b"data: " + HI + b"\r\r" + say.DONE
        for cut in range(1, len(stream)):
            assert text(await ask(Reply([stream[:cut], stream[cut:]]))) == "HiHi"

    async def test_a_compressed_stream_is_read(self) -> None:
        headers = {"Content-Type": "text/event-stream", "Content-Encoding": "gzip"}
        assert text(await ask(Reply([gzip.compress(b"data: " + HI + b"\n\n")], headers=headers))) == "Hi"

    async def test_bytes_that_are_no_utf_8_are_replaced(self) -> None:
        assert text(await ask(Reply([b"data: " + HI.replace(b"Hi", b"H\xff\xe4i") + b"\n\n"]))) == "H\ufffd\ufffdi"

    async def test_a_character_in_two_halves_is_joined(self) -> None:
        halves = [
            HI.replace(b"Hi", half).replace(b'"stop"', b"null") for half in (rb"a\ud83c", rb"\udf0db", rb"\ud83c")
        ]
        stream = b"".join(b"data: " + half + b"\n\n" for half in halves) + say.DONE
        assert text(await ask(Reply([stream]))) == "a🌍b\ufffd"

    async def test_halves_in_reasoning_and_arguments_are_whole_characters_too(self) -> None:
        function = rb'{"index":0,"id":"c","function":{"name":"f","arguments":"{\"a\":\"\ud83c"}}'
        rest = rb'{"index":0,"function":{"arguments":"\udf0d\ud83c\"}"}}'
        stream = b"".join(
            b'data: {"choices":[{"delta":{"reasoning":"\\ud83c","tool_calls":[' + piece + b"]}}]}\n\n"
            for piece in (function, rest)
        )
        deltas = await ask(Reply([stream + say.DONE]))
        assert called(deltas) == [("c", "f", '{"a":"🌍\ufffd"}')]
        assert "".join(delta.reasoning for delta in deltas) == "\ufffd\ufffd"

    async def test_numbers_that_json_does_not_know_end_nothing(self) -> None:
        stream = b"data: " + HI.replace(b'"index":0', b'"index":0,"logprobs":NaN') + b"\n\n"
        assert text(await ask(Reply([stream]))) == "Hi"

    async def test_an_event_over_many_lines_is_read_once(self) -> None:
        lines = b"\n".join(b"data: " + line for line in HI.replace(b",", b",\n").replace(b":", b":\n").split(b"\n"))
        assert text(await ask(Reply([lines + b"\n\n"]))) == "Hi"

    @pytest.mark.parametrize("kind", ["text/event-stream", "application/json"])
    async def test_an_error_with_status_200_fails(self, kind: str) -> None:
        error = b'[{"error": {"code": 429, "message": "slow down"}}]'
        async with backend_on(Reply([error], headers={"Content-Type": kind}), retries=0) as (backend, _):
            await fails(backend, [], "rate_limit_exceeded", "slow down")


class TestChunks:
    @pytest.mark.parametrize(
        "choices",
        [
            None,
            [],
            [None],
            [{"index": "0", "delta": {"content": "Hi"}}],
            [{"index": 1, "delta": {"content": "other"}}, {"index": 0, "delta": {"content": "Hi"}}],
            [{"delta": {"role": "assistant", "content": None, "tool_calls": None, "function_call": None}}],
            [{"delta": {"content": [{"type": "text", "text": "Hi"}, "!", {"type": "audio"}]}}],
            [{"delta": {"content": {"type": "text", "text": "Hi"}}}],
            [{"delta": None, "message": {"content": "Hi"}}],
            [{"text": "Hi"}],
            [{"delta": {"reasoning_content": None, "reasoning": [{"text": "odd"}], "content": "Hi"}}],
            [{"delta": {"content": "Hi"}, "finish_reason": {"type": "stop"}}],
        ],
    )
    async def test_odd_choices_say_what_can_be_read(self, choices: Any) -> None:
        good = say.chunk({"content": "."}, finish="stop")
        said = text(await ask(Reply([say.event({"choices": choices}), good, say.DONE])))
        assert said.replace("!", "") in {".", "Hi."}

    @pytest.mark.parametrize(
        ("said", "meant"),
        [("MAX_TOKENS", "length"), ("STOP", "stop"), ("sensitive", "content_filter"), ("SAFETY", "content_filter")],
    )
    async def test_finish_reasons_of_other_apis_are_known(self, said: str, meant: str) -> None:
        assert (await ask(say.deltas({"content": "Hi"}, finish=said)))[-1].finish == meant

    @pytest.mark.parametrize(
        ("usage", "read"),
        [
            ({"prompt_tokens": "7", "completion_tokens": 3.0}, Usage(7, 3)),
            ({"prompt_tokens": None, "completion_tokens": "many"}, Usage(0, 0)),
            ({"prompt_tokens": 7, "completion_tokens": -1, "prompt_tokens_details": None}, Usage(7, 0)),
            (12, None),
            ([], None),
        ],
    )
    async def test_odd_usage_ends_nothing(self, usage: Any, read: Usage | None) -> None:
        stream = [say.chunk({"content": "Hi"}, finish="stop"), say.event({"choices": [], "usage": usage}), say.DONE]
        assert (await ask(Reply(stream)))[-1].usage == read

    async def test_usage_of_groq_is_found(self) -> None:
        counted = {"choices": [], "x_groq": {"usage": {"prompt_tokens": 7, "completion_tokens": 3}}}
        stream = [say.chunk({"content": "Hi"}, finish="stop"), say.event(counted), say.DONE]
        assert (await ask(Reply(stream)))[-1].usage == Usage(7, 3)

    async def test_an_answer_that_has_finished_counts_though_usage_and_end_never_come(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(openai_compatible, "_AFTER_FINISH", 0.05)
        silent = Reply([say.chunk({"content": "Hi"}, finish="stop")], ending="stall")
        deltas = await ask(silent)
        assert text(deltas) == "Hi" and deltas[-1] == Delta(finish="stop")


class TestCalls:
    async def test_two_calls_of_one_id_get_two(self) -> None:
        deltas = await ask(say.tool_calls(piece("f", '{"a":1}', index=0, id="c"), piece("g", "{}", index=1, id="c")))
        (first, *_), (second, *_) = called(deltas)
        assert first == "c"
        assert second.startswith("call_")

    @pytest.mark.parametrize("more", [{}, {"id": ""}, {"id": "same"}, {"id": None}])
    async def test_calls_that_are_all_numbered_0_are_told_apart(self, more: dict[str, Any]) -> None:
        deltas = await ask(
            say.tool_calls(
                piece("f", '{"a":"}"}', index=0, **more),
                piece("g", '{"b":', index=0, **more),
                {"index": 0, "function": {"arguments": "2}"}},
                piece("g", '{"b":3}', index=0, **more),
                piece("g", "", index=0, **more),
                {"index": 0, "function": {"arguments": '{"b":4}'}},
            )
        )
        assert [call[1:] for call in called(deltas)] == [
            ("f", '{"a":"}"}'),
            ("g", '{"b":2}'),
            ("g", '{"b":3}'),
            ("g", '{"b":4}'),
        ]
        assert len({call[0] for call in called(deltas)}) == 4

    async def test_objects_glued_in_one_piece_are_calls_of_their_own(self) -> None:
        deltas = await ask(say.tool_calls(piece("f", '{"a":1}{"a":2}\n{"a":3}', index=0, id="c")))
        assert [call[1:] for call in called(deltas)] == [("f", '{"a":1}'), ("f", '{"a":2}'), ("f", '{"a":3}')]

    async def test_a_call_that_is_said_once_more_at_the_end_is_one_call(self) -> None:
        whole = piece("f", '{"a":1}', index=0, id="c")
        deltas = await ask(say.tool_calls(piece("f", '{"a"', index=0, id="c"), piece("", ":1}", index=0), whole))
        assert called(deltas) == [("c", "f", '{"a":1}')]

    @pytest.mark.parametrize(
        "given",
        [
            {"index": "0", "id": "c", "function": {"name": "f", "arguments": "{}"}},
            {"index": 0, "id": "c", "name": "f", "arguments": "{}"},
            {"index": None, "id": "c", "function": {"name": "f", "arguments": {}}},
        ],
        ids=["index as text", "without function", "index null"],
    )
    async def test_odd_pieces_are_read(self, given: dict[str, Any]) -> None:
        assert called(await ask(say.tool_calls(given))) == [("c", "f", "{}")]

    async def test_calls_may_be_one_object(self) -> None:
        deltas = await ask(say.deltas({"tool_calls": piece("f", "{}", index=0, id="c")}, finish="tool_calls"))
        assert called(deltas) == [("c", "f", "{}")]


class TestBounds:
    @pytest.mark.parametrize("kind", ["content", "reasoning_content", "refusal"])
    async def test_a_server_that_ignores_max_tokens_is_stopped(self, kind: str) -> None:
        async with backend_on(say.endless({kind: "and so on "})) as (backend, server):
            deltas = await collect(backend, GenerationRequest(HELLO.messages, max_tokens=10))
            assert deltas[-1].finish == "length"
            assert len(deltas) == 11
            await server.requests[0].gone.wait()

    async def test_so_are_arguments_without_an_end(self) -> None:
        endless = say.endless({"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": '"well", '}}]})
        async with backend_on(endless) as (backend, _):
            deltas = await collect(backend, GenerationRequest(HELLO.messages, max_tokens=10))
        assert (len(deltas), deltas[-1].finish) == (11, "length")

    async def test_a_proxy_that_cuts_finer_than_tokens_loses_nothing(self) -> None:
        reply = say.deltas(*({"content": letter} for letter in "a sentence of ten tokens"))
        async with backend_on(reply) as (backend, _):
            deltas = await collect(backend, GenerationRequest(HELLO.messages, max_tokens=8))
        assert (text(deltas), deltas[-1].finish) == ("a sentence of ten tokens", "stop")

    async def test_an_answer_of_too_many_bytes_fails_and_says_so(self) -> None:
        async with backend_on(say.endless({"content": "和" * 100}), max_answer_bytes=2048) as (backend, server):
            with pytest.raises(BackendError, match="went past 2048 bytes, its max_answer_bytes"):
                await collect(backend, HELLO)
            await server.requests[0].gone.wait()

    @pytest.mark.parametrize("begin", [b'data: {"choices": "', b'{"choices": "', b": ", b"data: {\ndata: 1\n"])
    async def test_a_line_or_an_object_without_an_end_fails(self, begin: bytes) -> None:
        more = b"data: " + b"x" * 9_000 + b"\n" if begin.endswith(b"\n") else b"x" * 9_000
        async with backend_on(Reply([begin, *[more] * 20], ending="stall"), max_answer_bytes=1024) as (backend, _):
            with pytest.raises(BackendError, match="without the end of a piece"):
                await collect(backend, HELLO)


def piece(name: str, arguments: str, **more: Any) -> dict[str, Any]:
    return {**more, "type": "function", "function": {"name": name, "arguments": arguments}}


def test_the_samples_are_what_they_say() -> None:
    assert orjson.loads(HI)["choices"][0]["delta"] == {"content": "Hi"}
