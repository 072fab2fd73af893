"""Embeds passages for everybody who ingests in this process: texts of several files in one batch, the same text once.

What was embedded long ago is found in the database by its digest; that is the ingestion's matter. Here is what is being
embedded now, or was just now. Queries don't come this way: a search calls the embedder itself, which lets queries go first.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from zhuli.models.catalog import EmbedderEntry
from zhuli.types.knowledge.vectors import Vectors

BATCH = 16
"""Texts in one call: of 800 tokens each, some seconds of work for a small model, which a small file has to wait for."""

_CALLS = 2
"""Calls to an embedder at once: it has the next one when it is done with one; what comes meanwhile is put together."""

_REMEMBERED = 4096
"""Vectors that are kept from before they are asked for in the database until after they are written there: 3 MB of 384."""


def digest_of(embedder: EmbedderEntry, text: str) -> bytes:
    """Names what an embedder makes of a text: SHA-256 of the embedder's name, its vectors' length and the text."""
    head = f"{embedder.name}\0{embedder.embedder.dimensions}\0"
    return sha256((head + text).encode("utf-8", "surrogatepass")).digest()


@dataclass(slots=True)
class _Line:
    """What waits for one embedder, and how many calls to it are going on."""

    waiting: deque[tuple[bytes, str]] = field(default_factory=deque)
    calls: int = 0


class Embedding:
    """One for a process."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}
        self._made: OrderedDict[bytes, asyncio.Future[bytes]] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    async def vectors(self, embedder: EmbedderEntry, texts: Mapping[bytes, str]) -> dict[bytes, bytes]:
        """The texts' vectors in half floats, by digest, together with what others want of this embedder.

        BackendError when a call fails in which one of them was; it may be another's text that it failed for.
        """
        futures = {digest: self._wanted(embedder, digest, text) for digest, text in texts.items()}
        if futures:
            self._call(embedder)
            await asyncio.wait(futures.values())
        return {digest: future.result() for digest, future in futures.items()}

    async def alone(self, embedder: EmbedderEntry, texts: Mapping[bytes, str]) -> dict[bytes, bytes]:
        """The same in a call of its own."""
        vectors = await embedder.embedder.embed(list(texts.values()), "passage")
        return dict(zip(texts, half_floats(vectors), strict=True))

    def _wanted(self, embedder: EmbedderEntry, digest: bytes, text: str) -> asyncio.Future[bytes]:
        """What is the vector or will be; joins the line unless it is coming already."""
        if (made := self._made.get(digest)) is not None:
            return made
        future = self._made[digest] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(embedder.name, _Line()).waiting.append((digest, text))
        return future

    def _call(self, embedder: EmbedderEntry) -> None:
        """Begin as many calls as there may be and texts wait for."""
        line = self._lines[embedder.name]
        while line.waiting and line.calls < _CALLS:
            batch = dict(line.waiting.popleft() for _ in range(min(BATCH, len(line.waiting))))
            line.calls += 1
            task = asyncio.create_task(self._embed(embedder, batch))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _embed(self, embedder: EmbedderEntry, batch: dict[bytes, str]) -> None:
        futures = {digest: self._made[digest] for digest in batch}
        try:
            for digest, vector in (await self.alone(embedder, batch)).items():
                futures[digest].set_result(vector)
        except Exception as error:
            for future in futures.values():
                future.set_exception(error)
                future.exception()  # who wanted it may have left
        finally:
            self._settle(futures)
            self._lines[embedder.name].calls -= 1
            self._call(embedder)

    def _settle(self, futures: Mapping[bytes, asyncio.Future[bytes]]) -> None:
        """Forget what failed, and of what was made the oldest."""
        for digest, future in futures.items():
            future.cancel()  # without effect unless this was stopped
            if future.cancelled() or future.exception():
                del self._made[digest]
        while len(self._made) > _REMEMBERED and next(iter(self._made.values())).done():
            self._made.popitem(last=False)

    async def aclose(self) -> None:
        """Stop what is being embedded; nobody may wait for it any more."""
        for line in self._lines.values():
            line.waiting.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def half_floats(vectors: Vectors) -> list[bytes]:
    """A row of little-endian half floats for each vector."""
    import numpy as np  # loaded by the first file that is ingested

    halves = np.frombuffer(vectors.data, "<f4").reshape(-1, vectors.dimensions).astype("<f2")
    return [row.tobytes() for row in halves]


def mean(halves: Sequence[bytes], weights: Sequence[int]) -> bytes:
    """The weighted mean of vectors in half floats, at unit length again; a single one as it is."""
    if len(halves) == 1:
        return halves[0]
    import numpy as np

    rows = np.frombuffer(b"".join(halves), "<f2").reshape(len(halves), -1).astype("<f4")
    middle = np.asarray(weights, "<f4") @ rows
    length = float(np.linalg.norm(middle))
    unit: bytes = (middle / (length or 1.0)).astype("<f2").tobytes()
    return unit


def floats(halves: list[bytes]) -> list[bytes]:
    """The inverse: float32 as in Vectors. All rows have the same length."""
    import numpy as np

    data = np.frombuffer(b"".join(halves), "<f2").astype("<f4").tobytes()
    size = len(data) // max(1, len(halves))
    return [data[start : start + size] for start in range(0, len(data), size)]
