"""Any server that speaks /v1/embeddings: vLLM, llama-server, Ollama, text-embeddings-inference, a hosted API.

It sends texts in batches, several at once, and tries again what may pass. It estimates token counts, and cuts off what is
too long by that estimate: the tokenizer is on the other side.
"""

import asyncio
import logging
import math
import sys
from array import array
from collections.abc import Sequence
from typing import Annotated, Any

import aiohttp
import orjson
from pydantic import BaseModel, ConfigDict, Field

from zhuli.core.errors import BackendError
from zhuli.core.tokens import estimate
from zhuli.models.engines.completion_chunks import shortened
from zhuli.models.engines.model_server import message_in, read_key, retry_after, wait_before_retry
from zhuli.models.entry_settings import checked
from zhuli.types.knowledge.vectors import Purpose, Vectors

Seconds = Annotated[float, Field(gt=0)]


class Settings(BaseModel):
    """What an entry of the models file may say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = Field(pattern=r"^https?://[^/\s]", description="Up to and with /v1, like http://127.0.0.1:8001/v1.")
    dimensions: int = Field(ge=1, description="Numbers in a vector of this model.")
    model: str = Field(min_length=1, description="The model's name over there; default: the entry's name.")
    api_key_env: str | None = Field(None, description="The environment variable that holds the key.")
    headers: dict[str, str] = Field({}, description="Further headers of each request.")
    ask_dimensions: bool = Field(default=False, description="Ask for `dimensions` numbers: few models can give fewer.")
    max_tokens: int = Field(8192, ge=16, description="Longest text; by an estimate, what is longer is cut off.")
    query_prefix: str = Field("", description="What the model expects before a question, like 'query: '.")
    passage_prefix: str = Field("", description="What it expects before a text that may answer one.")
    batch: int = Field(64, ge=1, le=2048, description="Texts in a request.")
    requests: int = Field(4, ge=1, description="Requests at once.")
    connect_timeout: Seconds = Field(10, description="For the connection to stand.")
    timeout: Seconds = Field(60, description="For a whole request.")
    retries: int = Field(3, ge=0, description="Further tries after a failed connection, a 408, a 429 or a 5xx.")
    retry_base_delay: Seconds = Field(0.5, description="Before the first retry; each further one waits twice as long.")
    retry_max_delay: Seconds = Field(30, description="Longest wait; a server that asks for more is not retried.")


class Plugin:
    """A model behind HTTP. One session with its pool of kept-alive connections for as long as the embedder lives."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        self._name = name
        self._settings = checked(Settings, f"Embedder '{name}'", {"model": name, **settings})
        self._key = read_key(name, self._settings.api_key_env)
        self._url = f"{self._settings.base_url.rstrip('/')}/embeddings"
        self._session: aiohttp.ClientSession | None = None
        self._turns = asyncio.Semaphore(self._settings.requests)
        self.dimensions = self._settings.dimensions
        self.max_tokens = self._settings.max_tokens

    async def start(self) -> None:
        self._open()

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors:
        prefix = self._settings.query_prefix if purpose == "query" else self._settings.passage_prefix
        given = [prefix + _cut(text, self.max_tokens) for text in texts]
        size = self._settings.batch
        try:
            async with asyncio.TaskGroup() as group:
                batches = [given[start : start + size] for start in range(0, len(given), size)]
                tasks = [group.create_task(self._batch(batch)) for batch in batches]
        except* BackendError as errors:
            raise errors.exceptions[0] from None
        return Vectors(self.dimensions, b"".join(task.result() for task in tasks))

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [estimate(text) for text in texts]

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            headers = {"Content-Type": "application/json"} | (
                {"Authorization": f"Bearer {self._key}"} if self._key else {}
            )
            self._session = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(
                    total=self._settings.timeout, sock_connect=self._settings.connect_timeout
                ),
                headers=headers | self._settings.headers,
            )
        return self._session

    async def _batch(self, texts: Sequence[str]) -> bytes:
        """The rows of these texts."""
        body: dict[str, Any] = {"model": self._settings.model, "input": texts, "encoding_format": "float"}
        if self._settings.ask_dimensions:
            body["dimensions"] = self.dimensions
        async with self._turns:
            for tries in range(self._settings.retries + 1):
                try:
                    return self._rows(await self._post(orjson.dumps(body)), len(texts))
                except _MayPass as error:
                    if (wait := self._wait(tries, error.retry_after)) is None:
                        raise
                    logging.getLogger(__name__).warning("Trying again in %.1f s. %s", wait, error.message)
                    await asyncio.sleep(wait)
        raise AssertionError("the last try returns or raises")

    async def _post(self, body: bytes) -> Any:
        """The JSON of an answer with status 200."""
        try:
            async with self._open().post(self._url, data=body, allow_redirects=False) as response:
                content, status, headers = await response.read(), response.status, response.headers
        except TimeoutError as error:
            raise _MayPass(f"The model server of '{self._name}' gave no answer in time.") from error
        except aiohttp.ClientError as error:
            reason = getattr(error, "strerror", None) or "it closed the connection without an answer"
            raise _MayPass(f"The model server of '{self._name}' can't be reached: {reason}.") from error
        said = _parsed(content)
        if status == 200:
            return said
        may_pass = (status in {408, 429} or status >= 500) and "insufficient_quota" not in str(said)
        reason = shortened(message_in(said), hide=self._key) or "no reason given"
        raise (_MayPass if may_pass else BackendError)(
            f"The model server of '{self._name}' answered {status}: {reason}",
            run_code="rate_limit_exceeded" if status == 429 else "server_error",
            retry_after=retry_after(headers),
        )

    def _rows(self, said: Any, count: int) -> bytes:
        """The vectors in an answer, in the order of the texts, each brought to unit length."""
        try:
            rows = [entry["embedding"] for entry in sorted(said["data"], key=lambda entry: entry["index"])]
            lengths = {len(row) for row in rows}
            made = b"".join(_row(row) for row in rows)
        except (KeyError, TypeError, ValueError) as error:
            raise BackendError(
                f"The model server of '{self._name}' answered something that is no embeddings."
            ) from error
        if len(rows) != count:
            raise BackendError(f"The model server of '{self._name}' answered {len(rows)} vectors for {count} texts.")
        if lengths != {self.dimensions}:
            found = ", ".join(map(str, sorted(lengths)))
            raise BackendError(
                f"The vectors of '{self._name}' have {found} numbers, and the models file says "
                f"dimensions = {self.dimensions}: correct it there."
            )
        return made

    def _wait(self, tries: int, asked: float | None) -> float | None:
        given = self._settings
        return wait_before_retry(
            tries, asked, retries=given.retries, shortest=given.retry_base_delay, longest=given.retry_max_delay
        )


class _MayPass(BackendError):
    """Worth another try."""


def _row(numbers: Sequence[float]) -> bytes:
    length = math.hypot(*numbers)
    if not (length > 0 and math.isfinite(length)):
        raise ValueError("a vector without a direction")
    row = array("f", (number / length for number in numbers))
    if sys.byteorder == "big":
        row.byteswap()
    return row.tobytes()


def _cut(text: str, most: int) -> str:
    """The beginning of the text that has about `most` tokens. Servers refuse an empty text: a space stands for it."""
    tokens = estimate(text)
    return (text if tokens <= most else text[: len(text) * most // tokens]) or " "


def _parsed(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return content.decode("utf-8", "replace")
