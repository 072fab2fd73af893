"""A process may die at any line of an ingestion: another goes on, and no chunk is missing, doubled or left over."""

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest
from openai import OpenAI
from openai.types import VectorStore

from tests.engine.conftest import Place
from tests.engine.knowledge.stores import add_file, done, expected, found_by_word, make_store, rows, story, texts_of
from tests.engine.scripts import says
from tests.engine.transactions import Died, Transactions
from tests.engine.workers import working
from tests.harness.clients import Clients
from tests.harness.server import Server
from zhuli.knowledge.retrieval.ingesting import ingestion
from zhuli.store.knowledge import vector_stores
from zhuli.testing.app import AppInMemory
from zhuli.testing.controlled_embedder import controlled

LEASE = 15
MOST = 40
"""More commits than there are."""

TEXT = story(1, 60)


async def test_what_a_killed_process_was_reading_is_deleted(place: Place) -> None:
    async with place.app({}) as app:
        left = app.folder / "reading" / "left"
        left.parent.mkdir(exist_ok=True)
        left.write_bytes(b"x")
        os.utime(left, (0, 0))
    async with place.app({}):
        assert not left.exists()


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_death_at_any_commit_is_recovered_from(
    place: Place, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingestion, "WINDOW", 4)
    deaths = 0
    for number in range(1, MOST):
        if not await dies(place, moment, number):
            break
        deaths += 1
    assert deaths >= 4, "there are more commits than were enumerated"


async def dies(place: Place, moment: str, number: int) -> bool:
    """Fill a store, die at commit `number` of the ingestion, recover; whether there were so many commits."""
    async with place.app(says("Hello."), vector_index="embedded", work=False) as app:
        controlled(app.app)
        file = await add_file(app, TEXT)
        store = await make_store(app, file)
        transactions = Transactions(app.app.database)
        getattr(transactions, f"die_{moment}")(number)
        async with working(app):
            await until_death_or_end(app, store.id, transactions)
    place.clock.move(LEASE + 1)
    async with place.app(says("Hello."), vector_index="embedded") as app:
        embedder = controlled(app.app)
        found = await done(app, store.id)
        assert found.file_counts.completed == 1, (moment, number)
        assert (await texts_of(app, store.id))[file] == expected(app, TEXT)
        assert not transactions.dead or len(embedder.texts) <= len(expected(app, TEXT))
        assert await found_by_word(app, store.id, "town") == {file}
        await emptied(app, store.id)
    return transactions.dead


async def until_death_or_end(app: AppInMemory, store: str, transactions: Transactions) -> None:
    async with asyncio.timeout(30):
        while not transactions.dead:
            try:
                if (await rows(app, "jobs"))["jobs"] == 0:
                    return
            except Died:
                return
            await asyncio.sleep(0.01)


async def emptied(app: AppInMemory, store: str) -> None:
    """Delete the store, so that the next story does not find its texts embedded."""
    await app.app.database.run(vector_stores.remove, app.project, store)
    async with asyncio.timeout(30):
        while any((await rows(app, "jobs", "chunks")).values()):
            await asyncio.sleep(0.01)


async def test_chunks_of_an_attempt_that_cut_otherwise_are_not_gone_on_with(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingestion, "WINDOW", 5)
    async with place.app(says("Hello."), vector_index="embedded", work=False) as app:
        controlled(app.app)
        file = await add_file(app, TEXT)
        store = await make_store(app, file)
        transactions = Transactions(app.app.database)
        transactions.die_before(3)
        async with working(app):
            await until_death_or_end(app, store.id, transactions)
    place.clock.move(LEASE + 1)
    async with place.app(says("Hello."), vector_index="embedded", work=False) as app:
        controlled(app.app)
        changed = "What another version reads. " + TEXT
        await app.app.blobs.write(file, changed.encode())
        assert (await rows(app, "chunks"))["chunks"] > 0
        async with working(app):
            await done(app, store.id)
        assert (await texts_of(app, store.id))[file] == expected(app, changed)


async def test_workers_share_the_files_of_a_store(place: Place) -> None:
    async with place.app(says("Hello."), vector_index="embedded") as app, working(app), working(app):
        embedder = controlled(app.app)
        files = [await add_file(app, story(number, 10)) for number in range(60)]
        store = await done(app, (await make_store(app, *files)).id)
        assert store.file_counts.completed == 60
        texts = await texts_of(app, store.id)
        assert all(texts[file] == expected(app, story(number, 10)) for number, file in enumerate(files))
        assert len(embedder.texts) == sum(map(len, texts.values()))


FILES = 1000
KILLS = (150, 600)
"""The server is killed when so many files are completed."""


@pytest.mark.timeout(300)
def test_a_thousand_files_with_two_kills_on_the_way(clients: Clients, start_server: Callable[..., Server]) -> None:
    server = start_server(fresh=True, lease_seconds=1.0, vector_index="embedded")
    client = clients.sdk(server)
    texts = {upload(client, number): text_of(number) for number in range(FILES)}
    store = client.vector_stores.create(name="thousand")
    first = client.vector_stores.file_batches.create(store.id, file_ids=list(texts))
    assert (first.file_counts.total, first.file_counts.cancelled, first.file_counts.failed) == (FILES, 0, 0)
    for kill in KILLS:
        until(client, store.id, kill)
        server.kill9()
        server.start()
    end = until(client, store.id, FILES)
    assert (end.file_counts.completed, end.file_counts.total, end.status) == (FILES, FILES, "completed")
    with ThreadPoolExecutor(4) as threads:
        contents = list(threads.map(lambda file: content(client, store.id, file), list(texts)[::10]))
    assert contents == list(texts.values())[::10]
    assert end.usage_bytes == sum(len(text) + 2 * 128 for text in texts.values()), "each file has one chunk"


def text_of(number: int) -> str:
    return f"Parcel {number} of warehouse {number % 7} holds the number {number * number}."


def upload(client: OpenAI, number: int) -> str:
    data = text_of(number).encode()
    return client.files.create(file=(f"parcel-{number}.txt", data), purpose="assistants").id


def until(client: OpenAI, store: str, completed: int) -> VectorStore:
    """Wait until so many files are completed; none may be lost meanwhile."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            found = client.vector_stores.retrieve(store)
        except openai.APIConnectionError:
            continue
        counts = found.file_counts
        assert counts.completed + counts.in_progress == counts.total == FILES
        if counts.completed >= completed:
            return found
        time.sleep(0.1)  # asking is work for the server, too
    raise AssertionError(f"{completed} files are not completed in time")


def content(client: OpenAI, store: str, file: str) -> str:
    return "".join(part.text or "" for part in client.vector_stores.files.content(file, vector_store_id=store))
