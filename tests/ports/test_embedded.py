"""The embedded backend against its contract and its own promises, with the packaged model: few tokens, one process for all."""

import importlib.util
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from zhuli.core.errors import BackendError, ConfigurationError
from zhuli.models.packaged import smollm2
from zhuli.plugins.backends.embedded import Plugin
from zhuli.testing.backend_contract import WEATHER, BackendContract, collect
from zhuli.types.models.generation import ChatMessage, Delta, GenerationRequest

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.embedded,
    pytest.mark.skipif(importlib.util.find_spec("xllamacpp") is None, reason="xllamacpp is not installed"),
    pytest.mark.skipif(
        not any(found.name == smollm2.PACKAGE for found in distributions()),
        reason=f"{smollm2.PACKAGE} is not installed",
    ),
]

MAIL = {
    "type": "function",
    "function": {
        "name": "send_mail",
        "parameters": {"type": "object", "properties": {"to": {"type": "string", "maxLength": 20}}, "required": ["to"]},
    },
}
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer", "maximum": 120}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
AS_PERSON = {"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON, "strict": True}}


@pytest.fixture(scope="module")
def settings(pytestconfig: pytest.Config) -> dict[str, Any]:
    """Small, and with a data folder that outlives the test run: the model is set up once."""
    return {"data_dir": str(pytestconfig.cache.mkdir("embedded")), "context_window": 1024, "slots": 2, "batch": 64}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(settings: dict[str, Any]) -> AsyncIterator[Plugin]:
    backend = Plugin("smollm2", settings)
    yield backend
    await backend.aclose()


@pytest.fixture
def backend(shared: Plugin) -> Plugin:
    return shared


# The contract asks for a loop of its own for each test; this model is too slow to start for that.
_PER_TEST = ("pytestmark", "__dict__", "__weakref__")
Contract: Any = type(
    "Contract", (), {name: part for name, part in vars(BackendContract).items() if name not in _PER_TEST}
)


class TestContract(Contract):
    def long_prompt(self) -> GenerationRequest:
        return asked("Count from 1 to 500, in words.", max_tokens=200)


async def test_the_server_process_never_imports_the_engine(backend: Plugin) -> None:
    await backend.start()
    assert "xllamacpp" not in sys.modules


async def test_a_prompt_longer_than_the_window_is_refused_with_both_numbers(backend: Plugin) -> None:
    with pytest.raises(BackendError, match=r"The prompt has \d+ tokens and the model's context window 1024") as raised:
        await collect(backend, asked("word " * 2000))
    assert raised.value.run_code == "invalid_prompt"


async def test_an_image_is_refused_by_a_model_that_reads_text(backend: Plugin) -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}
    with pytest.raises(BackendError, match="reads text only") as raised:
        await collect(backend, GenerationRequest([{"role": "user", "content": [image]}]))
    assert raised.value.run_code == "invalid_prompt"


async def test_text_parts_are_one_text(backend: Plugin) -> None:
    parts = [{"type": "text", "text": "Say "}, {"type": "text", "text": "hello."}]
    apart = await collect(backend, GenerationRequest([{"role": "user", "content": parts}], max_tokens=4, temperature=0))
    joined = await collect(backend, asked("Say hello.", max_tokens=4))
    assert text(apart) == text(joined)


async def test_counts_are_those_of_the_model(backend: Plugin) -> None:
    short, long = "Hello", "Hello, 你好: the quick brown fox jumps!"
    before, after = [await collect(backend, asked(words, max_tokens=1)) for words in (short, long)]
    assert before[-1].usage and after[-1].usage
    counted = await backend.count_tokens([short, long])
    assert after[-1].usage.prompt - before[-1].usage.prompt == counted[1] - counted[0]


async def test_a_thread_pays_for_what_is_new_even_after_others_had_the_slots(backend: Plugin) -> None:
    thread: list[ChatMessage] = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Tell me something about harbours and the old ships there."},
    ]
    first = await collect(backend, GenerationRequest(thread, max_tokens=8, temperature=0, cache_key="thread"))
    for n in range(3):
        await collect(backend, asked(f"Thread {n} wants to know something else.", max_tokens=2, cache_key=f"other {n}"))
    grown = [*thread, {"role": "assistant", "content": text(first)}, {"role": "user", "content": "And now?"}]
    second = await collect(backend, GenerationRequest(grown, max_tokens=2, temperature=0, cache_key="thread"))
    assert first[-1].usage and second[-1].usage
    assert second[-1].usage.cached >= first[-1].usage.prompt


async def test_a_short_answer_does_not_wait_for_a_long_one(backend: Plugin) -> None:
    async with aclosing(backend.generate(asked("Tell a very long story.", max_tokens=400))) as long:
        await anext(long)
        assert (await collect(backend, asked("Hi", max_tokens=2)))[-1].finish
        assert (await anext(long)).finish is None


async def test_a_schema_is_kept_to(backend: Plugin) -> None:
    deltas = await collect(backend, asked("Describe a person.", max_tokens=60, response_format=AS_PERSON))
    person = json.loads(text(deltas))
    assert person.keys() == {"name", "age"}
    assert isinstance(person["age"], int)
    assert deltas[-1].finish == "stop"


