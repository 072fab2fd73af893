"""Which model servers already run on this machine, on the ports that they usually have: Ollama, LM Studio, llama-server, vLLM."""

import asyncio
from dataclasses import dataclass
from typing import Any

import aiohttp

USUAL = {"Ollama": 11434, "LM Studio": 1234, "llama-server": 8080, "vLLM": 8000}

_SECONDS = 1.0
"""For an answer from this machine; where nobody listens it is known at once."""

_MOST_BYTES = 1024 * 1024
_MOST_MODELS = 100

_NOT_FOR_CHATS = ("embed", "bge-", "/bge", "minilm", "rerank", "whisper", "clip", "moderation", "guard")
"""In names of models that answer no chats; the lists of these servers do not say it otherwise."""

_WINDOW = 8192
"""Tokens, where a server does not say how long a prompt may be: Ollama and LM Studio load models with 4,096 to 8,192."""


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model of a server; window: tokens of prompt and answer together."""

    name: str
    window: int


@dataclass(frozen=True, slots=True)
class FoundServer:
    """models: those that chats may be held with, in the server's order."""

    name: str
    base_url: str
    models: tuple[FoundModel, ...]


async def look(ports: dict[str, int] = USUAL, *, without: int | None = None) -> list[FoundServer]:
    """Servers that answer with a model at least, in the order of `ports`. without: a port that is our own."""
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
        asked = [_ask(session, name, port) for name, port in ports.items() if port != without]
        return [server for server in await asyncio.gather(*asked) if server and server.models]


async def _ask(session: aiohttp.ClientSession, name: str, port: int) -> FoundServer | None:
    base_url = f"http://127.0.0.1:{port}/v1"
    try:
        async with session.get(f"{base_url}/models", allow_redirects=False) as response:
            if response.status != 200 or (response.content_length or 0) > _MOST_BYTES:
                return None
            listed = await response.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return None
    return FoundServer(name, base_url, _models(listed))


def _models(listed: Any) -> tuple[FoundModel, ...]:
    """Of a list as OpenAI's API has it; nothing where another program answers, or another zhuli."""
    items = listed.get("data") if isinstance(listed, dict) else None
    found = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    if any(item.get("owned_by") == "zhuli" for item in found):
        return ()
    named = [(item["id"], _window(item)) for item in found if isinstance(item.get("id"), str)]
    chats = [FoundModel(name, window) for name, window in named if not _is_other(name)]
    return tuple(chats[:_MOST_MODELS])


def _window(item: dict[str, Any]) -> int:
    """vLLM says max_model_len, llama-server what the model was made for."""
    meta = item.get("meta")
    said = item.get("max_model_len") or (meta.get("n_ctx") if isinstance(meta, dict) else None)
    return said if isinstance(said, int) and said > 0 else _WINDOW


def _is_other(name: str) -> bool:
    return any(part in name.lower() for part in _NOT_FOR_CHATS)
