"""Images that a client uploaded, put into a request as data URLs just before a model sees them."""

import base64
from dataclasses import replace
from mimetypes import guess_type
from typing import Any

from zhuli.core.errors import BackendError
from zhuli.ports import BlobStore
from zhuli.store.database import Database
from zhuli.store.knowledge.files import file_of
from zhuli.types.models.generation import ChatMessage, GenerationRequest


class Images:
    """Reads image files from the blob store."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self._database = database
        self._blobs = blobs

    async def filled_in(self, project: str, request: GenerationRequest) -> GenerationRequest:
        """The request with the project's image_file parts as image_url parts; the same request where there are none."""
        if not any(_image_files(message) for message in request.messages):
            return request
        return replace(request, messages=[await self._fill(project, message) for message in request.messages])

    async def _fill(self, project: str, message: ChatMessage) -> ChatMessage:
        if not _image_files(message):
            return message
        return {**message, "content": [await self._as_url(project, part) for part in message["content"]]}

    async def _as_url(self, project: str, part: dict[str, Any]) -> dict[str, Any]:
        if part["type"] != "image_file":
            return part
        file_id = part["image_file"]["file_id"]
        file = await self._database.run(file_of, project, file_id)
        if file is None:
            raise BackendError(f"The image file {file_id} no longer exists.", run_code="invalid_prompt")
        try:
            pieces = [piece async for piece in self._blobs.read(file_id)]
        except KeyError as error:
            raise BackendError(
                f"The content of the image file {file_id} is gone.", run_code="invalid_prompt"
            ) from error
        kind = guess_type(file.filename)[0] or "image/png"
        data = base64.b64encode(b"".join(pieces)).decode()
        url = {"url": f"data:{kind};base64,{data}", "detail": part["image_file"].get("detail", "auto")}
        return {"type": "image_url", "image_url": url}


def _image_files(message: ChatMessage) -> bool:
    content = message.get("content")
    return isinstance(content, list) and any(part["type"] == "image_file" for part in content)
