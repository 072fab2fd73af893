"""An adapter that a model server loads on demand: what is asked of the server, and what is told when it will not."""

from collections.abc import Callable

import pytest

from zhuli.core.errors import BackendError
from zhuli.plugins.backends.openai_compatible import Plugin
from zhuli.testing.backend_contract import collect
from zhuli.testing.upstream import FaultyUpstream, Received, Reply, answer, status
from zhuli.types.models.generation import GenerationRequest

NAME, PATH = "ft:base:mine::12345678", "/models/adapter"

HELLO = GenerationRequest(messages=[{"role": "user", "content": "Hi"}])

LOADED = Reply([b"Success: LoRA adapter added."], headers={"Content-Type": "text/plain"})


def server(load: Reply, chat: Callable[[int], Reply] = lambda number: answer("Hello.")) -> FaultyUpstream:
    """It answers requests to load adapters by `load`, and chats by their number from 1 on."""
    chats = 0

    def choose(request: Received) -> Reply:
        nonlocal chats
        if request.path.endswith("/load_lora_adapter"):
            return load
        chats += 1
        return chat(chats)

    return FaultyUpstream(choose)


def backend(upstream: FaultyUpstream) -> Plugin:
    settings = {"base_url": upstream.base_url, "model": NAME, "lora_path": PATH, "retry_base_delay": 0.01}
    return Plugin(NAME, settings)


async def test_an_adapter_is_loaded_once_before_its_first_answer() -> None:
    async with server(LOADED) as upstream:
        plugin = backend(upstream)
        for _ in range(2):
            assert "".join(delta.text for delta in await collect(plugin, HELLO)) == "Hello."
        await plugin.aclose()
    assert [request.path.rpartition("/")[2] for request in upstream.requests] == [
        "load_lora_adapter",
        "completions",
        "completions",
    ]
    assert upstream.requests[0].body == {"lora_name": NAME, "lora_path": PATH}
    assert upstream.requests[1].body["model"] == NAME


async def test_an_adapter_that_is_there_already_is_used() -> None:
    there = status(400, f"The lora adapter '{NAME}' has already been loaded.")
    async with server(there) as upstream:
        plugin = backend(upstream)
        assert await collect(plugin, HELLO)
        await plugin.aclose()


async def test_a_server_that_was_started_anew_loads_it_again() -> None:
    forgotten = status(404, f"The model `{NAME}` does not exist.")
    async with server(LOADED, lambda number: forgotten if number == 1 else answer("Hello.")) as upstream:
        plugin = backend(upstream)
        assert "".join(delta.text for delta in await collect(plugin, HELLO)) == "Hello."
        await plugin.aclose()
    assert [request.path.rpartition("/")[2] for request in upstream.requests] == [
        *("load_lora_adapter", "completions"),
        *("load_lora_adapter", "completions"),
    ]


async def test_a_server_that_loads_no_adapters_is_told_how_to() -> None:
    async with server(status(404, "Not Found")) as upstream:
        plugin = backend(upstream)
        with pytest.raises(BackendError, match="VLLM_ALLOW_RUNTIME_LORA_UPDATING"):
            await collect(plugin, HELLO)
        await plugin.aclose()
