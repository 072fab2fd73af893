"""Routes that take a file in a form: its part is a file whether it is named or not, under the name that was meant."""

from collections.abc import Callable, Coroutine
from typing import Any

from starlette.datastructures import FormData, Headers
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import Response

from zhuli.server.requests.file_names import decoded, filename_of, unnamed
from zhuli.server.requests.given import GivenRoute
from zhuli.server.requests.once import digest_of_form, once

_FILES = ("file", "data")
"""Fields of our forms that are files: some clients send them without a file name, as if they were text."""


class FormRoute(GivenRoute):
    """A route whose form is read by NamedParts."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's, with a form that is read by FormRequest."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            asked = FormRequest(request.scope, request.receive)
            return await once(asked, self.response_model, lambda: digest_of_form(asked), lambda: handler(asked))

        return handle


class FormRequest(Request):
    """A request whose form is read by NamedParts."""

    async def _get_form(self, **limits: Any) -> FormData:
        if self._form is None and self.headers.get("content-type", "").lower().startswith("multipart/form-data"):
            try:
                self._form = await NamedParts(self.headers, self.stream(), **limits).parse()
            except MultiPartException as error:
                raise HTTPException(status_code=400, detail=error.message) from error
        return await super()._get_form(**limits)


class NamedParts(MultiPartParser):
    """Starlette's parser, which ignores extended names and takes a file without a name for a text."""

    def on_headers_finished(self) -> None:
        """The parser's: a part for a file is one, whether the client named it or not."""
        part = self._current_part
        disposition = part.content_disposition or b""
        name = filename_of(decoded(disposition, self._charset))
        if name is not None:
            part.content_disposition = disposition + b'; filename="named"'
        super().on_headers_finished()
        if part.file is None and part.field_name in _FILES:
            part.content_disposition = disposition + b'; filename="unnamed"'
            self._current_fields -= 1
            super().on_headers_finished()
        if part.file is not None:
            part.file.filename = name or unnamed(Headers(raw=part.item_headers).get("content-type"))
