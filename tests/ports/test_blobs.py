"""The blob stores against their contract: files in a real folder, S3 against a real moto server on loopback."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import boto3
import pytest
import pytest_asyncio

from tests.harness.later import later
from zhuli.core.errors import ConfigurationError, Unavailable
from zhuli.ports import BlobStore
from zhuli.registry import find
from zhuli.testing.blob_contract import LARGE, VERY_LARGE, BlobContract, BrokenOff, in_pieces, read_all

with later:
    from moto.server import ThreadedMotoServer


class TestFile(BlobContract):
    @pytest.fixture
    def blobs(self, tmp_path: Path) -> BlobStore:
        store: BlobStore = find("blobs", "file")(f"file://{tmp_path}/blobs")
        return store

    async def test_nothing_but_blobs_stays_in_the_folder(self, blobs: BlobStore, tmp_path: Path) -> None:
        await asyncio.gather(*(blobs.write("file-one", b"x" * LARGE) for _ in range(4)))
        with pytest.raises(BrokenOff):
            await blobs.write("file-two", in_pieces(b"x", then=BrokenOff()))
        assert _files_in(tmp_path) == ["file-one"]

    async def test_deleting_removes_what_a_killed_process_left(self, blobs: BlobStore, tmp_path: Path) -> None:
        await blobs.write("file-one", b"x")
        (tmp_path / "blobs/.incoming/file-two.0123").write_bytes(b"the first half")
        await blobs.delete("file-two")
        assert _files_in(tmp_path) == ["file-one"]

    async def test_a_folder_that_cannot_be_written_is_unavailable(self, tmp_path: Path) -> None:
        (tmp_path / "taken").write_text("a file where the folder should be")
        store = find("blobs", "file")(f"file://{tmp_path}/taken")
        with pytest.raises(Unavailable, match="does not work: Not a directory"):
            await store.write("file-one", b"x")

    async def test_a_relative_folder_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match="whole path"):
            find("blobs", "file")("file://blobs")


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


class TestS3(BlobContract):
    @pytest_asyncio.fixture
    async def blobs(self, s3_server: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[BlobStore]:
        _pretend_to_have_keys(monkeypatch)
        bucket = boto3.resource("s3", endpoint_url=s3_server, region_name="us-east-1").Bucket("zhuli")
        await asyncio.to_thread(bucket.create)
        store = find("blobs", "s3")(f"s3://zhuli/some/prefix?endpoint_url={s3_server}&region=us-east-1")
        yield store
        await store.aclose()
        await asyncio.to_thread(bucket.objects.all().delete)

    async def test_keys_lie_under_the_prefix(self, blobs: BlobStore, s3_server: str) -> None:
        await blobs.write("file-one", b"x")
        bucket = boto3.resource("s3", endpoint_url=s3_server, region_name="us-east-1").Bucket("zhuli")
        assert [found.key for found in await asyncio.to_thread(lambda: list(bucket.objects.all()))] == [
            "some/prefix/file-one"
        ]

    async def test_pieces_that_break_off_leave_no_upload_begun(self, blobs: BlobStore, s3_server: str) -> None:
        with pytest.raises(BrokenOff):
            await blobs.write("file-one", in_pieces(b"x" * VERY_LARGE, then=BrokenOff()))
        assert await _uploads_begun(s3_server) == []

    async def test_deleting_aborts_what_a_killed_process_began(self, blobs: BlobStore, s3_server: str) -> None:
        s3 = boto3.client("s3", endpoint_url=s3_server, region_name="us-east-1")
        for name in ("file-one", "file-one-more"):
            await asyncio.to_thread(s3.create_multipart_upload, Bucket="zhuli", Key=f"some/prefix/{name}")
        await blobs.delete("file-one")
        assert await _uploads_begun(s3_server) == ["some/prefix/file-one-more"]

    async def test_a_missing_bucket_is_unavailable_and_not_a_missing_blob(
        self, blobs: BlobStore, s3_server: str
    ) -> None:
        store = find("blobs", "s3")(f"s3://nowhere?endpoint_url={s3_server}&region=us-east-1")
        with pytest.raises(Unavailable, match="nowhere"):
            await store.write("file-one", b"x")
        with pytest.raises(Unavailable, match="nowhere"):
            await read_all(store, "file-one")
        await store.aclose()

    async def test_an_unknown_setting_in_the_url_is_refused_by_name(self) -> None:
        with pytest.raises(ConfigurationError, match=r"'endpoint'.*Known: endpoint_url"):
            find("blobs", "s3")("s3://zhuli?endpoint=x")

    async def test_a_url_without_a_bucket_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match="names no bucket"):
            find("blobs", "s3")("s3:///prefix")


def _files_in(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


async def _uploads_begun(s3_server: str) -> list[str]:
    s3 = boto3.client("s3", endpoint_url=s3_server, region_name="us-east-1")
    begun = await asyncio.to_thread(s3.list_multipart_uploads, Bucket="zhuli")
    return [upload["Key"] for upload in begun.get("Uploads", ())]


def _pretend_to_have_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(variable, "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
