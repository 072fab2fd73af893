"""The promises of the VectorIndex port as tests: subclass it, and give it the fixture `open_index`.

`open_index()` opens an index over the same data each time; the one before has been closed by then. What is found is held
against a plain list of vectors that are all compared.
"""

import asyncio
import random
from array import array
from collections.abc import AsyncIterator, Callable, Collection, Sequence

import pytest
import pytest_asyncio

from zhuli.core.errors import ConfigurationError
from zhuli.ports import VectorIndex
from zhuli.types.knowledge.vectors import Hit, IndexChange, IndexedChunk

OpenIndex = Callable[[], VectorIndex]

DIMENSIONS = 16
NEAR = 2e-3
"""What half floats may move a score by."""

SEEDS = range(4)
STEPS = 25


@pytest.mark.asyncio
class IndexContract:
    """Subclass it, and give it a fixture `open_index`: a function that opens an index over the same data each time."""

    @pytest_asyncio.fixture
    async def index(self, open_index: OpenIndex) -> AsyncIterator[VectorIndex]:
        """An index that is closed after the test."""
        index = open_index()
        yield index
        await index.aclose()

    async def test_an_unknown_store_is_at_its_beginning_and_empty(self, index: VectorIndex) -> None:
        assert await index.position("vs_none") == 0
        assert await index.search("vs_none", vector(random.Random(1)), most=5, files=None) == []

    async def test_the_nearest_are_found_best_first_with_their_cosines(self, index: VectorIndex) -> None:
        books = Books(1)
        await index.apply("vs_a", [books.add(file, 10) for file in range(1, 6)], 5)
        assert await index.position("vs_a") == 5
        await books.check(index, "vs_a", most=7)

    async def test_fewer_are_found_where_there_are_fewer(self, index: VectorIndex) -> None:
        books = Books(2)
        await index.apply("vs_a", [books.add(1, 3)], 1)
        assert len(await index.search("vs_a", books.query(), most=10, files=None)) == 3

    async def test_a_removed_file_is_not_found(self, index: VectorIndex) -> None:
        books = Books(3)
        await index.apply("vs_a", [books.add(1, 5), books.add(2, 5)], 2)
        await index.apply("vs_a", [books.remove(1)], 3)
        await books.check(index, "vs_a", most=10)

    async def test_a_file_that_comes_again_takes_its_own_place(self, index: VectorIndex) -> None:
        books = Books(4)
        await index.apply("vs_a", [books.add(1, 5), books.add(2, 5)], 2)
        await index.apply("vs_a", [books.add(1, 4)], 3)
        await books.check(index, "vs_a", most=20)

    async def test_changes_that_come_again_do_no_harm(self, index: VectorIndex) -> None:
        books = Books(5)
        changes = [books.add(1, 5), books.add(2, 5), books.remove(1), books.add(3, 2)]
        for _ in range(2):
            await index.apply("vs_a", changes, 4)
        await index.apply("vs_a", changes[:2], 2)
        await index.apply("vs_a", changes[2:], 4)
        assert await index.position("vs_a") == 4
        await books.check(index, "vs_a", most=20)

    async def test_the_position_moves_on_without_changes(self, index: VectorIndex) -> None:
        await index.apply("vs_a", [], 7)
        assert await index.position("vs_a") == 7

    async def test_a_file_without_chunks_is_no_trouble(self, index: VectorIndex) -> None:
        books = Books(6)
        await index.apply("vs_a", [books.add(1, 0), books.add(2, 2)], 2)
        await index.apply("vs_a", [books.remove(1), books.remove(9)], 4)
        await books.check(index, "vs_a", most=5)

    async def test_only_the_files_that_were_asked_for_are_searched(self, index: VectorIndex) -> None:
        books = Books(7)
        await index.apply("vs_a", [books.add(file, 6) for file in range(1, 9)], 8)
        for files in ([2], [3, 5, 8], {1, 99}, [99], []):
            await books.check(index, "vs_a", most=10, files=files)

    async def test_a_filter_never_costs_results(self, index: VectorIndex) -> None:
        """One far file among many near ones: its chunks are found all the same."""
        books = Books(8)
        query = books.query()
        await index.apply("vs_a", [books.add(file, 10, near=query) for file in range(1, 11)], 10)
        await index.apply("vs_a", [books.add(11, 5)], 11)
        hits = await index.search("vs_a", query, most=5, files=[11])
        assert {hit.chunk for hit in hits} == books.chunks(11)

    async def test_stores_do_not_mix(self, index: VectorIndex) -> None:
        first, second = Books(9), Books(10, first_chunk=1000)
        await index.apply("vs_a", [first.add(1, 5)], 1)
        await index.apply("vs_b", [second.add(1, 5)], 1)
        await first.check(index, "vs_a", most=20)
        await second.check(index, "vs_b", most=20)
        await index.drop("vs_a")
        await second.check(index, "vs_b", most=20)

    async def test_a_dropped_store_is_forgotten_and_can_be_made_again(self, index: VectorIndex) -> None:
        books = Books(11)
        changes = [books.add(1, 5), books.add(2, 5)]
        await index.apply("vs_a", changes, 2)
        await index.drop("vs_a")
        await index.drop("vs_a")
        await index.drop("vs_none")
        assert await index.position("vs_a") == 0
        assert await index.search("vs_a", books.query(), most=5, files=None) == []
        await index.apply("vs_a", changes, 2)
        await books.check(index, "vs_a", most=20)

    async def test_vectors_of_another_length_are_refused_and_change_nothing(self, index: VectorIndex) -> None:
        books = Books(12)
        await index.apply("vs_a", [books.add(1, 5)], 1)
        long = IndexedChunk(seq=999, text="", section="", vector=vector(random.Random(1), DIMENSIONS * 2))
        with pytest.raises(ConfigurationError, match="embedder"):
            await index.apply("vs_a", [IndexChange(2, 2, [long])], 2)
        with pytest.raises(ConfigurationError, match="embedder"):
            await index.search("vs_a", long.vector, most=5, files=None)
        assert await index.position("vs_a") == 1
        await books.check(index, "vs_a", most=20)

    async def test_what_was_applied_is_there_after_closing(self, open_index: OpenIndex) -> None:
        books, index = Books(13), open_index()
        await index.apply("vs_a", [books.add(1, 5), books.add(2, 5), books.remove(1)], 3)
        await index.aclose()
        index = open_index()
        assert await index.position("vs_a") == 3
        await books.check(index, "vs_a", most=20)
        await index.aclose()

    async def test_searches_are_right_while_others_apply(self, index: VectorIndex) -> None:
        books = Books(14)
        await index.apply("vs_a", [books.add(1, 5)], 1)
        kept = books.chunks(1)
        changes = [books.add(file, 8) for file in range(2, 14)]
        applying = asyncio.create_task(_apply_each(index, "vs_a", changes))
        while not applying.done():
            hits = await index.search("vs_a", books.query(), most=5, files=[1])
            assert {hit.chunk for hit in hits} == kept
            await asyncio.sleep(0)
        await applying
        await books.check(index, "vs_a", most=20)

    async def test_many_at_once_do_not_mix(self, index: VectorIndex) -> None:
        shelves = {f"vs_{number}": Books(number, first_chunk=1 + 1000 * number) for number in range(8)}
        await asyncio.gather(*(index.apply(store, [books.add(1, 9)], 1) for store, books in shelves.items()))
        await asyncio.gather(*(books.check(index, store, most=5) for store, books in shelves.items()))

    @pytest.mark.parametrize("seed", SEEDS)
    async def test_any_story_ends_as_comparing_everything_does(self, open_index: OpenIndex, seed: int) -> None:
        chance, books, index = random.Random(seed), Books(seed), open_index()
        told: list[IndexChange] = []
        for _ in range(STEPS):
            if chance.random() < 0.1:
                await index.aclose()
                index = open_index()
            before = len(told) if chance.random() < 0.8 else chance.randrange(len(told) + 1)
            told += [books.random_change(chance) for _ in range(chance.randrange(4))]
            await index.apply("vs_a", told[before:], len(told))
            assert await index.position("vs_a") == len(told)
            files = chance.sample(range(1, 10), chance.randrange(10)) if chance.random() < 0.5 else None
            await books.check(index, "vs_a", most=chance.randrange(1, 30), files=files)
        await index.aclose()


