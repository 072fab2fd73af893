"""Files become chunks of vector stores: completely or not at all, once, beside everything else that goes on."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from tests.engine.conftest import Place
from tests.engine.knowledge.stores import (
    SMALL_CHUNKS,
    add_file,
    done,
    expected,
    found_by_word,
    make_store,
    rows,
    story,
    texts_of,
    view,
)
from tests.engine.scripts import says
from zhuli.core.errors import BackendError, Unavailable
from zhuli.knowledge.retrieval.ingesting import ingestion
from zhuli.knowledge.retrieval.ingesting.embedding import Embedding
from zhuli.store.knowledge import file_batches, vector_store_files, vector_stores
from zhuli.testing.app import AppInMemory
from zhuli.testing.controlled_embedder import ControlledEmbedder, ControlledEntry, controlled
from zhuli.types.knowledge.vector_store import FileBatchCreate, VectorStoreFileCreate

LONG = 300
"""Sentences of a text that has more chunks than are embedded at once."""


@pytest.fixture
async def app(place: Place) -> AsyncIterator[AppInMemory]:
    async with place.app(says("Hello."), vector_index="embedded", ingest_slots=4) as app:
        yield app


@pytest.fixture
def embedder(app: AppInMemory) -> ControlledEmbedder:
    return controlled(app.app)


async def test_a_file_is_in_the_store_with_all_its_chunks(app: AppInMemory, embedder: ControlledEmbedder) -> None:
    text = story(1, LONG)
    file = await add_file(app, text)
    store = await done(app, (await make_store(app, file)).id)
    assert store.status == "completed" and store.file_counts.completed == 1
    made = (await texts_of(app, store.id))[file]
    assert made == expected(app, text) and len(made) > ingestion.WINDOW
    assert store.usage_bytes == sum(len(chunk.encode()) + 2 * embedder.dimensions for chunk in made)
    assert await found_by_word(app, store.id, "stop") == {file}
    assert (await rows(app, "jobs"))["jobs"] == 0


async def test_the_text_comes_back_from_the_chunks(app: AppInMemory, embedder: ControlledEmbedder) -> None:
    text = story(1, LONG)
    file = await add_file(app, text)
    store = await done(app, (await make_store(app, file)).id)
    pieces = await app.app.database.run(vector_store_files.content, app.project, store.id, file)
    assert "".join("".join(pieces).split()) == "".join(text.split())


async def test_the_same_text_is_embedded_once(app: AppInMemory, embedder: ControlledEmbedder) -> None:
    text = story(1, LONG)
    twins = [await add_file(app, text) for _ in range(3)]
    store = await done(app, (await make_store(app, *twins)).id)
    later = await done(app, (await make_store(app, await add_file(app, text))).id)
    assert store.file_counts.completed == 3 and later.file_counts.completed == 1
    assert sorted(embedder.texts) == sorted(expected(app, text))
    assert len({tuple(made) for made in (await texts_of(app, store.id)).values()}) == 1


async def test_texts_that_several_files_wait_for_are_embedded_together() -> None:
    entry, embedding = ControlledEntry(), Embedding()
    embedder = entry.embedder
    embedder.hold()
    asked = [{f"{number}".encode(): story(number, 1)} for number in range(10)]
    waiting = [asyncio.create_task(embedding.vectors(entry, texts)) for texts in asked]  # type: ignore[arg-type]
    await embedder.waiting.wait()
    await asyncio.sleep(0)
    embedder.release()
    vectors = [await task for task in waiting]
    assert [list(found) for found in vectors] == [list(texts) for texts in asked]
    assert sorted(embedder.texts) == sorted(story(number, 1) for number in range(10))
    assert embedder.calls == 3


async def test_a_file_without_text_has_failed(app: AppInMemory, embedder: ControlledEmbedder) -> None:
    store = await done(app, (await make_store(app, await add_file(app, " \n \n"))).id)
    assert store.status == "completed" and store.file_counts.failed == 1 and store.usage_bytes == 0


async def test_an_embedder_that_recovers_is_asked_again(
    app: AppInMemory, embedder: ControlledEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingestion, "PAUSES", (0.01, 0.01))
    embedder.fail(BackendError("busy"), BackendError("busy"))
    store = await done(app, (await make_store(app, await add_file(app, story(1, 3)))).id)
    assert store.file_counts.completed == 1


async def test_an_embedder_that_does_not_recover_fails_the_file(
    app: AppInMemory, embedder: ControlledEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingestion, "PAUSES", (0.01,))
    file = await add_file(app, story(1, LONG))
    embedder.hold()
    store = await make_store(app, file)
    await embedder.waiting.wait()
    embedder.fail(*[BackendError("The embedder is on fire.")] * 20)
    embedder.release()
    await done(app, store.id)
    failed = await app.app.database.run(vector_store_files.get, app.project, store.id, file)
    assert failed.status == "failed" and failed.last_error is not None
    assert failed.last_error.code == "server_error" and "on fire" in failed.last_error.message
    assert (await rows(app, "chunks", "jobs")) == {"chunks": 0, "jobs": 0}


async def test_a_file_store_that_comes_back_is_asked_again(
    app: AppInMemory, embedder: ControlledEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingestion, "PAUSES", (0.01, 0.01))
    read, broken = app.app.blobs.read, [Unavailable("The file store does not work.") for _ in range(2)]

    def faulty(key: str) -> AsyncGenerator[bytes, None]:
        if broken:
            raise broken.pop()
        return read(key)

    monkeypatch.setattr(app.app.blobs, "read", faulty)
    store = await done(app, (await make_store(app, await add_file(app, story(1, 5)))).id)
    assert store.file_counts.completed == 1 and not broken


async def test_a_cancelled_batch_stops_and_leaves_no_chunks(app: AppInMemory, embedder: ControlledEmbedder) -> None:
    store = await make_store(app)
    files = [await add_file(app, story(number, LONG)) for number in range(6)]
    embedder.hold()
    body = FileBatchCreate(file_ids=files)
    run, now = app.app.database.run, int(app.clock.now())
    batch = await run(file_batches.create, app.project, store.id, body, now=now)
    await embedder.waiting.wait()
    cancelled = await run(file_batches.cancel, app.project, store.id, batch.id)
    embedder.release()
    assert cancelled.status == "cancelled" and cancelled.file_counts.cancelled == 6
    await settled(app)
    assert (await view(app, store.id)).file_counts.cancelled == 6
    assert (await rows(app, "chunks", "jobs")) == {"chunks": 0, "jobs": 0}


async def test_a_file_deleted_while_it_is_ingested_leaves_nothing(
    app: AppInMemory, embedder: ControlledEmbedder
) -> None:
    file = await add_file(app, story(1, LONG))
    embedder.hold()
    store = await make_store(app, file)
    await embedder.waiting.wait()
    await app.app.database.run(vector_store_files.remove, app.project, store.id, file)
    embedder.release()
    await settled(app)
    assert (await view(app, store.id)).file_counts.total == 0
    assert (await rows(app, "chunks", "vector_store_files")) == {"chunks": 0, "vector_store_files": 0}


async def test_a_store_deleted_while_it_is_filled_leaves_nothing(
    app: AppInMemory, embedder: ControlledEmbedder
) -> None:
    files = [await add_file(app, story(number, LONG)) for number in range(6)]
    embedder.hold()
    store = await make_store(app, *files)
    await embedder.waiting.wait()
    await app.app.database.run(vector_stores.remove, app.project, store.id)
    embedder.release()
    await settled(app)
    left = await rows(app, "chunks", "vector_store_files", "vector_store_changes", "jobs")
    assert set(left.values()) == {0}, left


async def test_a_file_that_comes_back_while_it_is_ingested_is_ingested_anew(
    app: AppInMemory, embedder: ControlledEmbedder
) -> None:
    text = story(1, LONG)
    file = await add_file(app, text)
    embedder.hold()
    store = await make_store(app, file)
    await embedder.waiting.wait()
    await app.app.database.run(vector_store_files.remove, app.project, store.id, file)
    again = VectorStoreFileCreate(file_id=file, chunking_strategy=SMALL_CHUNKS)
    await app.app.database.run(vector_store_files.add_files, app.project, store.id, [again], now=int(app.clock.now()))
    embedder.release()
    await done(app, store.id)
    await settled(app)
    assert (await texts_of(app, store.id))[file] == expected(app, text)
    assert (await view(app, store.id)).file_counts.completed == 1


async def test_runs_go_on_while_every_ingestion_slot_is_taken(app: AppInMemory, embedder: ControlledEmbedder) -> None:
    files = [await add_file(app, story(number, 3)) for number in range(30)]
    embedder.hold()
    store = await make_store(app, *files)
    await embedder.waiting.wait()
    assert (await app.run("Are you there?")).status == "completed"
    assert (await view(app, store.id)).file_counts.in_progress == 30
    embedder.release()
    assert (await done(app, store.id)).file_counts.completed == 30


async def test_a_search_finds_what_completed_just_now_and_not_what_left(
    app: AppInMemory, embedder: ControlledEmbedder
) -> None:
    first, second = await add_file(app, "The otter swims. "), await add_file(app, "The badger digs. ")
    store = await done(app, (await make_store(app, first, second)).id)
    assert await found_by_word(app, store.id, "otter") == {first}
    await app.app.database.run(vector_store_files.remove, app.project, store.id, first)
    assert await found_by_word(app, store.id, "otter") == set()
    assert await found_by_word(app, store.id, "badger") == {second}


async def settled(app: AppInMemory) -> None:
    """Wait until there are no jobs, and whoever had one has noticed."""
    async with asyncio.timeout(30):
        while (await rows(app, "jobs"))["jobs"]:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.7)
