"""A conversation with a server of the Assistants API, over HTTP, as any app has one. Knows no terminal.

Makes an assistant of its own, which goes with it; the thread stays, so that the conversation can go on another day.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self

import aiohttp
import orjson

from zhuli.core.errors import BackendError, InvalidRequest, Unavailable, ZhuliError
from zhuli.operating.asking.api_client import checked_base

_NAME = "zhuli chat"
_QUIET_SECONDS = 120.0
"""The server sends a comment every few seconds; one that is silent for so long is gone."""


@dataclass(frozen=True, slots=True)
class Called:
    """A function that the run waits for. arguments: JSON."""

    id: str
    name: str
    arguments: str


class Conversation:
    """`usage` is that of the last answer; `calls` are what a run waits for before it goes on: see answer_calls().

    domain: the id of one that exists, or the fields of one that is made for this conversation and goes with it.
    """

    def __init__(
        self, base_url: str, api_key: str | None, instructions: str | None, domain: str | dict[str, Any] | None = None
    ) -> None:
        self.model = ""
        self.models: list[str] = []
        self.thread: str | None = None
        self.usage: dict[str, int] | None = None
        self.calls: list[Called] = []
        self._domain = domain
        self._made: str | None = None
        self._base_url = checked_base(base_url)
        self._instructions = instructions
        self._assistant: str | None = None
        self._run: str | None = None
        self._http = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {api_key or 'none'}", "OpenAI-Beta": "assistants=v2"},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=_QUIET_SECONDS),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            if self._assistant is not None:
                await self._call("DELETE", f"assistants/{self._assistant}")
            if self._made is not None:
                await self._call("DELETE", f"domains/{self._made}")
        finally:
            await self._http.close()

    async def begin(self, model: str | None, thread: str | None) -> None:
        """Find out what there is to talk to; `thread` is one to go on with."""
        self.models = [listed["id"] for listed in (await self._call("GET", "models"))["data"]]
        self.model = model or self.models[0]
        if thread is not None:
            self.thread = (await self._call("GET", f"threads/{thread}"))["id"]
        body: dict[str, Any] = {"model": self.model, "name": _NAME, "instructions": self._instructions}
        if isinstance(self._domain, dict):
            self._made = (await self._call("POST", "domains", self._domain))["id"]
        if (domain := self._made or self._domain) is not None:
            fields = await self._call("GET", f"domains/{domain}")
            tools = [{"type": "function", "function": {"name": name}} for name in sorted(_functions(fields))]
            body |= {"domain": domain, "tools": tools}
        self._assistant = (await self._call("POST", "assistants", body))["id"]

    def begin_anew(self) -> None:
        """Forget what was said: the next question opens another thread."""
        self.thread = None

    async def ask(self, text: str) -> AsyncGenerator[str, None]:
        """The answer, in the pieces in which it comes. BackendError says why there is none."""
        if self.thread is None:
            self.thread = (await self._call("POST", "threads", {}))["id"]
        message = {"role": "user", "content": text}
        body = {"assistant_id": self._assistant, "model": self.model, "additional_messages": [message], "stream": True}
        async with aclosing(self._stream(f"threads/{self.thread}/runs", body)) as pieces:
            async for piece in pieces:
                yield piece

    async def answer_calls(self, outputs: list[str]) -> AsyncGenerator[str, None]:
        """What follows when the functions that `calls` names have given these outputs, in pieces."""
        given = [{"tool_call_id": call.id, "output": text} for call, text in zip(self.calls, outputs, strict=True)]
        path = f"threads/{self.thread}/runs/{self._run}/submit_tool_outputs"
        async with aclosing(self._stream(path, {"tool_outputs": given, "stream": True})) as pieces:
            async for piece in pieces:
                yield piece

    async def understood(self) -> dict[str, Any] | None:
        """What was understood of the last message, if the conversation has a domain."""
        if self._domain is None or self.thread is None:
            return None
        page = await self._call("GET", f"threads/{self.thread}/understandings?limit=1&order=desc")
        return page["data"][0] if page["data"] else None

    async def cancel(self) -> None:
        """Stop the answer that is under way; ask() ends soon after."""
        if self._run is None:
            return
        with suppress(InvalidRequest):  # it may have ended meanwhile
            await self._call("POST", f"threads/{self.thread}/runs/{self._run}/cancel")

    async def messages(self) -> list[tuple[str, str]]:
        """Role and text of the last hundred messages, oldest first."""
        if self.thread is None:
            return []
        page = await self._call("GET", f"threads/{self.thread}/messages?limit=100")
        return [(message["role"], "".join(_texts(message["content"]))) for message in reversed(page["data"])]

    async def _stream(self, path: str, body: dict[str, Any]) -> AsyncGenerator[str, None]:
        self.usage, self.calls = None, []
        try:
            async with self._request("POST", path, body) as response:
                async for name, data in _events(response):
                    for piece in self._read(name, data):
                        yield piece
        finally:
            if not self.calls:
                self._run = None

    def _read(self, name: str, data: Any) -> list[str]:
        match name:
            case "thread.run.created":
                self._run = data["id"]
            case "thread.message.delta":
                return _texts(data["delta"]["content"])
            case "thread.run.requires_action":
                called = data["required_action"]["submit_tool_outputs"]["tool_calls"]
                self.calls = [
                    Called(one["id"], one["function"]["name"], one["function"]["arguments"]) for one in called
                ]
            case "thread.run.completed":
                self.usage = data["usage"]
            case "thread.run.incomplete":
                raise BackendError(f"The answer is cut short: {data['incomplete_details']['reason']}.")
            case "thread.run.failed":
                raise BackendError(data["last_error"]["message"])
            case "thread.run.expired":
                raise BackendError("The run took too long and has expired.")
            case "error":
                raise BackendError(data.get("error", data)["message"])
        return []

    async def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        async with self._request(method, path, body) as response:
            return orjson.loads(await response.read())

    @asynccontextmanager
    async def _request(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            async with self._http.request(method, f"{self._base_url}/{path}", json=body) as response:
                if response.status != 200:
                    raise _refusal(response.status, await response.read())
                yield response
        except (aiohttp.ClientConnectorError, aiohttp.ServerDisconnectedError) as error:
            raise Unavailable(f"No server answers at {self._base_url}. Start one with `zhuli serve`.") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"The connection to {self._base_url} broke off: {error or 'silence'}.") from error


async def _events(response: aiohttp.ClientResponse) -> AsyncGenerator[tuple[str, Any], None]:
    """Name and data of the server-sent events, up to the last."""
    rest = b""
    async for piece in response.content.iter_any():
        *blocks, rest = (rest + piece).split(b"\n\n")
        for block in blocks:
            fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if b": " in line)
            if fields.get(b"event") == b"done":
                return
            if b"data" in fields:
                yield fields[b"event"].decode(), orjson.loads(fields[b"data"])


def _functions(found: Any) -> set[str]:
    """Names of the functions that a domain's actions call, wherever they stand."""
    if isinstance(found, list):
        return {name for one in found for name in _functions(one)}
    if not isinstance(found, dict):
        return set()
    own = {found["function"]} if found.get("type") == "call" and isinstance(found.get("function"), str) else set()
    return own | {name for one in found.values() for name in _functions(one)}


def _texts(content: list[dict[str, Any]]) -> list[str]:
    """What is to be read in the parts of a message or of a delta."""
    texts = [part["text"].get("value") or "" for part in content if part["type"] == "text"]
    return texts + [part.get("refusal") or "" for part in content if part["type"] == "refusal"]


def _refusal(status: int, body: bytes) -> ZhuliError:
    try:
        message = orjson.loads(body)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        message = f"The server answered with status {status}: {body[:200].decode(errors='replace')}"
    return InvalidRequest(message) if status < 500 else Unavailable(message)
