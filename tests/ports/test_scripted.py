"""The scripted backend against its contract, and its script format, rule by rule and piece by piece."""

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import Any

import orjson
import pytest

from zhuli.core.errors import BackendError, ConfigurationError
from zhuli.core.tokens import estimate
from zhuli.ports import Backend
from zhuli.registry import find
from zhuli.testing.backend_contract import WEATHER, BackendContract, collect
from zhuli.types.models.generation import Delta, GenerationRequest, ToolCallDelta, Usage

CALL = {"name": "get_weather", "arguments": {"city": "Paris"}}


SCRIPT: dict[str, Any] = {
    "rules": [
        {"when": {"tools": True}, "reply": [{"tool_call": CALL}, {"tool_call": {**CALL, "pieces": 3}}]},
        {"when": {"last": "^Count"}, "reply": [{"text": "another word ", "repeat": 500, "delay": 0.01}]},
        {"when": {"last": "far too long"}, "reply": [{"fault": "server_error"}]},
    ],
    "default": [{"reasoning": "Hm."}, {"text": "Hello "}, {"text": "there."}],
}


class TestContract(BackendContract):
    @pytest.fixture
    def backend(self) -> Backend:
        return scripted(SCRIPT)

    def settings(self) -> dict[str, Any]:
        return {"script": SCRIPT}


class TestRules:
    @pytest.mark.parametrize(
        ("when", "holds"),
        [
            ({}, True),
            ({"last": "wea.her"}, True),
            ({"last": "^weather"}, False),
            ({"role": "user"}, True),
            ({"role": "tool"}, False),
            ({"any": "Be kind"}, True),
            ({"any": "Be rude"}, False),
            ({"tools": False}, True),
            ({"tools": True}, False),
            ({"last": "weather", "role": "user", "any": "kind", "tools": False}, True),
            ({"last": "weather", "role": "tool"}, False),
        ],
    )
    async def test_a_rule_is_used_when_all_its_conditions_hold(self, when: dict[str, Any], holds: bool) -> None:
        backend = scripted({"rules": [{"when": when, "reply": [{"text": "rule"}]}], "default": [{"text": "default"}]})
        request = prompt("Be kind.", "How is the weather?")
        assert await text_of_answer(backend, request) == ("rule" if holds else "default")

    async def test_the_first_rule_that_holds_is_used(self) -> None:
        rules = [{"reply": [{"text": "first"}]}, {"reply": [{"text": "second"}]}]
        assert await text_of_answer(scripted({"rules": rules})) == "first"

    async def test_text_in_parts_is_searched_too(self) -> None:
        parts = [{"type": "text", "text": "How is the "}, {"type": "text", "text": "weather?"}]
        backend = scripted({"rules": [{"when": {"last": "the weather"}, "reply": [{"text": "found"}]}]})
        assert await text_of_answer(backend, GenerationRequest([{"role": "user", "content": parts}])) == "found"

    async def test_an_attempt_counts_for_one_prompt(self) -> None:
        second = {"when": {"attempt": 2}, "reply": [{"text": "second"}]}
        backend = scripted({"rules": [second], "default": [{"text": "other"}]})
        asked = [prompt("a"), prompt("a"), prompt("b"), prompt("a"), prompt("b")]
        assert [await text_of_answer(backend, request) for request in asked] == [
            "other",
            "second",
            "other",
            "other",
            "second",
        ]

    async def test_a_script_without_an_answer_fails(self) -> None:
        with pytest.raises(BackendError, match="no default"):
            await collect(scripted({"rules": []}), prompt("Hello?"))


