"""Any server that speaks /v1/chat/completions: vLLM, SGLang, llama-server, Ollama, a hosted API.

Speaks HTTP and server-sent events; what the chunks mean is read by models.completion_chunks. It retries until the first
piece of an answer has been passed on, never after. It estimates token counts: the tokenizer is on the other side.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from math import inf
from typing import Annotated, Any

import aiohttp
import orjson
from pydantic import BaseModel, ConfigDict, Field

from zhuli.core.errors import BackendError, RunErrorCode
from zhuli.core.tokens import estimate
from zhuli.models.engines.answer_bounds import AnswerBounds
from zhuli.models.engines.completion_chunks import CompletionReader, shortened
from zhuli.models.engines.event_lines import Body, parsed
from zhuli.models.engines.model_server import message_in, read_key, retry_after, wait_before_retry
from zhuli.models.engines.served_adapter import ServedAdapter
from zhuli.models.engines.sound_messages import sound
from zhuli.models.engines.token_logprobs import raw_logprobs
from zhuli.models.entry_settings import checked
from zhuli.types.models.generation import Ability, Delta, GenerationRequest

_AFTER_FINISH = 5.0
"""Seconds that usage and end mark may take once the answer has finished; some servers keep the connection open."""

Seconds = Annotated[float, Field(gt=0)]


class Settings(BaseModel):
    """What an entry of the models file may say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = Field(pattern=r"^https?://[^/\s]", description="Up to and with /v1, like http://127.0.0.1:8001/v1.")
    model: str = Field(min_length=1, description="The model's name over there; default: the entry's name.")
    api_key_env: str | None = Field(None, description="The environment variable that holds the key.")
    lora_path: str | None = Field(None, description="A LoRA adapter that vLLM is to load under the name of `model`.")
    headers: dict[str, str] = Field({}, description="Further headers of each request.")
    context_window: int = Field(32_768, gt=0, description="Tokens of prompt and answer together.")
    connect_timeout: Seconds = Field(10, description="For the connection to stand.")
    first_token_timeout: Seconds = Field(120, description="From the request to the first piece of the answer.")
    idle_timeout: Seconds = Field(60, description="From one sign of life to the next, once the answer has begun.")
    max_answer_bytes: int = Field(
        8 * 1024 * 1024, ge=1024, description="Most bytes of text and tool calls of an answer."
    )
    keep_call_ids: bool = Field(
        False, description="Send ids of tool calls as they were given, which Kimi's models want."
    )
    retries: int = Field(3, ge=0, description="Further tries after a failed connection, a 408, a 429 or a 5xx.")
    retry_base_delay: Seconds = Field(0.5, description="Before the first retry; each further one waits twice as long.")
    retry_max_delay: Seconds = Field(30, description="Longest wait; a server that asks for more is not retried.")
    max_tokens_field: str = Field("max_tokens", description="'max_completion_tokens' for OpenAI's reasoning models.")
    omit: frozenset[str] = Field(frozenset(), description="Body fields that this server refuses: ['stream_options'].")
    raw_prompts: bool = Field(True, description="Whether this server has /v1/completions too.")
    extra_body: dict[str, Any] = Field({}, description="Body fields to add, like {top_k = 20}; they win.")


