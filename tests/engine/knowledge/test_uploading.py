"""Files and uploads over time: what expires, and what a process leaves behind that dies."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import openai
import pytest

from tests.engine.conftest import Place
from tests.harness.blobs import blobs_of
from tests.harness.clients import Clients
from tests.harness.server import SCRIPT, Server
from tests.harness.stories import use_the_model
from zhuli.core.errors import InvalidRequest, NotFound, Unavailable
from zhuli.store import collections, schema
from zhuli.store.knowledge import blobs, files
from zhuli.testing.app import AppInMemory
from zhuli.types.knowledge.file import File
from zhuli.types.knowledge.upload import Upload, UploadComplete, UploadCreate

COMMITS = 2
"""Transactions of completing an upload: the file is announced, and then it is there and the upload completed."""


async def test_a_file_is_gone_when_it_has_expired(place: Place) -> None:
    async with place.app({}) as app:
        file = await app.app.knowledge.files.add(app.project, b"x", filename="a", purpose="user_data", lifetime=3600)
        kept = await app.app.knowledge.files.add(app.project, b"x", filename="a", purpose="user_data")
        app.clock.move(3599)
        await asyncio.sleep(0.05)
        assert await stored(app, file) == file
        await until_swept(app, kept.id)
        with pytest.raises(NotFound):
            await stored(app, file)


async def test_an_upload_expires_after_an_hour(place: Place) -> None:
    async with place.app({}) as app:
        uploads = app.app.knowledge.uploads
        upload = await begin(app, 1)
        part = await uploads.add_part(app.project, upload.id, b"x")
        app.clock.move(3600)
        body = UploadComplete(part_ids=[part.id])
        with pytest.raises(InvalidRequest, match="can't be completed: its status is 'expired'"):
            await uploads.complete(app.project, upload.id, body)
        await until_swept(app)
        with pytest.raises(InvalidRequest, match="can't take parts: its status is 'expired'"):
            await uploads.add_part(app.project, upload.id, b"x")


async def test_bytes_written_for_nothing_are_deleted(place: Place) -> None:
    async with place.app({}) as app:
        await app.app.database.run(blobs.announce, "file-lost", now=app.clock.now())
        await app.app.blobs.write("file-lost", b"x")
        app.clock.move(blobs.WRITING_SECONDS - 10)
        await asyncio.sleep(0.05)
        assert names(app) == ["file-lost"]
        await until_swept(app)
        with pytest.raises(Unavailable, match="took too long"):
            await app.app.database.run(blobs.keep, "file-lost")


async def test_a_writer_that_breaks_off_leaves_nothing(place: Place) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"x" * 100_000
        raise ConnectionResetError

    async with place.app({}) as app:
        with pytest.raises(ConnectionResetError):
            await app.app.knowledge.files.add(app.project, pieces(), filename="a", purpose="user_data")
        await until(lambda: names(app) == [])


async def test_a_file_that_seemed_not_to_be_committed_keeps_its_bytes(place: Place) -> None:
    async def written(app: AppInMemory) -> None:
        async with app.app.knowledge.files.writing(file.id, b"x"):
            await app.app.database.run(files.insert, app.project, file)
            raise ConnectionResetError  # the database's answer to the commit is lost

    file = File(id="file-1", bytes=1, created_at=0, filename="a", purpose="user_data")
    async with place.app({}) as app:
        with pytest.raises(ConnectionResetError):
            await written(app)
        app.clock.move(blobs.WRITING_SECONDS + 10)
        await asyncio.sleep(0.1)
        assert names(app) == [file.id]
        assert await stored(app, file) == file


async def test_an_upload_that_ends_while_it_is_completed_makes_no_file(place: Place) -> None:
    async with place.app({}) as app:
        uploads = app.app.knowledge.uploads
        upload = await begin(app, 1)
        part = await uploads.add_part(app.project, upload.id, b"x")
        done = await asyncio.gather(
            uploads.complete(app.project, upload.id, UploadComplete(part_ids=[part.id])),
            uploads.cancel(app.project, upload.id),
            return_exceptions=True,
        )
        ended = [result for result in done if isinstance(result, Upload)]
        refusals = [result for result in done if isinstance(result, InvalidRequest)]
        assert (len(ended), len(refusals)) == (1, 1)
        files = [ended[0].file.id] if ended[0].file else []
        await until(lambda: names(app) == files)


@pytest.mark.timeout(300)
def test_completing_bears_a_kill_before_any_commit(
    clients: Clients, start_server: Callable[..., Server], storage: str, tmp_path: Path
) -> None:
    arm = tmp_path / "armed"
    killer = {"backend": "tests.engine.killer:Killer", "script": str(SCRIPT), "arm_file": str(arm)}
    server = start_server(fresh=True, models={"killer": killer})
    sdk = clients.sdk(server)
    made: list[str] = []
    for boundary in range(COMMITS):
        upload = sdk.uploads.create(bytes=4, filename="a", purpose="assistants", mime_type="text/plain")
        ids = [sdk.uploads.parts.create(upload.id, data=data).id for data in (b"ab", b"cd")]
        use_the_model(sdk, "killer")
        arm.write_text(str(boundary))
        assert not completes(sdk, upload.id, ids)
        arm.unlink()
        server.kill9()
        server.start()
        file = sdk.uploads.complete(upload.id, part_ids=ids).file
        assert file is not None
        made.append(file.id)
        assert sdk.files.content(file.id).read() == b"abcd"
    assert [file.id for file in sdk.files.list(order="asc")] == made
    if storage == "sqlite":  # with PostgreSQL another process might be writing still, so that takes hours
        asyncio.run(until(lambda: blobs_of(server) == sorted(made)))


def completes(sdk: openai.OpenAI, upload_id: str, part_ids: list[str]) -> bool:
    """Whether the server answered, rather than died."""
    try:
        sdk.uploads.complete(upload_id, part_ids=part_ids)
    except openai.APIConnectionError:
        return False
    return True


async def begin(app: AppInMemory, size: int) -> Upload:
    body = UploadCreate(filename="a", purpose="user_data", bytes=size, mime_type="text/plain")
    return await app.app.knowledge.uploads.create(app.project, body)


async def stored(app: AppInMemory, file: File) -> File:
    return await app.app.database.run(collections.get, schema.files, File, app.project, file.id)


def names(app: AppInMemory) -> list[str]:
    return sorted(path.name for path in (app.folder / "files").rglob("*") if path.is_file())


async def until_swept(app: AppInMemory, *left: str) -> None:
    """Until only these blobs are left; the sweep may be at work when the clock moves, and sleep again after."""

    def swept() -> bool:
        app.clock.move(10)
        return names(app) == list(left)

    await until(swept)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.02)