class Books:
    """What a store should have: every change that was made, and every vector compared."""

    def __init__(self, seed: int, *, first_chunk: int = 1) -> None:
        self._chance = random.Random(f"books {seed}")
        self._next_chunk = first_chunk
        self._changes = 0
        self._files: dict[int, list[IndexedChunk]] = {}

    def add(self, file: int, count: int, *, near: bytes | None = None) -> IndexChange:
        """A change that brings the file with new chunks, all of them close to `near`."""
        chunks = [self._chunk(near) for _ in range(count)]
        self._files[file] = chunks
        self._changes += 1
        return IndexChange(self._changes, file, chunks)

    def remove(self, file: int) -> IndexChange:
        """The change with which the file leaves."""
        self._files.pop(file, None)
        self._changes += 1
        return IndexChange(self._changes, file, None)

    def random_change(self, chance: random.Random) -> IndexChange:
        """A file comes, comes again or leaves."""
        file = chance.randrange(1, 10)
        return self.remove(file) if chance.random() < 0.35 else self.add(file, chance.randrange(8))

    def story(self, number: int) -> IndexChange:
        """The same story each time: nine files that come, come again and go."""
        return self.remove(number % 9) if number % 4 == 0 else self.add(number % 9, number % 7)

    def chunks(self, file: int) -> set[int]:
        """Numbers of the file's chunks."""
        return {chunk.seq for chunk in self._files[file]}

    def query(self) -> bytes:
        """A random vector of unit length."""
        return vector(self._chance)

    async def check(
        self, index: VectorIndex, store: str, *, most: int, files: Collection[int] | None = None
    ) -> Sequence[Hit]:
        """A search finds what comparing everything finds, up to the rounding of half floats."""
        query = self.query()
        hits = await index.search(store, query, most=most, files=files)
        scores = {
            chunk.seq: cosine(query, chunk.vector)
            for file, chunks in self._files.items()
            if files is None or file in files
            for chunk in chunks
        }
        best = sorted(scores.values(), reverse=True)[:most]
        assert len({hit.chunk for hit in hits}) == len(hits) == len(best)
        assert [hit.score for hit in hits] == pytest.approx(best, abs=NEAR)
        assert [scores[hit.chunk] for hit in hits] == pytest.approx([hit.score for hit in hits], abs=NEAR)
        return hits

    def _chunk(self, near: bytes | None) -> IndexedChunk:
        self._next_chunk += 1
        return IndexedChunk(self._next_chunk - 1, "text", "section", vector(self._chance, near=near))


def vector(chance: random.Random, dimensions: int = DIMENSIONS, *, near: bytes | None = None) -> bytes:
    """A random one of unit length, as Vectors has its rows."""
    numbers = [chance.gauss(0, 1) for _ in range(dimensions)]
    if near is not None:
        numbers = [10 * a + 0.3 * b for a, b in zip(array("f", near), numbers, strict=True)]
    length = sum(number * number for number in numbers) ** 0.5
    return array("f", [number / length for number in numbers]).tobytes()


def cosine(a: bytes, b: bytes) -> float:
    """Of two vectors of unit length."""
    return sum(x * y for x, y in zip(array("f", a), array("f", b), strict=True))


async def _apply_each(index: VectorIndex, store: str, changes: Sequence[IndexChange]) -> None:
    for change in changes:
        await index.apply(store, [change], change.number)