class Plugin:
    """A model behind HTTP. One session with its pool of kept-alive connections for as long as the backend lives."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        self._name = name
        self._settings = checked(Settings, f"Model '{name}'", {"model": name, **settings})
        self._key = read_key(name, self._settings.api_key_env)
        self._base = self._settings.base_url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None
        self._adapter: ServedAdapter | None = None
        if path := self._settings.lora_path:
            self._adapter = ServedAdapter(self._settings.base_url, self._settings.model, path)
        self.context_window = self._settings.context_window
        self.abilities = self._abilities()

    async def start(self) -> None:
        self._open()

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[Delta, None]:
        raw = self._settings.raw_prompts and request.prompt is not None
        url = f"{self._base}/completions" if raw else f"{self._base}/chat/completions"
        body = self._body(request, raw=raw)
        tries, begun = 0, False
        while True:
            try:
                async with aclosing(self._answer(url, body, request.max_tokens)) as deltas:
                    async for delta in deltas:
                        begun = True
                        yield delta
                return
            except _MayPass as error:
                wait = self._wait(tries, error.retry_after)
                if begun or wait is None:
                    raise
                logging.getLogger(__name__).warning("Trying again in %.1f s. %s", wait, error.message)
            await asyncio.sleep(wait)
            tries += 1

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [estimate(text) for text in texts]

    async def aclose(self) -> None:
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            # The engine bounds how many calls run at once; a second bound here would only queue them unseen.
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(sock_connect=self._settings.connect_timeout),
                headers=self._headers(),
            )
        return self._session

    def _headers(self) -> dict[str, str]:
        # A compressed stream is held back by the buffers of whoever compresses it.
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream", "Accept-Encoding": "identity"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        return headers | self._settings.headers

    def _abilities(self) -> frozenset[Ability]:
        able: dict[Ability, bool] = {
            "logprobs": "logprobs" not in self._settings.omit,
            "custom_tools": True,
            "raw_prompts": self._settings.raw_prompts,
        }
        return frozenset(ability for ability, has in able.items() if has)

    def _body(self, request: GenerationRequest, *, raw: bool) -> bytes:
        """The JSON body. What equals the API's default stays out: servers differ in what they refuse."""
        body: dict[str, Any] = {
            "model": self._settings.model,
            "messages": sound(
                request.messages,
                keep_ids=self._settings.keep_call_ids,
                continues=bool(request.extra.get("continue_final_message")),
            ),
            "stream": True,
            "stream_options": {"include_usage": True},
            self._settings.max_tokens_field: request.max_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "reasoning_effort": request.reasoning_effort,
        }
        if request.tools:
            body["tools"] = request.tools
            body["tool_choice"] = None if request.tool_choice == "auto" else request.tool_choice
            body["parallel_tool_calls"] = None if request.parallel_tool_calls else False
        if request.response_format and request.response_format.get("type") != "text":
            body["response_format"] = request.response_format
        body |= request.extra
        if raw:
            body |= {"messages": None, self._settings.max_tokens_field: None, **raw_logprobs(body)}
            body |= {"prompt": request.prompt, "max_tokens": request.max_tokens}
        body |= self._settings.extra_body
        sent = {key: value for key, value in body.items() if value is not None and key not in self._settings.omit}
        try:
            return orjson.dumps(sent)
        except orjson.JSONEncodeError as error:
            raise BackendError(f"The prompt can't be written as JSON: {error}.", run_code="invalid_prompt") from error

    async def _answer(self, url: str, body: bytes, max_tokens: int | None) -> AsyncGenerator[Delta, None]:
        """One try: the deltas of one answer. Leaving it early closes the connection at once."""
        if self._adapter is not None:
            await self._adapter.load(self._open())
        idle, now = self._settings.idle_timeout, asyncio.get_running_loop().time
        first_deadline = now() + self._settings.first_token_timeout
        response = await self._post(url, body, first_deadline)
        patience = _Patience(response, first_deadline, idle)
        most = self._settings.max_answer_bytes
        chunks, reader = Body(2 * most + 65_536), CompletionReader()  # in JSON a letter may be twice as long
        bounds = AnswerBounds(self._name, max_tokens, most)
        try:
            while not chunks.done:
                patience.deadline = now() + idle if reader.begun else first_deadline
                if reader.finished:
                    patience.deadline = now() + min(idle, _AFTER_FINISH)
                data = await self._next(response, patience, reader)
                patience.deadline = inf
                if reader.finished and not data:
                    break
                for chunk in chunks.feed(data) if data else chunks.close():
                    if not (delta := self._read(reader, chunk)):
                        continue
                    if bounds.end_before(delta):  # the server goes on although it was told how long the answer may be
                        yield Delta(finish="length")
                        return
                    yield delta
                if not data:
                    break
            if not (reader.finished or chunks.done):
                raise self._cut()
            yield reader.close()
            await _drain(response)
        finally:
            patience.stop()
            response.close()

    async def _post(self, url: str, body: bytes, deadline: float) -> aiohttp.ClientResponse:
        """A response with status 200, its body still to come."""
        try:
            async with asyncio.timeout_at(deadline):
                response = await self._open().post(url, data=body, allow_redirects=False)
                said = b"" if response.status == 200 else await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            why = getattr(error, "strerror", None) or "no connection in time"
            raise _MayPass(f"The model server of '{self._name}' can't be reached: {why}.") from error
        except aiohttp.ClientError as error:
            raise _MayPass(f"The model server of '{self._name}' closed the connection without an answer.") from error
        except TimeoutError as error:
            raise self._silence(begun=False) from error
        if response.status == 404 and self._adapter is not None:
            self._adapter.forget()
            raise _MayPass(f"The model server of '{self._name}' has forgotten its adapter.")
        if response.status != 200:
            raise self._failure(response.status, parsed(said), response.headers)
        return response

    async def _next(self, response: aiohttp.ClientResponse, patience: "_Patience", reader: CompletionReader) -> bytes:
        """The next bytes of the body, b"" at its end, or where it breaks once the answer has finished."""
        try:
            return await response.content.readany()
        except aiohttp.ClientError as error:
            if reader.finished:
                return b""
            raise (self._silence(begun=reader.begun) if patience.over else self._cut()) from error

    def _read(self, reader: CompletionReader, chunk: dict[str, Any]) -> Delta | None:
        if chunk.get("error") or ("choices" not in chunk and ("message" in chunk or chunk.get("object") == "error")):
            raise self._failure(_status_in(chunk), chunk, {})
        return reader.read(chunk)

    def _cut(self) -> BackendError:
        return _MayPass(f"The model server of '{self._name}' cut the stream before its answer was complete.")

    def _failure(self, status: int, said: Any, headers: Mapping[str, str]) -> BackendError:
        """The error for what the server answered instead of an answer."""
        reason = shortened(message_in(said), hide=self._key) or "no reason given"
        message = f"The model server of '{self._name}' answered {status}: {reason}"
        if status in {401, 403} and self._settings.api_key_env:
            message += f" (its key comes from {self._settings.api_key_env})"
        if status in {400, 413, 422}:
            return BackendError(message, run_code="invalid_prompt")
        code: RunErrorCode = "rate_limit_exceeded" if status == 429 else "server_error"
        # An exhausted quota is a 429 too, but no wait of ours refills it.
        may_pass = (status in {408, 429} or status >= 500) and "insufficient_quota" not in str(said)
        return (_MayPass if may_pass else BackendError)(message, run_code=code, retry_after=retry_after(headers))

    def _silence(self, *, begun: bool) -> BackendError:
        if begun:
            return BackendError(f"The model server of '{self._name}' fell silent in the middle of its answer.")
        seconds = self._settings.first_token_timeout
        return BackendError(f"The model server of '{self._name}' gave no answer within {seconds:g} s.")

    def _wait(self, tries: int, asked: float | None) -> float | None:
        given = self._settings
        return wait_before_retry(
            tries, asked, retries=given.retries, shortest=given.retry_base_delay, longest=given.retry_max_delay
        )