class TestPieces:
    async def test_text_is_repeated_and_filled_in(self) -> None:
        deltas = await answer({"text": "{n}: {last} "}, {"text": "ha", "repeat": 3})
        assert [delta.text for delta in deltas] == ["1: Hello? ", "ha", "ha", "ha", ""]

    async def test_reasoning_and_refusals_are_kept_apart(self) -> None:
        deltas = await answer({"reasoning": "Hm."}, {"refusal": "No."})
        assert deltas[:2] == [Delta(reasoning="Hm."), Delta(refusal="No.")]

    async def test_tool_calls_are_numbered_and_get_ids(self) -> None:
        deltas = await answer(
            {"tool_call": {**CALL, "id": "call_mine"}}, {"tool_call": {"name": "f", "arguments": "{"}}
        )
        first, second = (piece for delta in deltas for piece in delta.tool_calls)
        assert first == ToolCallDelta(0, id="call_mine", name="get_weather", arguments='{"city":"Paris"}')
        assert (second.index, second.name, second.arguments) == (1, "f", "{")
        assert second.id
        assert len(second.id) == len("call_") + 24
        assert deltas[-1].finish == "tool_calls"

    async def test_arguments_come_in_as_many_pieces_as_wanted(self) -> None:
        deltas = await answer({"tool_call": {**CALL, "pieces": 4}})
        pieces = [piece.arguments for delta in deltas for piece in delta.tool_calls]
        assert len(pieces) == 4
        assert "".join(pieces) == '{"city":"Paris"}'

    async def test_usage_is_estimated(self) -> None:
        usage = (await answer({"text": "Hello there, you."}))[-1].usage
        assert usage == Usage(prompt=estimate("Hello?"), completion=estimate("Hello there, you."))

    async def test_usage_and_finish_can_be_given(self) -> None:
        deltas = await answer({"usage": {"prompt": 1, "completion": 2}}, {"finish": "content_filter"})
        assert deltas == [Delta(finish="content_filter", usage=Usage(prompt=1, completion=2))]

    async def test_max_tokens_are_words(self) -> None:
        pieces = [{"text": "one two "}, {"text": "three four five"}, {"tool_call": CALL}]
        deltas = await collect(scripted({"default": pieces}), GenerationRequest(prompt("?").messages, max_tokens=3))
        assert [delta.text for delta in deltas] == ["one two ", "three", ""]
        assert deltas[-1].finish == "length"
        assert deltas[-1].usage

    async def test_an_answer_of_just_max_tokens_stops(self) -> None:
        request = GenerationRequest(prompt("?").messages, max_tokens=2)
        deltas = await collect(scripted({"default": [{"text": "one two"}]}), request)
        assert deltas[-1].finish == "stop"

    @pytest.mark.parametrize(
        ("fault", "code"),
        [
            ("refuse", "server_error"),
            ("rate_limit", "rate_limit_exceeded"),
            ("server_error", "server_error"),
            ("cut", "server_error"),
        ],
    )
    async def test_faults_fail_after_what_was_said(self, fault: str, code: str) -> None:
        said: list[str] = []
        with pytest.raises(BackendError) as raised:
            await _hear(scripted({"default": [{"text": "Half of"}, {"fault": fault}]}), said)
        assert said == ["Half of"]
        assert raised.value.run_code == code

    async def test_a_bug_is_no_backend_error(self) -> None:
        with pytest.raises(RuntimeError):
            await answer({"fault": "bug"})

    async def test_a_stall_lasts_until_it_is_cancelled(self) -> None:
        stalled = asyncio.create_task(answer({"fault": "stall"}))
        done, _ = await asyncio.wait([stalled], timeout=0.05)
        assert not done
        stalled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stalled


