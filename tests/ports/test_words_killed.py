"""The index of words when its process dies at any line."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ports.apply_words_for_ever import change, left
from zhuli.knowledge.retrieval.indexing.word_index import WordsIndex


async def killed_after(folder: Path, lines: int) -> int:
    """What a process said last before it was killed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.ports.apply_words_for_ever", str(folder), stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    said = [int(await process.stdout.readline()) for _ in range(lines)]
    process.kill()
    said += [int(line) for line in (await process.stdout.read()).split()]
    await process.wait()
    return said[-1]


async def stands(folder: Path) -> tuple[int, set[int]]:
    """Where an index of this folder says that it is, and the chunks that it finds."""
    index = WordsIndex(folder)
    position = await index.position("vs_a")
    found = {hit.chunk for hit in (await index.search("vs_a", "everywhere", most=1000)).hits}
    await index.aclose()
    return position, found


@pytest.mark.parametrize("lines", [1, 12])
async def test_a_killed_process_leaves_what_it_said_that_it_has(tmp_path: Path, lines: int) -> None:
    for _ in range(2):
        said = await killed_after(tmp_path, lines)
        position, found = await stands(tmp_path)
        assert position >= said
        assert found == left(position)


async def test_after_a_kill_the_changes_go_on_where_they_stopped(tmp_path: Path) -> None:
    await killed_after(tmp_path, 5)
    position, _ = await stands(tmp_path)
    index = WordsIndex(tmp_path)
    told = [change(number) for number in range(1, position + 4)]  # from the beginning: those it has are skipped
    await index.apply("vs_a", told, position + 3)
    await index.aclose()
    assert await stands(tmp_path) == (position + 3, left(position + 3))
