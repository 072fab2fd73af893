"""What is kept for so many days and no longer: conversations by their newest message, files that no store has, entries, usage."""

from typing import Any

from sqlalchemy import Connection, func, select, text

from tests.engine.conftest import Place
from tests.engine.test_limits import HI, SCRIPT, sdk
from zhuli.store import schema
from zhuli.store.usage import HOUR

DAY = 86_400


async def test_what_is_older_is_deleted_in_pieces_and_leaves_a_record(place: Place) -> None:
    days = {"threads": 30, "files": 30}
    async with place.app(SCRIPT, retention_days=days, work=False) as app, sdk(app) as client:
        old = [await client.beta.threads.create(messages=HI) for _ in range(60)]
        empty = await client.beta.threads.create()
        used = await client.beta.threads.create(messages=HI)
        loose, kept = [await client.files.create(file=("a.txt", b"text"), purpose="assistants") for _ in range(2)]
        await client.vector_stores.create(file_ids=[kept.id])
        app.clock.move(20 * DAY)
        await client.beta.threads.messages.create(used.id, role="user", content="Still here")
        young = await client.beta.threads.create(messages=HI)
        app.clock.move(11 * DAY)
        active = await client.beta.assistants.create(model="script")
        waiting = await client.beta.threads.runs.create(old[0].id, assistant_id=active.id)
        await app.app.forget_old()
        left = {one["id"] for one in (await raw(client, "/threads?limit=100"))["data"]}
        assert left == {used.id, young.id, waiting.thread_id}
        assert empty.id not in left
        assert [file.id for file in (await client.files.list()).data] == [kept.id]
        assert loose.id != kept.id
        found = (await client.admin.organization.audit_logs.list(event_types=["retention.deleted"])).data  # type: ignore[list-item]
        numbers = [one.to_dict()["retention.deleted"] for one in found]
        assert sum(one["deleted"] for one in numbers if one["kind"] == "threads") == 60  # type: ignore[index]
        assert sum(one["deleted"] for one in numbers if one["kind"] == "files") == 1  # type: ignore[index]
        await app.app.forget_old()
        assert len((await client.admin.organization.audit_logs.list(limit=100)).data) == len(found)


async def test_entries_and_usage_are_forgotten_too(place: Place) -> None:
    days = {"audit_log": 90, "usage": 10}
    async with place.app(SCRIPT, retention_days=days, work=False) as app, sdk(app) as client:
        await client.beta.threads.delete((await client.beta.threads.create()).id)
        await client.chat.completions.create(model="script", messages=HI)
        await app.app.meter.settle()
        app.clock.move(11 * DAY)
        await app.app._fold_usage()
        assert await count(app, schema.usage_hours) == 1
        app.clock.move(HOUR)
        await app.app.forget_old()
        assert await count(app, schema.usage_hours) == 0
        assert await count(app, schema.audit_log) == 2
        app.clock.move(80 * DAY)
        await app.app.forget_old()
        listed = await client.admin.organization.audit_logs.list()
        assert not listed.data  # what is left says of no project that entries went

        def left(connection: Connection) -> list[str]:
            return list(connection.execute(text("SELECT type FROM audit_log")).scalars())

        assert set(await app.app.database.run(left)) == {"retention.deleted"}


async def count(app: Any, table: Any) -> int:
    def counted(connection: Connection) -> int:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())

    return int(await app.app.database.run(counted))


async def raw(client: Any, path: str) -> Any:
    return await client.get(path, cast_to=object)