class TestFiles:
    async def test_a_script_is_read_from_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "script.json"
        path.write_text('{"default": [{"text": "from a file"}]}')
        assert await text_of_answer(find("backends", "scripted")("test", {"script": str(path)})) == "from a file"

    async def test_requests_are_recorded_before_they_are_answered(self, tmp_path: Path) -> None:
        path = tmp_path / "requests.jsonl"
        backend = scripted({"default": [{"fault": "refuse"}]}, record=str(path))
        for tools in ([], [WEATHER]):
            with pytest.raises(BackendError):
                await collect(backend, GenerationRequest(prompt("Hello?").messages, tools=tools, max_tokens=5))
        first, second = (orjson.loads(line) for line in path.read_bytes().splitlines())
        assert first["messages"] == [{"role": "user", "content": "Hello?"}]
        assert (first["max_tokens"], first["tools"]) == (5, [])
        assert second["tools"] == [WEATHER]

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            ("{", "script.json is not JSON"),
            ("[]", "script.json must be an object"),
            ('{"rulez": []}', "script.json: unknown key 'rulez'. Known: default, rules"),
            ('{"rules": {}}', r"script.json: rules must be a list"),
            ('{"rules": [{}]}', r"script.json: rules\[0\] must be an object like"),
            ('{"rules": [{"reply": [], "when": {"lust": "x"}}]}', r"rules\[0\].when: unknown key 'lust'"),
            ('{"rules": [{"reply": [], "when": {"last": "("}}]}', r"rules\[0\].when.last is no regular expression"),
            ('{"rules": [{"reply": [], "when": {"role": "boss"}}]}', r"rules\[0\].when.role is no role"),
            ('{"rules": [{"reply": [], "when": {"tools": 1}}]}', r"rules\[0\].when.tools must be true or false"),
            ('{"rules": [{"reply": [], "when": {"attempt": 0}}]}', r"rules\[0\].when.attempt must be a number from 1"),
            (
                '{"rules": [{"reply": [{"text": "a"}, {"txt": "b"}]}]}',
                r"rules\[0\].reply\[1\]: unknown key 'txt'. Known:",
            ),
            ('{"default": {"text": "a"}}', "default must be a list of pieces"),
            ('{"default": [{}]}', r"default\[0\] must have one of text, reasoning"),
            ('{"default": [{"text": "a", "finish": "stop"}]}', r"default\[0\] must have one of text"),
            ('{"default": [{"text": 1}]}', r"default\[0\].text must be text"),
            ('{"default": [{"text": "a", "delay": "1s"}]}', r"default\[0\].delay must be seconds"),
            ('{"default": [{"text": "a", "repeat": 0}]}', r"default\[0\].repeat must be a number from 1"),
            ('{"default": [{"finish": "stop", "repeat": 2}]}', r"default\[0\].repeat goes with text only"),
            ('{"default": [{"fault": "panic"}]}', r"default\[0\].fault must be one of refuse"),
            ('{"default": [{"tool_call": {"arguments": {}}}]}', r"default\[0\].tool_call must be like"),
            ('{"default": [{"usage": {"prompt": 1}}]}', r"default\[0\].usage must be like"),
            ('{"default": [{"finish": "end"}]}', r"default\[0\].finish is no finish reason"),
        ],
    )
    def test_mistakes_name_their_place(self, tmp_path: Path, content: str, says: str) -> None:
        path = tmp_path / "script.json"
        path.write_text(content)
        with pytest.raises(ConfigurationError, match=says):
            find("backends", "scripted")("test", {"script": str(path)})

    def test_a_missing_script_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="'script' is missing"):
            find("backends", "scripted")("test", {})
        with pytest.raises(ConfigurationError, match=r"none.json can't be read: No such file"):
            find("backends", "scripted")("test", {"script": str(tmp_path / "none.json")})


def scripted(script: dict[str, Any], **settings: Any) -> Backend:
    backend: Backend = find("backends", "scripted")("test", {"script": script, **settings})
    return backend


def prompt(*texts: str) -> GenerationRequest:
    return GenerationRequest([{"role": "user", "content": text} for text in texts])


async def answer(*pieces: dict[str, Any]) -> list[Delta]:
    return await collect(scripted({"default": list(pieces)}), prompt("Hello?"))


async def text_of_answer(backend: Backend, request: GenerationRequest | None = None) -> str:
    return "".join(delta.text for delta in await collect(backend, request or prompt("Hello?")))


async def _hear(backend: Backend, words: list[str]) -> None:
    async with aclosing(backend.generate(prompt("Hello?"))) as deltas:
        async for delta in deltas:
            words.append(delta.text)
