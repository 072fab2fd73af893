"""The promises of the BlobStore port as tests: subclass it and give it the fixture `blobs`, a store that is empty."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from zhuli.ports import BlobStore

LARGE = 3 * 1024 * 1024 + 17
"""Bytes: more than any store hands out in one piece, and no round number."""

VERY_LARGE = 36 * 1024 * 1024 + 5
"""Bytes: more than any store holds in memory of what it is given in pieces."""


class BrokenOff(Exception):
    """What the test's pieces end with."""


@pytest.mark.asyncio
class BlobContract:
    async def test_what_was_written_is_read(self, blobs: BlobStore) -> None:
        await blobs.write("file-one", b"some bytes \x00\xff")
        assert await read_all(blobs, "file-one") == b"some bytes \x00\xff"

    async def test_a_large_blob_comes_in_pieces(self, blobs: BlobStore) -> None:
        data = os.urandom(LARGE)
        await blobs.write("file-large", data)
        async with aclosing(blobs.read("file-large")) as pieces:
            read = [piece async for piece in pieces]
        assert len(read) > 1
        assert b"".join(read) == data

    async def test_an_empty_blob_is_a_blob(self, blobs: BlobStore) -> None:
        await blobs.write("file-empty", b"")
        assert await read_all(blobs, "file-empty") == b""

    async def test_a_blob_may_be_written_in_pieces(self, blobs: BlobStore) -> None:
        data = os.urandom(LARGE)
        assert await blobs.write("file-pieces", in_pieces(data)) == LARGE
        assert await read_all(blobs, "file-pieces") == data

    async def test_a_blob_of_many_pieces_may_be_very_large(self, blobs: BlobStore) -> None:
        data = os.urandom(VERY_LARGE)
        assert await blobs.write("file-pieces", in_pieces(data)) == VERY_LARGE
        assert await read_all(blobs, "file-pieces") == data

    async def test_no_pieces_are_an_empty_blob(self, blobs: BlobStore) -> None:
        assert await blobs.write("file-empty", in_pieces(b"")) == 0
        assert await read_all(blobs, "file-empty") == b""

    @pytest.mark.parametrize("size", [1000, VERY_LARGE])
    async def test_pieces_that_break_off_leave_nothing(self, blobs: BlobStore, size: int) -> None:
        with pytest.raises(BrokenOff):
            await blobs.write("file-broken", in_pieces(os.urandom(size), then=BrokenOff()))
        with pytest.raises(KeyError):
            await read_all(blobs, "file-broken")

    async def test_pieces_that_break_off_leave_what_was_there(self, blobs: BlobStore) -> None:
        assert await blobs.write("file-one", b"here") == 4
        with pytest.raises(BrokenOff):
            await blobs.write("file-one", in_pieces(b"something else", then=BrokenOff()))
        assert await read_all(blobs, "file-one") == b"here"

    async def test_writing_again_replaces(self, blobs: BlobStore) -> None:
        await blobs.write("file-one", b"the first, which is longer")
        await blobs.write("file-one", b"the second")
        assert await read_all(blobs, "file-one") == b"the second"

    async def test_a_reader_sees_one_writing_whole(self, blobs: BlobStore) -> None:
        first, second = b"1" * LARGE, b"2" * LARGE
        await blobs.write("file-one", first)
        writing = asyncio.create_task(blobs.write("file-one", second))
        while not writing.done():
            assert await read_all(blobs, "file-one") in {first, second}
        await writing
        assert await read_all(blobs, "file-one") == second

    async def test_an_unknown_key_is_a_key_error(self, blobs: BlobStore) -> None:
        with pytest.raises(KeyError):
            await read_all(blobs, "file-none")

    async def test_a_deleted_blob_is_gone(self, blobs: BlobStore) -> None:
        await blobs.write("file-one", b"here")
        await blobs.delete("file-one")
        with pytest.raises(KeyError):
            await read_all(blobs, "file-one")

    async def test_deleting_what_is_not_there_does_no_harm(self, blobs: BlobStore) -> None:
        await blobs.delete("file-none")
        await blobs.write("file-one", b"here")
        assert await read_all(blobs, "file-one") == b"here"

    async def test_a_reader_may_leave_early(self, blobs: BlobStore) -> None:
        await blobs.write("file-large", os.urandom(LARGE))
        async with aclosing(blobs.read("file-large")) as pieces:
            assert await anext(pieces)
        await blobs.delete("file-large")

    async def test_many_at_once_do_not_mix(self, blobs: BlobStore) -> None:
        written = {f"file-{number}": f"content {number}".encode() * 1000 for number in range(16)}
        await asyncio.gather(*(blobs.write(key, data) for key, data in written.items()))
        read = await asyncio.gather(*(read_all(blobs, key) for key in written))
        assert dict(zip(written, read, strict=True)) == written

    @pytest.mark.parametrize("key", ["../outside", "a/b", "..", ""])
    async def test_a_key_is_a_plain_name(self, blobs: BlobStore, key: str) -> None:
        with pytest.raises(KeyError):
            await blobs.write(key, b"never")


async def read_all(blobs: BlobStore, key: str) -> bytes:
    """The whole blob."""
    async with aclosing(blobs.read(key)) as pieces:
        return b"".join([piece async for piece in pieces])


async def in_pieces(data: bytes, *, then: Exception | None = None) -> AsyncGenerator[bytes, None]:
    """The data in pieces of 100,000 bytes, and then an exception instead of an end."""
    for start in range(0, len(data), 100_000):
        yield data[start : start + 100_000]
    if then is not None:
        raise then
