"""Which engines of tuned chat models live: of all that were asked, those asked last. The others start again when asked.

An engine that answers is never ended; so for a while there may be more than the setting says.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager

from zhuli.ports import Backend
from zhuli.types.models.generation import Ability, Delta, GenerationRequest


class Engines:
    """most: how many engines may be idle in memory."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._asked: dict[KeptBackend, None] = {}  # least recently asked first
        self._ending: set[asyncio.Task[None]] = set()

    def kept(self, backend: Backend) -> Backend:
        """The same backend, which ends when it is idle and others were asked since."""
        return KeptBackend(backend, self)

    def watched(self, backend: Backend) -> Backend:
        """The same backend, which takes no memory here, and ends only when it is retired."""
        return KeptBackend(backend, self, counts=False)

    def note(self, backend: "KeptBackend") -> None:
        """It is being asked."""
        self._asked.pop(backend, None)
        self._asked[backend] = None

    def settle(self) -> None:
        """End the idle engines that are too many, or are not wanted any more."""
        for backend in tuple(self._asked):
            too_many = backend.counts and sum(other.counts for other in self._asked) > self._most
            if not backend.busy and (backend.retired or too_many):
                del self._asked[backend]
                task = asyncio.create_task(backend.end())
                self._ending.add(task)
                task.add_done_callback(self._ending.discard)

    def retire(self, backend: Backend) -> None:
        """End this engine as soon as it is idle."""
        if isinstance(backend, KeptBackend):
            backend.retired = True
            self.settle()


class KeptBackend:
    """A backend whose engine may have been ended meanwhile; the next call starts it again."""

    def __init__(self, backend: Backend, engines: Engines, *, counts: bool = True) -> None:
        self._backend = backend
        self._engines = engines
        self._calls = 0
        self.counts = counts
        self._turning = asyncio.Lock()
        self.retired = False
        self.context_window = backend.context_window
        self.abilities: frozenset[Ability] = getattr(backend, "abilities", frozenset())

    @property
    def busy(self) -> bool:
        """Whether an answer of it is going on; it is not closed then."""
        return self._calls > 0

    async def start(self) -> None:
        with self._used():
            async with self._turning:
                await self._backend.start()
                self.context_window = self._backend.context_window

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[Delta, None]:
        with self._used():
            await self.start()
            async with aclosing(self._backend.generate(request)) as deltas:
                async for delta in deltas:
                    yield delta

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        with self._used():
            await self.start()
            return await self._backend.count_tokens(texts)

    async def end(self) -> None:
        """Free the engine, unless it is asked again by now."""
        async with self._turning:
            if not self.busy:
                await self._backend.aclose()

    async def aclose(self) -> None:
        await self._backend.aclose()

    @contextmanager
    def _used(self) -> Iterator[None]:
        self._calls += 1
        self._engines.note(self)
        try:
            yield
        finally:
            self._calls -= 1
            self._engines.settle()
