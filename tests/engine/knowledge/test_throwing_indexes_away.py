"""Indexes are copies: one that is thrown away, damaged or exchanged for another kind finds the same as before."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.conftest import Place
from tests.engine.knowledge.stores import add_file, done, make_store
from tests.engine.scripts import says
from zhuli.testing.app import AppInMemory

TEXTS = ("The otter swims in the river. ", "The badger digs under the hill. ", "The heron stands in the reeds. ")


def thrown_away(folder: Path) -> None:
    shutil.rmtree(folder / "indexes")
    shutil.rmtree(folder / "words")


def damaged(folder: Path) -> None:
    files = [file for place in ("indexes", "words") for file in (folder / place).rglob("*") if file.is_file()]
    assert len(files) >= 4
    for file in files:
        file.write_bytes(b"rubbish" * 40)


async def finds_all(app: AppInMemory, store: str, files: list[str]) -> bool:
    """Whether a search finds every file, and the first of them first."""
    results = await app.app.knowledge.searcher.search(app.project, [store], ["Where does the otter swim?"], most=3)
    found = [result.file_id for result in results]
    return found[0] == files[0] and sorted(found) == sorted(files)


@pytest.mark.parametrize("happens", [thrown_away, damaged])
async def test_what_is_lost_is_made_again_before_the_next_search(
    place: Place, tmp_path: Path, happens: Callable[[Path], None]
) -> None:
    async with place.app(says("Hello."), vector_index="embedded") as app:
        files = [await add_file(app, text) for text in TEXTS]
        store = (await done(app, (await make_store(app, *files, embedder="hashed")).id)).id
        assert await finds_all(app, store, files)
    happens(tmp_path)
    async with place.app(says("Hello."), vector_index="embedded") as app:
        assert await finds_all(app, store, files)


async def test_another_index_takes_over(place: Place, tmp_path: Path) -> None:
    async with place.app(says("Hello."), vector_index="embedded") as app:
        files = [await add_file(app, text) for text in TEXTS]
        store = (await done(app, (await make_store(app, *files, embedder="hashed")).id)).id
        assert await finds_all(app, store, files)
    url = str(tmp_path / "qdrant")
    async with place.app(says("Hello."), vector_index="qdrant", vector_index_url=url) as app:
        assert await finds_all(app, store, files)