async def test_a_schema_with_unknown_keywords_is_kept_to_as_far_as_it_goes(backend: Plugin) -> None:
    odd = {**PERSON, "x-order": 1, "if": {"required": ["age"]}}
    form = {"type": "json_schema", "json_schema": {"name": "person", "schema": odd}}
    assert json.loads(text(await collect(backend, asked("Describe a person.", max_tokens=60, response_format=form))))


async def test_a_required_call_comes_and_is_valid(backend: Plugin) -> None:
    deltas = await collect(backend, asked("Hi!", tools=[WEATHER, MAIL], tool_choice="required", max_tokens=160))
    assert {name for name, _ in calls(deltas)} <= {"get_weather", "send_mail"}
    assert all(isinstance(arguments, dict) for _, arguments in calls(deltas))
    assert calls(deltas)
    assert text(deltas) == ""


async def test_a_named_call_is_of_that_tool_and_the_only_one(backend: Plugin) -> None:
    choice = {"type": "function", "function": {"name": "send_mail"}}
    request = asked("What is the weather?", tools=[WEATHER, MAIL], tool_choice=choice, max_tokens=60)
    deltas = await collect(backend, request)
    assert [name for name, _ in calls(deltas)] == ["send_mail"]
    assert deltas[-1].finish == "tool_calls"


async def test_without_parallel_calls_there_is_one(backend: Plugin) -> None:
    question = "What is the weather in Paris and in Rome?"
    request = asked(question, tools=[WEATHER], tool_choice="required", parallel_tool_calls=False, max_tokens=60)
    assert len(calls(await collect(backend, request))) == 1


async def test_a_call_that_the_token_limit_cuts_off_is_neither_text_nor_call(backend: Plugin) -> None:
    deltas = await collect(backend, asked("Hi!", tools=[WEATHER], tool_choice="required", max_tokens=6))
    assert (text(deltas), calls(deltas), deltas[-1].finish) == ("", [], "length")


async def test_a_tool_s_output_is_part_of_the_prompt(backend: Plugin) -> None:
    called = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}
    history: list[ChatMessage] = [
        {"role": "user", "content": "What is the weather in Paris?"},
        {"role": "assistant", "content": None, "tool_calls": [called]},
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
    ]
    deltas = await collect(backend, GenerationRequest(history, tools=[WEATHER], tool_choice="none", max_tokens=2))
    alone = await collect(backend, GenerationRequest(history[:1], max_tokens=2))
    assert deltas[-1].usage and alone[-1].usage
    assert deltas[-1].usage.prompt > alone[-1].usage.prompt + sum(await backend.count_tokens(["get_weather", "sunny"]))


async def test_a_stop_sequence_ends_the_answer_before_itself(backend: Plugin) -> None:
    deltas = await collect(backend, asked("Say: one two three four five", max_tokens=30, extra={"stop": ["o"]}))
    assert "o" not in text(deltas)
    assert deltas[-1].finish == "stop"


@pytest.mark.parametrize("top", [None, 0, 2])
async def test_every_token_s_probability_is_given_when_asked_for(backend: Plugin, top: int | None) -> None:
    extra = {"logprobs": True} if top is None else {"logprobs": True, "top_logprobs": top}
    request = GenerationRequest([{"role": "user", "content": "Say hello."}], max_tokens=6, temperature=0, extra=extra)
    deltas = await collect(backend, request)
    tokens = [token for delta in deltas for token in delta.logprobs]
    assert "".join(token["token"] for token in tokens) == "".join(delta.text for delta in deltas)
    assert all(
        token["logprob"] <= 0 and token.keys() == {"token", "logprob", "bytes", "top_logprobs"} for token in tokens
    )
    assert {len(token["top_logprobs"]) for token in tokens} == {top or 0}


async def test_the_same_seed_gives_the_same_answer(backend: Plugin) -> None:
    request = asked("Invent a name.", max_tokens=8, temperature=1.5, extra={"seed": 7})
    assert text(await collect(backend, request)) == text(await collect(backend, request))


async def test_an_engine_that_was_killed_fails_its_answers_and_comes_back(backend: Plugin) -> None:
    async with aclosing(backend.generate(asked("Tell a very long story.", max_tokens=400))) as deltas:
        await anext(deltas)
        assert backend.pid
        os.kill(backend.pid, signal.SIGKILL)
        with pytest.raises(BackendError, match="ended by signal 9"):
            async for _ in deltas:
                pass
    assert (await collect(backend, asked("Hi", max_tokens=2)))[-1].finish


async def test_a_file_that_is_no_model_is_refused_with_the_engine_s_words(tmp_path: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"GGUF, but not really")
    backend = Plugin("broken", {"path": str(tmp_path / "broken.gguf")})
    with pytest.raises(ConfigurationError, match="can't load"):
        await backend.start()
    with pytest.raises(BackendError, match="can't load broken") as told:
        await collect(backend, asked("Hi"))
    assert str(tmp_path) not in told.value.message


async def test_a_hub_model_without_the_hub_s_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ConfigurationError, match="pip install huggingface_hub"):
        await Plugin("mine", {"hub": "owner/name:file.gguf"}).start()


def asked(question: str, *, max_tokens: int = 16, temperature: float = 0, **rest: Any) -> GenerationRequest:
    messages = [{"role": "user", "content": question}]
    return GenerationRequest(messages, max_tokens=max_tokens, temperature=temperature, **rest)


def text(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas)


def calls(deltas: list[Delta]) -> list[tuple[str | None, Any]]:
    return [(call.name, json.loads(call.arguments)) for delta in deltas for call in delta.tool_calls]
