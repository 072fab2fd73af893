"""Multipart forms with a file in them: which fields they may have, and the file in pieces.

The file has been written to a temporary file while the body arrived, so that neither memory nor a blob store holds what
a client may never finish to send.
"""

from collections.abc import AsyncGenerator

from fastapi import UploadFile
from starlette.requests import Request

from zhuli.core.errors import BodyTooLarge, InvalidRequest

PIECE = 256 * 1024
"""Bytes read at once."""


async def refuse_others(request: Request, *names: str) -> None:
    """Refuse a form that has other fields than these."""
    if unknown := [name for name in await request.form() if name not in names]:
        raise InvalidRequest(f"Unknown parameter: '{unknown[0]}'.", param=unknown[0], code="unknown_parameter")


def check_size(file: UploadFile, *, most: int, name: str) -> None:
    """BodyTooLarge for a file of more than `most` bytes."""
    if (file.size or 0) > most:
        raise BodyTooLarge(
            f"'{name}' has {file.size} bytes. At most {most} are taken here.", param=name, code="request_too_large"
        )


async def pieces(file: UploadFile) -> AsyncGenerator[bytes, None]:
    """The file from its beginning."""
    await file.seek(0)
    while piece := await file.read(PIECE):
        yield piece
