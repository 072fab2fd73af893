"""The contract of embedders as tests: subclass EmbedderContract and give it yours.

    class TestMine(EmbedderContract):
        @pytest.fixture
        async def embedder(self) -> AsyncIterator[Embedder]:
            made = Plugin("mine", {…})
            yield made
            await made.aclose()

Nothing here judges how good the vectors are, beyond this: a text is closer to itself than to any other.
"""

import asyncio
import math
import struct
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest

from zhuli.core.errors import ConfigurationError
from zhuli.ports import Embedder
from zhuli.types.knowledge.vectors import Vectors

TEXTS = (
    "The lighthouse keeper lights the lamp at dusk.",
    "Interest rates rose by half a percent in March.",
    "Photosynthesis turns light into sugar.",
    "灯塔看守人在黄昏时点灯。",
    "x",
    "Mixed: naïve café, 东京 and 🎉, all at once!",
)


class EmbedderContract:
    """What holds for every embedder. `tolerance` bounds how far a vector may move with its company."""

    tolerance = 1e-3

    def settings(self) -> dict[str, Any]:
        """Settings that the embedder takes, for the tests of its constructor."""
        return {}

    async def test_every_text_gets_a_vector_of_unit_length(self, embedder: Embedder) -> None:
        made = await embedder.embed(TEXTS, "passage")
        assert made.dimensions == embedder.dimensions
        assert len(made) == len(TEXTS)
        for row in rows(made):
            assert math.hypot(*row) == pytest.approx(1, abs=1e-3)

    async def test_no_texts_have_no_vectors(self, embedder: Embedder) -> None:
        made = await embedder.embed([], "passage")
        assert (made.dimensions, made.data) == (embedder.dimensions, b"")

    async def test_vectors_come_in_the_order_of_the_texts(self, embedder: Embedder) -> None:
        forwards = rows(await embedder.embed(TEXTS, "passage"))
        backwards = rows(await embedder.embed(TEXTS[::-1], "passage"))
        for one, other in zip(forwards, reversed(backwards), strict=True):
            self.same(one, other)

    async def test_a_text_has_the_same_vector_whatever_comes_with_it(self, embedder: Embedder) -> None:
        together = rows(await embedder.embed([*TEXTS, "long " * 300], "passage"))
        for text, row in zip(TEXTS, together, strict=False):
            (alone,) = rows(await embedder.embed([text], "passage"))
            self.same(alone, row)

    async def test_a_text_is_closest_to_itself(self, embedder: Embedder) -> None:
        made = rows(await embedder.embed(TEXTS, "passage"))
        for number, row in enumerate(rows(await embedder.embed(TEXTS, "query"))):
            assert max(range(len(made)), key=lambda other: cosine(row, made[other])) == number

    async def test_a_text_longer_than_the_model_reads_has_a_vector_too(self, embedder: Embedder) -> None:
        (row,) = rows(await embedder.embed([" ".join(TEXTS) * 12], "passage"))
        assert math.hypot(*row) == pytest.approx(1, abs=1e-3)

    async def test_blank_texts_have_vectors_too(self, embedder: Embedder) -> None:
        for row in rows(await embedder.embed(["", " \n\t"], "query")):
            assert math.hypot(*row) == pytest.approx(1, abs=1e-3)

    async def test_two_requests_at_once_do_not_mix(self, embedder: Embedder) -> None:
        one, other = await asyncio.gather(embedder.embed(TEXTS[:3], "passage"), embedder.embed(TEXTS[3:], "passage"))
        for row, again in zip(rows(one) + rows(other), rows(await embedder.embed(TEXTS, "passage")), strict=True):
            self.same(row, again)

    async def test_a_cancelled_request_leaves_the_embedder_usable(self, embedder: Embedder) -> None:
        task = asyncio.create_task(embedder.embed([" ".join(TEXTS)] * 20, "passage"))
        await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert len(await embedder.embed(TEXTS, "query")) == len(TEXTS)

    async def test_tokens_are_counted_for_each_text(self, embedder: Embedder) -> None:
        counts = await embedder.count_tokens(["", "hello", "hello " * 100, "你好,世界"])
        assert len(counts) == 4
        assert 0 <= counts[0] < counts[1] < counts[2]
        assert counts[3] > 0

    async def test_no_texts_have_no_counts(self, embedder: Embedder) -> None:
        assert await embedder.count_tokens([]) == []

    async def test_starting_twice_does_no_harm(self, embedder: Embedder) -> None:
        await embedder.start()
        await embedder.start()
        assert len(await embedder.embed(TEXTS[:1], "query")) == 1

    async def test_lengths_are_known_before_anything_is_loaded(self) -> None:
        made = self.plugin()("mine", self.settings())
        assert made.dimensions > 0 and made.max_tokens > 0
        await made.aclose()

    def test_unknown_settings_are_refused_by_name(self) -> None:
        with pytest.raises(ConfigurationError, match="no_such_setting"):
            self.plugin()("mine", {**self.settings(), "no_such_setting": 1})

    def plugin(self) -> Any:
        """The class under test."""
        raise NotImplementedError("say which class is tested: def plugin(self): return Plugin")

    def same(self, one: Sequence[float], other: Sequence[float]) -> None:
        """Assert that two vectors are one, up to the tolerance of the port."""
        assert max(abs(a - b) for a, b in zip(one, other, strict=True)) <= self.tolerance


def rows(vectors: Vectors) -> list[tuple[float, ...]]:
    """Each vector as numbers."""
    return list(struct.iter_unpack(f"<{vectors.dimensions}f", vectors.data))


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Of two vectors of unit length: their dot product."""
    return sum(a * b for a, b in zip(one, other, strict=True))
