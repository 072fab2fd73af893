"""What commands ask of a server: its API, and its errors as sentences."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from zhuli.core.errors import BackendError, ConfigurationError, Unavailable

_PIECE = 256 * 1024


class ApiClient:
    """One server's API. Unavailable where no server answers, or one that can't just now; BackendError with what it refuses."""

    def __init__(self, http: aiohttp.ClientSession, base_url: str) -> None:
        self._http = http
        self._base = checked_base(base_url)

    async def call(self, method: str, path: str, body: Any = None, *, params: Mapping[str, Any] | None = None) -> Any:
        """The answer's JSON. path: below /v1."""
        async with self._response(method, path, json=body, params=params) as response:
            return orjson.loads(await response.read())

    async def upload(self, path: Path, purpose: str) -> str:
        """The file's id on the server."""
        with path.open("rb") as file:
            form = aiohttp.FormData()
            form.add_field("purpose", purpose)
            form.add_field("file", file, filename=path.name)
            async with self._response("POST", "/files", data=form) as response:
                return str(orjson.loads(await response.read())["id"])

    async def stream(self, path: str) -> AsyncGenerator[bytes, None]:
        """The answer's bytes in pieces."""
        async with self._response("GET", path) as response:
            async for piece in response.content.iter_chunked(_PIECE):
                yield piece

    @asynccontextmanager
    async def _response(self, method: str, path: str, **sent: Any) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        url = f"{self._base}{path}"
        try:
            async with self._http.request(method, url, **sent) as response:
                if not response.ok:
                    refused = Unavailable if response.status >= 500 else BackendError
                    raise refused(_message(await response.read()))
                yield response
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"No server answers at {url}: {error}") from error


@asynccontextmanager
async def api_client(base_url: str, api_key: str | None) -> AsyncGenerator[ApiClient, None]:
    """For as long as a command takes."""
    headers = {"Authorization": f"Bearer {api_key or 'none'}"}
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=120)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as http:
        yield ApiClient(http, base_url)


def checked_base(base_url: str) -> str:
    """The address without a slash at its end; ConfigurationError for what is none."""
    if not base_url.startswith(("http://", "https://")):
        raise ConfigurationError(
            f"'{base_url}' is no address of a server: one begins with http:// or https:// and ends with /v1, like "
            "http://127.0.0.1:8000/v1."
        )
    return base_url.rstrip("/")


def _message(data: bytes) -> str:
    try:
        return str(orjson.loads(data)["error"]["message"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return "The server's answer is not one of zhuli's."