class _MayPass(BackendError):
    """Worth another try, as long as nothing of the answer has been passed on."""


class _Patience:
    """Closes a response when the deadline passes; whoever waits moves the deadline.

    One timer an answer, checked at least every `idle` seconds: a timeout around each read costs as much as the read.
    """

    def __init__(self, response: aiohttp.ClientResponse, deadline: float, idle: float) -> None:
        self.deadline = deadline
        self.over = False
        self._response = response
        self._idle = idle
        self._loop = asyncio.get_running_loop()
        self._arm()

    def stop(self) -> None:
        self._timer.cancel()

    def _arm(self) -> None:
        self._timer = self._loop.call_at(min(self.deadline, self._loop.time() + self._idle), self._check)

    def _check(self) -> None:
        if self._loop.time() < self.deadline:
            self._arm()
            return
        self.over = True
        self._response.close()


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Read to the end, so that the connection can serve the next request; not from a server that keeps it open."""
    with suppress(aiohttp.ClientError, TimeoutError):
        async with asyncio.timeout(0.25):
            while await response.content.readany():
                pass


def _status_in(chunk: dict[str, Any]) -> int:
    """The HTTP status that an error inside a stream would have had."""
    error = chunk["error"] if isinstance(chunk.get("error"), dict) else chunk
    code, kind = error.get("code"), str(error.get("type")).lower()
    if isinstance(code, int) and 400 <= code <= 599:
        return code
    if "rate_limit" in kind or code == "rate_limit_exceeded":
        return 429
    return 400 if "invalid_request" in kind or "badrequest" in kind else 500
