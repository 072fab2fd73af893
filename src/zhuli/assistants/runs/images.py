"""Images that a client uploaded, put into a request as data URLs just before a model sees them.

An image that can't be shown leaves a sentence in its place: it is gone, of a kind that models don't see, or too much with
the newer ones. A thread goes on whatever became of its files.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from zhuli.core.errors import InvalidRequest
from zhuli.ports import BlobStore
from zhuli.store.database import Database
from zhuli.store.knowledge.files import file_of, those_of
from zhuli.types.assistants.message import ImageFileBlock, ImageUrlBlock, Message, MessageCreate, MessageModify
from zhuli.types.models.generation import ChatMessage, GenerationRequest

MOST_IMAGES = 50
"""Image files of a message, and of a request."""

MOST_IMAGE_BYTES = 32 * 1024 * 1024
"""Their bytes together, each as often as it is named; a file may have 20 MB with the original."""

KINDS = "PNG, JPEG, GIF and WebP"
"""What models see, as a sentence has it."""


_BEGINNING = 16
"""Bytes by which a kind of image is told."""

_DATA_URL = re.compile(r"data:(?P<type>[^,]*?)(?P<base64>;base64)?,(?P<data>.{0,64})", re.IGNORECASE | re.DOTALL)


class Images:
    """Reads image files from the blob store."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self._database = database
        self._blobs = blobs

    async def check(self, project: str, messages: Sequence[MessageCreate | MessageModify | Message]) -> None:
        """InvalidRequest for an image that no model would see: by the bytes of its file, or of its data URL.

        What can't be known now passes: an image at an address, a file that is gone (whether it exists is asked elsewhere).
        """
        blocks = [block for message in messages if isinstance(message.content, list) for block in message.content]
        for block in blocks:
            if isinstance(block, ImageUrlBlock) and not _may_be_seen(block.image_url.url):
                raise _no_image("the data URL of an image")
        named = dict.fromkeys(block.image_file.file_id for block in blocks if isinstance(block, ImageFileBlock))
        for file_id in await self._database.run(those_of, project, list(named)) if named else ():
            beginning = await self._beginning(file_id)
            if beginning is not None and kind_of(beginning) is None:
                raise _no_image(f"the file {file_id}")

    async def _beginning(self, file_id: str) -> bytes | None:
        """The first bytes of a file; None where its content is gone."""
        data = b""
        try:
            async with aclosing(self._blobs.read(file_id)) as pieces:
                async for piece in pieces:
                    data += piece[:_BEGINNING]
                    if len(data) >= _BEGINNING:
                        break
        except KeyError:
            return None
        return data

    async def filled_in(self, project: str, request: GenerationRequest) -> GenerationRequest:
        """The request with the project's image_file parts as image_url parts; the same request where there are none.

        The newest images come first where not all have room. A file is read once, however often it is named.
        """
        if not any(_image_files(message) for message in request.messages):
            return request
        known: dict[str, str] = {}
        count, left = MOST_IMAGES, MOST_IMAGE_BYTES
        messages: list[ChatMessage] = []
        for message in reversed(request.messages):
            parts: list[dict[str, Any]] = []
            for part in reversed(message["content"]) if _image_files(message) else ():
                if part["type"] == "image_file":
                    part, size = await self._shown(project, part, known, left if count else 0)
                    count, left = count - (size > 0), left - size
                parts.append(part)
            messages.append({**message, "content": parts[::-1]} if parts else message)
        return replace(request, messages=messages[::-1])

    async def _shown(
        self, project: str, part: dict[str, Any], known: dict[str, str], left: int
    ) -> tuple[dict[str, Any], int]:
        """The image as a data URL, or what is said in its place; and its bytes."""
        file_id = part["image_file"]["file_id"]
        file = await self._database.run(file_of, project, file_id)
        if file is None:
            return _sentence(f"The image {file_id} that was here has been deleted."), 0
        if file.bytes > left:
            return _sentence(f"The image {file_id} is left out: those after it are too many or too large."), 0
        if file_id not in known:
            known[file_id] = await self._read(file_id)
        if not known[file_id]:
            return _sentence(f"The file {file_id} is no image that can be shown; {KINDS} can."), 0
        url = {"url": known[file_id], "detail": part["image_file"].get("detail", "auto")}
        return {"type": "image_url", "image_url": url}, file.bytes

    async def _read(self, file_id: str) -> str:
        """The data URL; empty where the content is gone or no image."""
        try:
            data = b"".join([piece async for piece in self._blobs.read(file_id)])
        except KeyError:
            return ""
        kind = kind_of(data)
        return "" if kind is None else f"data:{kind};base64,{base64.b64encode(data).decode()}"


def kind_of(data: bytes) -> str | None:
    """The media type by the first bytes, which a name may contradict; None for what is no image that models see."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


def check_images(sizes: Sequence[int]) -> None:
    """InvalidRequest for a message with too many image files, or too many bytes of them. sizes: of each, in bytes."""
    if len(sizes) > MOST_IMAGES:
        raise InvalidRequest(
            f"Invalid 'content': too many images. A message may have {MOST_IMAGES} image files, and this one has "
            f"{len(sizes)}.",
            param="content",
            code="array_above_max_length",
        )
    if sum(sizes) > MOST_IMAGE_BYTES:
        raise InvalidRequest(
            f"Invalid 'content': the images are too large. Those of a message may have {MOST_IMAGE_BYTES} bytes "
            f"together, each counted as often as it is named, and these have {sum(sizes)}.",
            param="content",
            code="invalid_value",
        )


def _may_be_seen(url: str) -> bool:
    """False for a data URL whose bytes are no image that models see."""
    if url[:5].lower() != "data:":
        return True
    found = _DATA_URL.match(url)
    if found is None or not found["base64"]:
        return False
    try:
        return kind_of(base64.b64decode(found["data"][: len(found["data"]) // 4 * 4], validate=True)) is not None
    except binascii.Error:
        return False


def _no_image(what: str) -> InvalidRequest:
    return InvalidRequest(
        f"Invalid 'content': {what} is no image that models see, by its first bytes. Use {KINDS}.",
        param="content",
        code="invalid_image_format",
    )


def _sentence(text: str) -> dict[str, Any]:
    return {"type": "text", "text": f"({text})"}


def _image_files(message: ChatMessage) -> bool:
    content = message.get("content")
    return isinstance(content, list) and any(part["type"] == "image_file" for part in content)
