"""A LoRA adapter that a running model server loads when it is first asked for: vLLM's POST /v1/load_lora_adapter.

The server must have been started with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True, and see the same files
(https://docs.vllm.ai/en/latest/features/lora/).
"""

import asyncio

import aiohttp
import orjson

from zhuli.core.errors import BackendError
from zhuli.models.engines.model_server import message_in

_LOADING_SECONDS = 120.0


class ServedAdapter:
    """name: the adapter's, by which it is asked for as a model. path: its folder."""

    def __init__(self, base_url: str, name: str, path: str) -> None:
        self._url = f"{base_url.rstrip('/')}/load_lora_adapter"
        self._body = {"lora_name": name, "lora_path": path}
        self._loading = asyncio.Lock()
        self._loaded = False

    def forget(self) -> None:
        """The server does not know it: it was started anew."""
        self._loaded = False

    async def load(self, session: aiohttp.ClientSession) -> None:
        """Have it loaded, once; BackendError with the server's reason."""
        async with self._loading:
            if not self._loaded:
                await self._load(session)
                self._loaded = True

    async def _load(self, session: aiohttp.ClientSession) -> None:
        timeout = aiohttp.ClientTimeout(total=_LOADING_SECONDS)
        try:
            async with session.post(self._url, json=self._body, timeout=timeout) as response:
                said = await response.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise BackendError(f"{self._url} can't be reached: {error or type(error).__name__}.") from error
        if response.status == 200 or "already been loaded" in said:
            return
        raise BackendError(
            f"{self._url} did not load the adapter of '{self._body['lora_name']}' ({response.status}): {_reason(said)} "
            "vLLM must run with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True."
        )


def _reason(said: str) -> str:
    try:
        return str(message_in(orjson.loads(said)))[:500]
    except orjson.JSONDecodeError:
        return said[:500]
