"""The reader's processes: limits, deaths, second tries, and what a file's path and name may do (nothing)."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.samples.hostile_packages import far_corner
from tests.samples.hostile_pdf import many_pages
from zhuli.core.errors import Unreadable
from zhuli.knowledge.retrieval.reading.reader import Reader
from zhuli.knowledge.retrieval.reading.reading_child import answer
from zhuli.knowledge.retrieval.reading.reading_limits import Limits
from zhuli.types.knowledge.document import Block, text_of


def a_reader(*, processes: int = 1, seconds: float = 120, max_characters: int = 1_000_000) -> Reader:
    return Reader(processes=processes, seconds=seconds, memory_bytes=512 * 1024**2, max_characters=max_characters)


@pytest.fixture
async def reader() -> AsyncIterator[Reader]:
    reader = a_reader()
    yield reader
    await reader.aclose()


@pytest.fixture
def words(tmp_path: Path) -> Path:
    path = tmp_path / "words"
    path.write_text("A few words.")
    return path


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that takes seconds to read."""
    path = tmp_path_factory.mktemp("slow") / "pages"
    path.write_bytes(many_pages())
    return path


def children() -> set[int]:
    """The processes that this one started and that still are."""
    started: set[int] = set()
    for task in Path(f"/proc/{os.getpid()}/task").iterdir():
        with suppress(FileNotFoundError):  # a thread that ended meanwhile has none
            started.update(int(pid) for pid in (task / "children").read_text().split())
    return started


async def child_of(before: set[int]) -> int:
    """The process that was started since."""
    while not (started := children() - before):
        await asyncio.sleep(0.01)
    return started.pop()


async def opened(path: Path, pid: int) -> None:
    """Return when the process has the file open."""
    while str(path) not in files_of(pid):
        await asyncio.sleep(0.01)


def files_of(pid: int) -> list[str]:
    """Files that the process holds open; those that it closes meanwhile are left out."""
    found = list[str]()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found.append(os.readlink(file))
    return found


def let_it_write(pid: int) -> None:
    """Return when the process can't go on because nobody reads what it has written."""
    deadline = time.monotonic() + 20
    while "pipe_write" not in Path(f"/proc/{pid}/wchan").read_text() and time.monotonic() < deadline:
        time.sleep(0.01)


async def test_nothing_starts_before_the_first_file_and_one_process_reads_many(words: Path) -> None:
    before = children()
    reader = a_reader()
    assert children() == before
    for _ in range(5):
        assert await reader.read(words, "words.txt") == [Block("A few words.")]
    assert len(children() - before) == 1
    await reader.aclose()
    assert children() == before


async def test_a_file_that_takes_too_long_is_given_up_with_its_process(words: Path, slow: Path) -> None:
    before = children()
    reader = a_reader(seconds=0.2)
    with pytest.raises(Unreadable, match=r"longer than 0\.2 seconds") as failure:
        await reader.read(slow, "slow.pdf")
    assert failure.value.file_code == "invalid_file"
    assert children() == before
    await reader.aclose()


async def test_too_much_memory_ends_the_process_and_not_the_reader(reader: Reader, words: Path, tmp_path: Path) -> None:
    (tmp_path / "huge").write_bytes(far_corner())
    with pytest.raises(Unreadable, match="more than 512 MiB of memory"):
        await reader.read(tmp_path / "huge", "huge.xlsx")
    assert text_of(await reader.read(words, "words.txt")) == "A few words."


async def test_a_process_that_dies_without_reason_is_our_fault(slow: Path) -> None:
    before, reader = children(), a_reader()
    reading = asyncio.create_task(reader.read(slow, "slow.pdf"))
    child = await child_of(before)
    await opened(slow, child)
    os.kill(child, signal.SIGKILL)
    with pytest.raises(Unreadable, match="died") as failure:
        await reading
    assert failure.value.file_code == "server_error"
    await reader.aclose()


async def test_a_file_gets_a_second_try_where_another_may_have_harmed_the_process(words: Path, slow: Path) -> None:
    before, reader = children(), a_reader()
    await reader.read(words, "words.txt")
    (child,) = children() - before
    reading = asyncio.create_task(reader.read(slow, "slow.pdf"))
    await opened(slow, child)
    os.kill(child, signal.SIGKILL)
    assert "This is page 10000" in text_of(await reading)
    await reader.aclose()


async def test_a_cancelled_reading_leaves_no_process(slow: Path) -> None:
    before, reader = children(), a_reader()
    reading = asyncio.create_task(reader.read(slow, "slow.pdf"))
    await child_of(before)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert children() == before


async def test_a_reading_cancelled_while_blocks_arrive_makes_room_for_the_next(words: Path, tmp_path: Path) -> None:
    before, reader = children(), a_reader()
    long = tmp_path / "long"
    long.write_text("A paragraph of some words.\n\n" * 30_000)
    async with asyncio.timeout(60):
        for received in range(2, 5):
            await reader.read(words, "words.txt")
            (child,) = children() - before
            reading = asyncio.create_task(reader.read(long, "long.txt"))
            await asyncio.sleep(0)
            let_it_write(child)
            for _ in range(received):
                await asyncio.sleep(0)
                let_it_write(child)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
        await reader.aclose()
    assert children() == before


async def test_two_processes_read_at_once_and_no_more(words: Path) -> None:
    before, reader = children(), a_reader(processes=2)
    texts = await asyncio.gather(*(reader.read(words, "words.txt") for _ in range(20)))
    assert [text_of(blocks) for blocks in texts] == ["A few words."] * 20
    assert len(children() - before) <= 2
    await reader.aclose()


async def test_the_name_never_reaches_the_file_system(reader: Reader, words: Path) -> None:
    for name in ("../../etc/passwd", "/etc/passwd.txt", "x" * 5000 + ".txt", "zero\0.txt", "half\ud800.txt", ""):
        assert text_of(await reader.read(words, name)) == "A few words."


async def test_unknown_names_are_read_as_text_when_they_are_text(reader: Reader, words: Path) -> None:
    assert text_of(await reader.read(words, "notes.unheard-of")) == "A few words."


async def test_the_text_of_a_file_has_a_limit(tmp_path: Path) -> None:
    reader = a_reader(max_characters=100)
    (tmp_path / "long").write_text("words " * 50)
    with pytest.raises(Unreadable, match="more than 100 characters"):
        await reader.read(tmp_path / "long", "long.txt")
    await reader.aclose()


def test_a_missing_library_is_named(words: Path) -> None:
    class NeedsMore:
        def parse(self, path: Path) -> list[Block]:
            raise ImportError("No module named 'pypdfium2'", name="pypdfium2")

    limits = Limits(seconds=1, memory_bytes=2**30, max_characters=100)
    assert list(answer(words, "words.txt", {".txt": NeedsMore()}, limits)) == [
        ["failed", "server_error", "This server can't read such files: pypdfium2 is not installed on it.", ""]
    ]
