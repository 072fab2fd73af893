"""Stories of vector stores that need time, other commands at the same moment, or a look into the database."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from sqlalchemy import Connection, Table, func, insert, select

from tests.engine.conftest import Place
from tests.engine.scripts import says
from zhuli.core.errors import InvalidRequest, NotFound
from zhuli.store import schema
from zhuli.store.knowledge import changes, vector_stores
from zhuli.testing.app import AppInMemory
from zhuli.types.knowledge.file import File

DAY = 86_400
PATIENCE = 30.0

KNOWLEDGE = (
    schema.vector_stores,
    schema.vector_store_files,
    schema.vector_store_file_batches,
    schema.vector_store_changes,
    schema.vector_store_users,
    schema.chunks,
    schema.jobs,
)


@asynccontextmanager
async def http(app: AppInMemory) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app.asgi), base_url="http://localhost/v1") as client:
        yield client


async def made(client: httpx2.AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    response = await client.post(path, json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def shown(client: httpx2.AsyncClient, path: str, **query: Any) -> dict[str, Any]:
    response = await client.get(path, params=query)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def upload(client: httpx2.AsyncClient, *texts: str) -> list[str]:
    ids = []
    for text in texts:
        file = {"file": ("a.txt", text.encode())}
        ids.append((await client.post("files", files=file, data={"purpose": "assistants"})).json()["id"])
    return ids


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await holds():
            await asyncio.sleep(0.02)


async def settled(client: httpx2.AsyncClient, store: str) -> dict[str, Any]:
    async def done() -> bool:
        return (await shown(client, f"vector_stores/{store}"))["file_counts"]["in_progress"] == 0

    await until(done)
    return await shown(client, f"vector_stores/{store}")


def rows(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


async def counted(app: AppInMemory) -> dict[str, int]:
    return {table.name: await app.app.database.run(rows, table) for table in KNOWLEDGE}


EXPIRING = {"expires_after": {"anchor": "last_active_at", "days": 2}}


class TestExpiry:
    async def test_a_store_expires_after_so_many_days_without_use(self, place: Place) -> None:
        async with place.app(says("Hello.")) as app, http(app) as client:
            store = (await made(client, "vector_stores", **EXPIRING))["id"]
            app.clock.move(2 * DAY - 1)
            assert (await shown(client, f"vector_stores/{store}"))["status"] == "completed"
            app.clock.move(1)
            assert (await shown(client, f"vector_stores/{store}"))["status"] == "expired"
            assert (await shown(client, "vector_stores"))["data"][0]["status"] == "expired"

    async def test_an_expired_store_takes_no_files_and_says_what_would_help(self, place: Place) -> None:
        async with place.app(says("Hello.")) as app, http(app) as client:
            store = (await made(client, "vector_stores", **EXPIRING))["id"]
            [file] = await upload(client, "text")
            app.clock.move(2 * DAY)
            for path, body in (("files", {"file_id": file}), ("file_batches", {"file_ids": [file]})):
                response = await client.post(f"vector_stores/{store}/{path}", json=body)
                assert response.status_code == 400
                assert response.json()["error"] == {
                    "message": f"Vector store {store} has expired. Give it a new 'expires_after' to use it again.",
                    "type": "invalid_request_error",
                    "param": "vector_store_id",
                    "code": "vector_store_expired",
                }

    async def test_a_new_expires_after_brings_it_back(self, place: Place) -> None:
        async with place.app(says("Hello.")) as app, http(app) as client:
            files = await upload(client, "text", "more")
            store = (await made(client, "vector_stores", file_ids=files[:1], **EXPIRING))["id"]
            await settled(client, store)
            app.clock.move(3 * DAY)
            renamed = await made(client, f"vector_stores/{store}", name="Still expired")
            assert renamed["status"] == "expired"
            back = await made(client, f"vector_stores/{store}", **EXPIRING)
            assert (back["status"], back["file_counts"]["completed"]) == ("completed", 1)
            assert back["expires_at"] == int(app.clock.now()) + 2 * DAY
            assert (await made(client, f"vector_stores/{store}/files", file_id=files[1]))["id"] == files[1]

    async def test_use_puts_it_off(self, place: Place) -> None:
        async with place.app(says("Hello.")) as app, http(app) as client:
            store = (await made(client, "vector_stores", **EXPIRING))["id"]
            for use in ("search", "attach"):
                app.clock.move(2 * DAY - 1)
                now = int(app.clock.now())
                if use == "search":
                    opened = await app.app.database.run(vector_stores.open_stores, app.project, [store], now=now)
                    assert [found.id for found in opened] == [store]
                else:
                    await made(client, f"vector_stores/{store}/files", file_id=(await upload(client, "text"))[0])
                used = await shown(client, f"vector_stores/{store}")
                assert (used["last_active_at"], used["expires_at"]) == (now, now + 2 * DAY)

    async def test_use_is_noted_once_a_minute(self, place: Place) -> None:
        async with place.app(says("Hello.")) as app, http(app) as client:
            store = await made(client, "vector_stores")
            for seconds, noted in ((59, 0), (1, 60)):
                app.clock.move(seconds)
                now = int(app.clock.now())
                await app.app.database.run(vector_stores.open_stores, app.project, [store["id"]], now=now)
                used = await shown(client, f"vector_stores/{store['id']}")
                assert used["last_active_at"] == store["last_active_at"] + noted

    async def test_an_expired_or_unknown_store_is_not_opened(self, place: Place) -> None:
        async with place.app(says("Hello.")) as app, http(app) as client:
            store = (await made(client, "vector_stores", **EXPIRING))["id"]
            app.clock.move(2 * DAY)
            now = int(app.clock.now())
            for id_, error in ((store, InvalidRequest), ("vs_none", NotFound)):
                with pytest.raises(error, match=id_):
                    await app.app.database.run(vector_stores.open_stores, app.project, [id_], now=now)

    async def test_a_thread_gets_a_new_store_with_the_files_of_the_expired_one(self, place: Place) -> None:
        async with place.app(says("Hello.")) as app, http(app) as client:
            first, second = await upload(client, "one", "two")
            attach = [{"file_id": first, "tools": [{"type": "file_search"}]}]
            thread = await made(client, "threads", messages=[{"role": "user", "content": "one", "attachments": attach}])
            [old] = thread["tool_resources"]["file_search"]["vector_store_ids"]
            app.clock.move(7 * DAY)
            attach = [{"file_id": second, "tools": [{"type": "file_search"}]}]
            await made(client, f"threads/{thread['id']}/messages", role="user", content="two", attachments=attach)
            thread = await shown(client, f"threads/{thread['id']}")
            [new] = thread["tool_resources"]["file_search"]["vector_store_ids"]
            assert new != old
            files = await shown(client, f"vector_stores/{new}/files", order="asc")
            assert [file["id"] for file in files["data"]] == [first, second]
            assert (await settled(client, new))["file_counts"]["completed"] == 2


class TestLimits:
    async def test_a_store_takes_ten_thousand_files_and_says_so_of_one_more(self, place: Place) -> None:
        async with place.app(says("Hello."), work=False) as app, http(app) as client:
            files = await app.app.database.run(insert_files, app.project, 10_001)
            store = (await made(client, "vector_stores"))["id"]
            for start in range(0, 10_000, 2_000):
                some = files[start : start + 2_000]
                await made(client, f"vector_stores/{store}/file_batches", file_ids=some)
            response = await client.post(f"vector_stores/{store}/files", json={"file_id": files[-1]})
            assert response.status_code == 400
            assert response.json()["error"]["message"].startswith("A vector store can have at most 10000 files.")
            assert (await made(client, f"vector_stores/{store}/files", file_id=files[0]))["id"] == files[0]
            await client.delete(f"vector_stores/{store}/files/{files[0]}")
            assert (await made(client, f"vector_stores/{store}/files", file_id=files[-1]))["id"] == files[-1]
            assert (await shown(client, f"vector_stores/{store}"))["file_counts"]["total"] == 10_000


def insert_files(connection: Connection, project: str, number: int) -> list[str]:
    """Rows of files without bytes; their ids."""
    files = [
        File(id=f"file-{index}", bytes=0, created_at=0, filename="a.txt", purpose="assistants")
        for index in range(number)
    ]
    rows = [
        {"id": file.id, "project_id": project, "body": file.model_dump_json(), "purpose": file.purpose}
        for file in files
    ]
    connection.execute(insert(schema.files), rows)
    return [file.id for file in files]


class TestDeleting:
    async def test_a_deleted_store_leaves_nothing_in_the_database(self, place: Place) -> None:
        async with place.app(says("Hello.")) as app, http(app) as client:
            files = await upload(client, "word " * 22_000, *(f"Text {n}." for n in range(55)))
            store = (await made(client, "vector_stores"))["id"]
            chunking = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0}}
            await made(client, f"vector_stores/{store}/file_batches", file_ids=files, chunking_strategy=chunking)
            await made(client, "threads", tool_resources={"file_search": {"vector_store_ids": [store]}})
            await settled(client, store)
            assert (await counted(app))["chunks"] > 200
            await client.delete(f"vector_stores/{store}")

            async def empty() -> bool:
                return not any((await counted(app)).values())

            await until(empty)

    async def test_a_store_is_deleted_also_while_its_files_are_ingested(self, place: Place) -> None:
        async with place.app(says("Hello.")) as app, http(app) as client:
            files = await upload(client, *(f"Text {n}. " * 3000 for n in range(8)))
            for _ in range(3):
                store = (await made(client, "vector_stores", file_ids=files))["id"]
                await asyncio.sleep(0.05)
                await client.delete(f"vector_stores/{store}")

            async def empty() -> bool:
                return not any((await counted(app)).values())

            await until(empty)

    async def test_what_a_deletion_began_goes_on_after_a_restart(self, place: Place) -> None:
        async with place.app(says("Hello.")) as app, http(app) as client:
            files = await upload(client, "one", "two")
            store = (await made(client, "vector_stores", file_ids=files))["id"]
            await settled(client, store)
        async with place.app(says("Hello."), work=False) as app, http(app) as client:
            await client.delete(f"vector_stores/{store}")
            assert (await counted(app))["vector_store_files"] == 2
            assert (await client.get(f"vector_stores/{store}/files")).status_code == 404
        async with place.app(says("Hello.")) as app:

            async def empty() -> bool:
                return not any((await counted(app)).values())

            await until(empty)

    async def test_a_search_under_way_leaves_no_index_of_a_deleted_store(self, place: Place) -> None:
        async with place.app(says("Hello."), vector_index="embedded") as app, http(app) as client:
            files = await upload(client, "one", "two")
            store = (await made(client, "vector_stores", file_ids=files))["id"]
            await settled(client, store)
            number = await app.app.database.run(changes.latest, store)
            await client.delete(f"vector_stores/{store}")

            async def empty() -> bool:
                await app.app.knowledge.indexes.catch_up(store, number)
                return not any((await counted(app)).values())

            await until(empty)
            assert list(app.folder.rglob(f"{store}*")) == []


class TestAtOnce:
    async def test_attaching_cancelling_and_deleting_leave_exact_counts(self, place: Place) -> None:
        choose = random.Random(3)
        async with place.app(says("Hello.")) as app, http(app) as client:
            files = await upload(client, *(f"Text {n}. " * 50 for n in range(12)))
            store = (await made(client, "vector_stores"))["id"]
            at = f"vector_stores/{store}"

            async def attach() -> None:
                some = choose.sample(files, 4)
                batch = await made(client, f"{at}/file_batches", file_ids=some, attributes={"n": choose.random()})
                assert batch["file_counts"]["total"] <= 4
                if choose.random() < 0.5:
                    await made(client, f"{at}/file_batches/{batch['id']}/cancel")

            async def take_out() -> None:
                response = await client.delete(f"{at}/files/{choose.choice(files)}")
                assert response.status_code in (200, 404), response.text

            async def annotate() -> None:
                body = {"attributes": {"n": choose.random()}}
                response = await client.post(f"{at}/files/{choose.choice(files)}", json=body)
                assert response.status_code in (200, 404), response.text

            async def count() -> None:
                counts = (await shown(client, at))["file_counts"]
                assert counts["total"] == sum(number for name, number in counts.items() if name != "total")

            for _ in range(3):
                await asyncio.gather(*(act() for act in (attach, take_out, annotate, count) for _ in range(3)))
            counts = (await settled(client, store))["file_counts"]
            listed = (await shown(client, f"{at}/files", limit=100))["data"]
            by_status = dict.fromkeys(counts, 0) | {"total": len(listed)}
            for file in listed:
                by_status[file["status"]] += 1
            assert counts == by_status
            await client.delete(at)

            async def empty() -> bool:
                return not any((await counted(app)).values())

            await until(empty)

    async def test_a_file_and_its_stores_are_deleted_at_once(self, place: Place) -> None:
        async with place.app(says("Hello.")) as app, http(app) as client:
            for _ in range(3):
                files = await upload(client, "one", "two")
                stores = [(await made(client, "vector_stores", file_ids=files))["id"] for _ in range(3)]
                answers = await asyncio.gather(
                    *(client.delete(f"files/{file}") for file in files),
                    *(client.delete(f"vector_stores/{store}") for store in stores[:2]),
                    client.post(f"vector_stores/{stores[2]}/files", json={"file_id": files[0]}),
                )
                assert {answer.status_code for answer in answers} <= {200, 404}
                assert (await settled(client, stores[2]))["file_counts"]["total"] == 0
                await client.delete(f"vector_stores/{stores[2]}")

            async def empty() -> bool:
                return not any((await counted(app)).values())

            await until(empty)
