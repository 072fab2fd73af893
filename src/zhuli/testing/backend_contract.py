"""The promises of the Backend port as tests: subclass it, give it a backend, and pytest runs them.

    class TestMine(BackendContract):
        @pytest_asyncio.fixture
        async def backend(self):
            backend = Plugin("mine", {...})
            yield backend
            await backend.aclose()

It tests what the port promises of every model, not how good the answers are. What a backend's model can't do is
switched off by a class attribute.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, ClassVar

import orjson
import pytest

from zhuli.core.errors import BackendError, ConfigurationError
from zhuli.ports import Backend
from zhuli.types.models.generation import Delta, GenerationRequest

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest.mark.asyncio
class BackendContract:
    """Give the fixture `backend`; override the prompts where the backend needs others."""

    calls_tools: ClassVar[bool] = True
    """Whether tool_prompt() makes this backend call get_weather."""
    bounds_answers: ClassVar[bool] = True
    """Whether max_tokens ends an answer here (a fake model server may not care)."""
    fails: ClassVar[bool] = True
    """Whether failing_prompt() makes this backend fail."""

    def prompt(self) -> GenerationRequest:
        """Anything that is answered with some words."""
        return GenerationRequest([{"role": "user", "content": "Say hello."}], max_tokens=16, temperature=0)

    def long_prompt(self) -> GenerationRequest:
        """Answered with so much that there is time to leave."""
        return GenerationRequest([{"role": "user", "content": "Count from 1 to 500, in words."}], max_tokens=400)

    def tool_prompt(self) -> GenerationRequest:
        """Answered with at least one call of get_weather."""
        forced = {"type": "function", "function": {"name": "get_weather"}}
        asked = [{"role": "user", "content": "What is the weather in Paris?"}]
        return GenerationRequest(asked, tools=[WEATHER], tool_choice=forced, max_tokens=64, temperature=0)

    def failing_prompt(self) -> GenerationRequest:
        """Can't be answered: by default, longer than any window."""
        return GenerationRequest([{"role": "user", "content": "far too long " * 200_000}], max_tokens=4)

    async def test_an_answer_has_words(self, backend: Backend) -> None:
        deltas = await collect(backend, self.prompt())
        assert "".join(delta.text for delta in deltas).strip()

    async def test_the_last_delta_and_only_it_has_a_finish_and_usage(self, backend: Backend) -> None:
        deltas = await collect(backend, self.prompt())
        assert deltas[-1].finish in {"stop", "length"}
        assert [delta for delta in deltas[:-1] if delta.finish or delta.usage] == []

    async def test_usage_counts_prompt_and_answer_when_it_is_known(self, backend: Backend) -> None:
        usage = (await collect(backend, self.prompt()))[-1].usage
        if usage is None:
            pytest.skip("this backend does not know its usage")
        assert usage.prompt > 0
        assert usage.completion > 0
        assert 0 <= usage.cached <= usage.prompt
        assert 0 <= usage.reasoning <= usage.completion

    async def test_no_delta_is_empty_but_the_last(self, backend: Backend) -> None:
        deltas = await collect(backend, self.prompt())
        assert all(delta.text or delta.reasoning or delta.refusal or delta.tool_calls for delta in deltas[:-1])

    async def test_tool_call_indexes_have_no_gaps_and_the_first_pieces_carry_id_and_name(
        self, backend: Backend
    ) -> None:
        pieces = await self._tool_pieces(backend)
        seen: list[int] = []
        for piece in pieces:
            if piece.index in seen:
                assert piece.id is None
                assert piece.name is None
            else:
                assert piece.index == len(seen)
                assert piece.id
                assert piece.name == "get_weather"
                seen.append(piece.index)

    async def test_joined_arguments_are_a_json_object(self, backend: Backend) -> None:
        pieces = await self._tool_pieces(backend)
        for index in {piece.index for piece in pieces}:
            arguments = "".join(piece.arguments for piece in pieces if piece.index == index)
            assert isinstance(orjson.loads(arguments), dict)

    async def test_an_answer_with_tool_calls_finishes_with_tool_calls(self, backend: Backend) -> None:
        await self._tool_pieces(backend)
        assert (await collect(backend, self.tool_prompt()))[-1].finish == "tool_calls"

    async def test_max_tokens_ends_an_answer(self, backend: Backend) -> None:
        if not self.bounds_answers:
            pytest.skip("max_tokens does not count here")
        long = self.long_prompt()
        deltas = await collect(backend, GenerationRequest(long.messages, max_tokens=3, extra=long.extra))
        assert deltas[-1].finish == "length"

    async def test_closing_early_frees_the_model(self, backend: Backend) -> None:
        deltas = backend.generate(self.long_prompt())
        assert (await anext(deltas)).finish is None
        async with asyncio.timeout(10):
            await deltas.aclose()
        assert (await collect(backend, self.prompt()))[-1].finish

    async def test_a_cancelled_task_frees_the_model(self, backend: Backend) -> None:
        begun = asyncio.Event()
        task = asyncio.create_task(_follow(backend.generate(self.long_prompt()), begun))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await collect(backend, self.prompt()))[-1].finish

    async def test_two_answers_at_once_are_both_whole(self, backend: Backend) -> None:
        both = await asyncio.gather(collect(backend, self.prompt()), collect(backend, self.prompt()))
        for deltas in both:
            assert "".join(delta.text for delta in deltas).strip()
            assert deltas[-1].finish

    async def test_failures_are_backend_errors(self, backend: Backend) -> None:
        if not self.fails:
            pytest.skip("nothing makes this backend fail")
        with pytest.raises(BackendError) as raised:
            await collect(backend, self.failing_prompt())
        assert raised.value.message
        assert raised.value.run_code in {"server_error", "rate_limit_exceeded", "invalid_prompt"}

    async def test_a_failure_leaves_the_backend_usable(self, backend: Backend) -> None:
        if not self.fails:
            pytest.skip("nothing makes this backend fail")
        with pytest.raises(BackendError):
            await collect(backend, self.failing_prompt())
        assert (await collect(backend, self.prompt()))[-1].finish

    async def test_tokens_are_counted_for_each_text(self, backend: Backend) -> None:
        counts = await backend.count_tokens(["", "hello", "hello " * 100, "你好,世界"])
        assert len(counts) == 4
        assert 0 <= counts[0] < counts[1] < counts[2]
        assert counts[3] > 0

    async def test_no_texts_have_no_counts(self, backend: Backend) -> None:
        assert await backend.count_tokens([]) == []

    async def test_starting_twice_does_no_harm(self, backend: Backend) -> None:
        await backend.start()
        await backend.start()
        assert (await collect(backend, self.prompt()))[-1].finish

    async def test_the_window_is_known_from_the_start(self, backend: Backend) -> None:
        assert backend.context_window > 0

    async def test_unknown_settings_are_refused_by_name(self, backend: Backend) -> None:
        with pytest.raises(ConfigurationError, match="no_such_setting"):
            type(backend)("mine", {**self.settings(), "no_such_setting": 1})

    def settings(self) -> dict[str, Any]:
        """Settings that the backend takes, for the tests of its constructor."""
        return {}

    async def _tool_pieces(self, backend: Backend) -> Sequence[Any]:
        if not self.calls_tools:
            pytest.skip("this backend's model calls no tools")
        pieces = [piece for delta in await collect(backend, self.tool_prompt()) for piece in delta.tool_calls]
        assert pieces
        return pieces


async def collect(backend: Backend, request: GenerationRequest) -> list[Delta]:
    """The whole answer."""
    async with aclosing(backend.generate(request)) as deltas:
        return [delta async for delta in deltas]


async def _follow(deltas: AsyncGenerator[Delta, None], begun: asyncio.Event) -> None:
    async with aclosing(deltas):
        async for _ in deltas:
            begun.set()
