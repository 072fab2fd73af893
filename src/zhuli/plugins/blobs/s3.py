"""Blobs in an S3 bucket: s3://bucket/prefix?endpoint_url=http://…&region=…, through s3fs.

Keys and secrets come from where AWS's own tools take them (AWS_ACCESS_KEY_ID, profiles, instance roles), never from the
URL. The bucket must exist. Needs the extra `s3`. A process that dies while it writes leaves a multipart upload, which
delete() aborts; a lifecycle rule of the bucket may do so too.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError
from s3fs import S3FileSystem

from zhuli.core.errors import ConfigurationError, Unavailable

PIECE = 256 * 1024
"""Bytes read at once."""

PART = 16 * 1024 * 1024
"""Bytes of a part of a multipart upload: S3 takes at least 5 MiB and 10,000 parts, so this does for 156 GiB."""

SETTINGS = ("endpoint_url", "region", "profile", "addressing_style")
"""What the URL's query may say. addressing_style=path is what most S3 servers other than Amazon's need."""


class Plugin:
    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if not parts.netloc:
            raise ConfigurationError(f"The blob store '{url}' names no bucket; like s3://bucket/prefix.")
        self._bucket = parts.netloc
        self._folder = f"{parts.netloc}{parts.path.rstrip('/')}"
        self._options = _options(url, dict(parse_qsl(parts.query)))
        self._opened: S3FileSystem | None = None

    async def write(self, key: str, data: bytes | AsyncIterable[bytes]) -> int:
        # An upload to S3 appears when it is complete, not before.
        path = self._path(key)
        if isinstance(data, bytes):
            with self._translated():
                await self._files()._pipe_file(path, data)
            return len(data)
        parts = _in_parts(data)
        first = await anext(parts, b"")
        if len(first) < PART:
            return await self.write(key, first)
        return await self._write_parts(path, first, parts)

    async def read(self, key: str) -> AsyncGenerator[bytes, None]:
        file = await self._files().open_async(self._path(key), "rb")
        try:
            while piece := await self._piece(file, key):
                yield piece
        finally:
            if file.r is not None:
                file.r.close()

    async def delete(self, key: str) -> None:
        place = self._place(self._path(key))
        with self._translated():
            await self._files()._rm_file(self._path(key))
            begun = await self._ask("list_multipart_uploads", Bucket=place["Bucket"], Prefix=place["Key"])
            for upload in begun.get("Uploads", ()):
                if upload["Key"] == place["Key"]:
                    await self._ask("abort_multipart_upload", UploadId=upload["UploadId"], **place)

    async def aclose(self) -> None:
        """Close the connections. After this the store must not be used."""
        if self._opened is not None and self._opened._s3 is not None:
            await self._opened._s3.close()

    def _files(self) -> S3FileSystem:
        if self._opened is None:
            # Made inside the event loop that will use it, and not shared through fsspec's cache of instances.
            self._opened = S3FileSystem(
                asynchronous=True, skip_instance_cache=True, use_listings_cache=False, **self._options
            )
        return self._opened

    def _path(self, key: str) -> str:
        if not re.fullmatch(r"\w[\w.-]*", key):
            raise KeyError(key)
        return f"{self._folder}/{key}"

    async def _write_parts(self, path: str, first: bytes, rest: AsyncIterable[bytes]) -> int:
        place = self._place(path)
        with self._translated():
            begun = await self._ask("create_multipart_upload", **place)
        place["UploadId"] = begun["UploadId"]
        try:
            done = [await self._write_part(place, 1, first)]
            size = len(first)
            async for part in rest:
                done.append(await self._write_part(place, len(done) + 1, part))
                size += len(part)
            with self._translated():
                await self._ask("complete_multipart_upload", MultipartUpload={"Parts": done}, **place)
        except BaseException:
            with suppress(OSError, BotoCoreError, ClientError, aiohttp.ClientError):
                await self._ask("abort_multipart_upload", **place)
            raise
        return size

    async def _write_part(self, upload: dict[str, str], number: int, data: bytes) -> dict[str, Any]:
        with self._translated():
            answer = await self._ask("upload_part", PartNumber=number, Body=data, **upload)
        return {"PartNumber": number, "ETag": answer["ETag"]}

    async def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        answer: dict[str, Any] = await self._files()._call_s3(method, **parameters)
        return answer

    def _place(self, path: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": path.removeprefix(f"{self._bucket}/")}

    async def _piece(self, file: Any, key: str) -> bytes:
        try:
            with self._translated():
                piece: bytes = await file.read(PIECE)
        except FileNotFoundError as error:
            raise KeyError(key) from error
        return piece

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (OSError, BotoCoreError, ClientError, aiohttp.ClientError) as error:
            if _says(error, "NoSuchKey", "404"):
                raise FileNotFoundError from error
            raise Unavailable(f"The file store in the bucket '{self._bucket}' does not work: {error}") from error


async def _in_parts(data: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    """The same bytes in pieces of PART; only the last may be smaller."""
    gathered = bytearray()
    async for piece in data:
        gathered += piece
        while len(gathered) >= PART:
            yield bytes(gathered[:PART])
            del gathered[:PART]
    if gathered:
        yield bytes(gathered)


def _says(error: BaseException, *codes: str) -> bool:
    """Whether S3 answered with one of these error codes; s3fs hides the answer behind an OSError."""
    answer = error if isinstance(error, ClientError) else error.__cause__
    return isinstance(answer, ClientError) and answer.response.get("Error", {}).get("Code") in codes


def _options(url: str, query: dict[str, str]) -> dict[str, Any]:
    if unknown := sorted(query.keys() - set(SETTINGS)):
        bare = url.partition("?")[0]
        raise ConfigurationError(
            f"The blob store '{bare}': unknown setting '{unknown[0]}'. Known: {', '.join(SETTINGS)}."
        )
    options: dict[str, Any] = {}
    if "endpoint_url" in query:
        options["endpoint_url"] = query["endpoint_url"]
    if "region" in query:
        options["client_kwargs"] = {"region_name": query["region"]}
    if "profile" in query:
        options["profile"] = query["profile"]
    if "addressing_style" in query:
        options["config_kwargs"] = {"s3": {"addressing_style": query["addressing_style"]}}
    return options
