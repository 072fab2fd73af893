"""The index of words: follows changes, filters inside the query, survives what happens to its folder."""

import asyncio
import shutil
from pathlib import Path

import pytest

from zhuli.knowledge.retrieval.indexing.word_index import FORMAT, WordsIndex
from zhuli.types.knowledge.vectors import IndexChange, IndexedChunk


def added(number: int, file: int, *texts: str, section: str = "") -> IndexChange:
    chunks = [IndexedChunk(file * 100 + place, text, section, b"") for place, text in enumerate(texts)]
    return IndexChange(number, file, chunks)


async def found(index: WordsIndex, query: str, files: set[int] | None = None) -> list[int]:
    return [hit.chunk for hit in (await index.search("vs_1", query, most=10, files=files)).hits]


FIRST = [added(1, 1, "the red fox", "the green frog"), added(2, 2, "a red apple", section="Fruit")]


@pytest.fixture
async def index(tmp_path: Path) -> WordsIndex:
    index = WordsIndex(tmp_path)
    await index.apply("vs_1", FIRST, 2)
    return index


async def test_what_was_applied_is_found_best_first(index: WordsIndex) -> None:
    assert await found(index, "red apples") == [200, 100]
    assert await index.position("vs_1") == 2
    await index.aclose()


async def test_headings_are_searched(index: WordsIndex) -> None:
    assert await found(index, "fruit") == [200]


async def test_only_the_given_files_are_searched(index: WordsIndex) -> None:
    assert await found(index, "red", {1}) == [100]
    assert await found(index, "red", {3}) == []
    assert await found(index, "red", set()) == []


async def test_a_file_that_left_or_came_anew_is_found_as_it_is(index: WordsIndex) -> None:
    await index.apply("vs_1", [IndexChange(3, 1, None), added(4, 2, "a yellow apple")], 5)
    assert await found(index, "red") == []
    assert await found(index, "yellow") == [200]
    assert await index.position("vs_1") == 5


async def test_applying_again_changes_nothing(index: WordsIndex) -> None:
    await index.apply("vs_1", FIRST, 2)
    await index.apply("vs_1", FIRST[:1], 1)
    assert await found(index, "red") == [100, 200]
    assert await index.position("vs_1") == 2


async def test_another_process_finds_what_is_there_and_sees_what_comes(index: WordsIndex, tmp_path: Path) -> None:
    other = WordsIndex(tmp_path)
    assert await other.position("vs_1") == 2 and await found(other, "apple") == [200]
    await index.apply("vs_1", [added(3, 3, "a blue apple")], 3)
    assert await other.position("vs_1") == 3
    assert set(await found(other, "apple")) == {200, 300}


async def test_two_that_write_at_once_take_turns(tmp_path: Path) -> None:
    one, other = WordsIndex(tmp_path), WordsIndex(tmp_path)
    await asyncio.gather(one.apply("vs_1", FIRST, 2), other.apply("vs_1", FIRST, 2))
    assert await found(one, "red") == [100, 200]


async def test_a_broken_index_begins_anew(index: WordsIndex, tmp_path: Path) -> None:
    await index.aclose()
    (tmp_path / "words" / FORMAT / "vs_1" / "meta.json").write_text("{")
    again = WordsIndex(tmp_path)
    assert await again.position("vs_1") == 0
    await again.apply("vs_1", FIRST, 2)
    assert await found(again, "frog") == [101]


async def test_a_dropped_store_leaves_nothing(index: WordsIndex, tmp_path: Path) -> None:
    await index.drop("vs_1")
    await index.drop("vs_unknown")
    assert await index.position("vs_1") == 0 and await found(index, "red") == []
    assert list((tmp_path / "words" / FORMAT).iterdir()) == []


async def test_who_reads_while_a_store_is_dropped_leaves_nothing(tmp_path: Path) -> None:
    one, other = WordsIndex(tmp_path), WordsIndex(tmp_path)
    for _ in range(60):
        await one.apply("vs_1", FIRST, 2)
        reading = [
            ask for index in (one, other) * 4 for ask in (index.position("vs_1"), index.search("vs_1", "red", most=10))
        ]
        await asyncio.gather(*reading[:4], one.drop("vs_1"), *reading[4:])
        assert await one.position("vs_1") == await other.position("vs_1") == 0
        assert list((tmp_path / "words" / FORMAT).iterdir()) == []


async def test_an_index_whose_files_went_while_it_was_open_is_made_again(index: WordsIndex, tmp_path: Path) -> None:
    assert await found(index, "frog") == [101]
    shutil.rmtree(tmp_path / "words")
    assert await index.position("vs_1") == 0
    await index.apply("vs_1", FIRST, 2)
    assert await index.position("vs_1") == 2 and await found(index, "frog") == [101]
