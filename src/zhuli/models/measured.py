"""Models as they are called: whatever goes through a Backend or an Embedder is counted, timed and traced here, once."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from zhuli.core.model_calls import Call, ModelCalls, Operation
from zhuli.models.around import AroundBackend
from zhuli.ports import Backend, Embedder
from zhuli.types.knowledge.vectors import Purpose, Vectors
from zhuli.types.models.generation import Delta, GenerationRequest


class MeasuredBackend(AroundBackend):
    """The backend, and what operators see of its calls. Its last deltas have their usage (metering.calls)."""

    def __init__(self, name: str, backend: Backend, calls: ModelCalls, *, provider: str) -> None:
        super().__init__(name, backend)
        self._provider = provider
        self._calls = calls

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[Delta, None]:
        operation: Operation = "chat" if request.prompt is None else "text_completion"
        call = self._calls.begin(operation, self._name, self._provider, **_asked(request))
        try:
            async with aclosing(self._backend.generate(request)) as deltas:
                async for delta in deltas:
                    call.piece()
                    if delta.finish is not None:
                        _finished(call, delta)
                    yield delta
        except BaseException as error:
            call.end(error)
            raise
        finally:
            call.end()


class MeasuredEmbedder:
    """The embedder, and what operators see of its calls."""

    dimensions: int
    max_tokens: int

    def __init__(self, name: str, embedder: Embedder, calls: ModelCalls, *, provider: str) -> None:
        self._embedder = embedder
        self._name = name
        self._provider = provider
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        return getattr(self._embedder, name)

    async def start(self) -> None:
        await self._embedder.start()

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors:
        with self._calls.call("embeddings", self._name, self._provider) as call:
            call.given(len(texts))
            vectors = await self._embedder.embed(texts, purpose)
            call.note("gen_ai.embeddings.dimension.count", vectors.dimensions)
            return vectors

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return await self._embedder.count_tokens(texts)

    async def aclose(self) -> None:
        await self._embedder.aclose()


def _asked(request: GenerationRequest) -> dict[str, object]:
    """Attributes of what is asked, where it is said."""
    said = {
        "gen_ai.request.max_tokens": request.max_tokens,
        "gen_ai.request.temperature": request.temperature,
        "gen_ai.request.top_p": request.top_p,
        "gen_ai.conversation.id": request.cache_key,
    }
    return {name: value for name, value in said.items() if value is not None}


def _finished(call: Call, last: Delta) -> None:
    if last.usage is not None:
        call.used(last.usage.prompt, last.usage.completion, last.usage.cached)
    call.note("gen_ai.response.finish_reasons", [last.finish])


def provider_of(plugin: object) -> str:
    """What OpenTelemetry calls the maker of a model's answers; of what it has no name for, the plugin's own."""
    name = type(plugin).__module__.rpartition(".")[2]
    return "openai" if name == "openai_compatible" else name
