"""The embedded index where it is many vectors, a crash, a damaged file, or several processes."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.ports.made_vectors import changes, clustered, recall, removals
from zhuli.core.errors import ConfigurationError, Unavailable
from zhuli.registry import find
from zhuli.testing.index_contract import Books

COUNT = 12_000
"""Vectors: more than are searched exactly."""

FILES = COUNT // 20


def opened(folder: Path, **settings: Any) -> Any:
    return find("indexes", "embedded")({"data_dir": str(folder), "database_url": "sqlite://", **settings})


@pytest_asyncio.fixture
async def index(tmp_path: Path) -> AsyncIterator[Any]:
    index = opened(tmp_path)
    yield index
    await index.aclose()


class TestManyVectors:
    async def test_the_nearest_of_many_are_found(self, index: Any) -> None:
        vectors = clustered(COUNT)
        await index.apply("vs_a", changes(vectors), FILES)
        await index.settled()
        assert await recall(index, "vs_a", vectors) >= 0.98
        assert await recall(index, "vs_a", vectors, files=[7]) == 1
        assert await recall(index, "vs_a", vectors, files=range(1, FILES, 2)) >= 0.98

    async def test_what_comes_while_it_is_being_built_is_found(self, index: Any) -> None:
        vectors = clustered(COUNT + 2000)
        await index.apply("vs_a", changes(vectors[:COUNT]), FILES)
        for change in changes(vectors[COUNT:], first=COUNT):
            await index.apply("vs_a", [change], change.number)
        assert await recall(index, "vs_a", vectors) >= 0.98
        await index.settled()
        assert await recall(index, "vs_a", vectors) >= 0.98

    async def test_removed_files_make_room_and_are_not_found(self, index: Any, tmp_path: Path) -> None:
        vectors, size = clustered(30_000), lambda: (tmp_path / "indexes" / "vs_a" / "vectors").stat().st_size
        await index.apply("vs_a", changes(vectors), 1500)
        await index.settled()
        before, gone = size(), [*range(1, 901, 2)]
        await index.apply("vs_a", removals(gone, after=1500), 1500 + len(gone))
        assert await recall(index, "vs_a", vectors, gone=gone) >= 0.98
        more = [*range(2, 701, 2)]
        await index.apply("vs_a", removals(more, after=1950), 1950 + len(more))
        assert size() < before / 2
        assert await recall(index, "vs_a", vectors, gone=gone + more) >= 0.98
        assert await recall(index, "vs_a", vectors, gone=gone + more, files=range(600, 1300)) >= 0.98

    async def test_many_are_there_again_after_closing(self, tmp_path: Path) -> None:
        vectors, index = clustered(COUNT + 500), opened(tmp_path)
        await index.apply("vs_a", changes(vectors[:COUNT]), FILES)
        await index.settled()
        await index.apply("vs_a", changes(vectors[COUNT:], first=COUNT), FILES + 25)
        await index.aclose()
        saved = list((tmp_path / "indexes" / "vs_a").glob("near.*"))
        assert [path.name for path in saved] == [f"near.{COUNT + 500}"]
        saved[0].write_bytes(saved[0].read_bytes()[:1000])
        for _ in range(2):  # with a damaged one, and with the one that is made instead
            index = opened(tmp_path)
            assert await index.position("vs_a") == FILES + 25
            assert await recall(index, "vs_a", vectors) >= 0.98
            await index.settled()
            await index.aclose()
        assert saved[0].stat().st_size > 1000


class TestDamage:
    @pytest.mark.parametrize(
        "damage",
        [
            lambda folder: _cut(folder / "journal", 3),
            lambda folder: _cut(folder / "vectors", 3),
            lambda folder: _cut(folder / "numbers", 3),
            lambda folder: _flip(folder / "journal", -5),
            lambda folder: _flip(folder / "numbers", -5),
        ],
        ids=["torn journal", "short vectors", "short numbers", "flipped journal", "flipped numbers"],
    )
    async def test_what_is_damaged_at_the_end_is_followed_again(
        self, tmp_path: Path, damage: Callable[[Path], None]
    ) -> None:
        books, index = Books(1), opened(tmp_path)
        told = [books.add(file, 5) for file in range(1, 5)]
        for change in told:
            await index.apply("vs_a", [change], change.number)
        await index.aclose()
        damage(tmp_path / "indexes" / "vs_a")
        index = opened(tmp_path)
        assert await index.position("vs_a") == 3
        await index.apply("vs_a", told[3:], 4)
        await books.check(index, "vs_a", most=30)
        await index.aclose()

    async def test_a_store_of_rubbish_is_followed_from_its_beginning(self, tmp_path: Path) -> None:
        folder = tmp_path / "indexes" / "vs_a"
        folder.mkdir(parents=True)
        for name in ("journal", "numbers", "vectors", "near.x", "near.7"):
            (folder / name).write_bytes(b"rubbish\n\x00\xff" * 100)
        books, index = Books(2), opened(tmp_path)
        assert await index.position("vs_a") == 0
        await index.apply("vs_a", [books.add(1, 5)], 1)
        await books.check(index, "vs_a", most=10)
        await index.aclose()

    async def test_a_killed_process_leaves_what_it_said_that_it_has(self, tmp_path: Path) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.ports.apply_for_ever", str(tmp_path), stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        said = [int(await process.stdout.readline()) for _ in range(40)]
        process.kill()
        said += [int(line) for line in (await process.stdout.read()).split()]
        await process.wait()
        index = opened(tmp_path)
        position = await index.position("vs_a")
        assert position >= said[-1]
        books = Books(1)
        for number in range(1, position + 1):
            books.story(number)
        await books.check(index, "vs_a", most=1000)
        await index.aclose()


class TestOthers:
    async def test_stores_that_take_too_much_memory_are_closed_and_opened_again(self, tmp_path: Path) -> None:
        index = opened(tmp_path, memory_bytes=1)
        shelves = {f"vs_{number}": Books(number) for number in range(4)}
        for round_ in range(1, 4):
            for store, books in shelves.items():
                await index.apply(store, [books.add(round_, 4)], round_)
                await books.check(index, store, most=20)
        await asyncio.gather(
            *(books.check(index, store, most=20) for store, books in shelves.items() for _ in range(5))
        )
        await index.aclose()

    async def test_two_processes_on_one_folder_have_a_copy_each(self, tmp_path: Path) -> None:
        indexes, books = [opened(tmp_path) for _ in range(2)], Books(3)
        change = books.add(1, 5)
        for index in indexes:
            assert await index.position("vs_a") == 0
            await index.apply("vs_a", [change], 1)
            await books.check(index, "vs_a", most=10)
        for index in indexes:
            await index.aclose()

    async def test_who_leaves_during_a_change_leaves_no_half_of_it(self, index: Any) -> None:
        books = Books(4)
        told = [books.add(file, 10) for file in range(1, 30)]
        for change in told:
            applying = asyncio.create_task(index.apply("vs_a", [change], change.number))
            await asyncio.sleep(0)
            applying.cancel()
            await asyncio.wait([applying])
        await index.apply("vs_a", told, len(told))
        assert await index.position("vs_a") == len(told)

    async def test_a_folder_that_cannot_be_written_is_unavailable(self, tmp_path: Path) -> None:
        (tmp_path / "indexes").write_text("a file where the folder should be")
        with pytest.raises(Unavailable, match="can't be kept on disk"):
            await opened(tmp_path).position("vs_a")

    async def test_an_unknown_setting_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match=r"'memory'.*Known: .*memory_bytes"):
            opened(tmp_path, memory=1)


def _cut(path: Path, count: int) -> None:
    path.write_bytes(path.read_bytes()[:-count])


def _flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
