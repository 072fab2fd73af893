"""Broken, mislabelled and hostile files: each ends as tests/samples/hostile.py says, and the reader goes on after it."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.samples.hostile import HOSTILE
from zhuli.core.errors import Unreadable
from zhuli.knowledge.retrieval.reading.reader import Reader
from zhuli.types.knowledge.document import text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader() -> AsyncIterator[Reader]:
    """One for all: what one file does to a process must not show in the next."""
    reader = Reader(processes=1, seconds=120, memory_bytes=768 * 1024**2, max_characters=10_000_000)
    yield reader
    await reader.aclose()


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_file_ends_as_expected(reader: Reader, tmp_path: Path, name: str) -> None:
    hostile = HOSTILE[name]
    path = tmp_path / "blob"
    path.write_bytes(hostile.make())
    code, said = await end_of(reader, path, hostile.filename)
    assert (code, hostile.words in said, hostile.not_there in said) == (hostile.code, True, False), said[:500]
    assert str(tmp_path) not in said
    assert os.listdir(tmp_path) == ["blob"]


async def end_of(reader: Reader, path: Path, filename: str) -> tuple[str | None, str]:
    """The code and the message of a failure, or None and the text."""
    try:
        return None, text_of(await reader.read(path, filename))
    except Unreadable as error:
        return error.file_code, error.message


async def test_there_are_at_least_45_of_them() -> None:
    assert len(HOSTILE) >= 45


async def test_the_reader_still_reads(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "last").write_text("After all that.")
    assert text_of(await reader.read(tmp_path / "last", "last.txt")) == "After all that."
