"""A backend around another one: what stands between a caller and a model changes generate(), and hands on all else."""

from collections.abc import Sequence
from typing import Any

from zhuli.ports import Backend


class AroundBackend:
    """Everything but generate() is the inner one's, also what it has beside the port's methods, like its abilities."""

    context_window: int

    def __init__(self, name: str, backend: Backend) -> None:
        self._name = name
        self._backend = backend

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    async def start(self) -> None:
        await self._backend.start()

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return await self._backend.count_tokens(texts)

    async def aclose(self) -> None:
        await self._backend.aclose()
