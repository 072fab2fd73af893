"""A GGUF model on this machine, run by llama.cpp in a child process that this backend starts and ends.

Makes the engine's requests of ours. Reading its answers is models.llama_answer's part, the process models.llama_link's,
the file of the default model models.smollm2's, and telling tools to models whose template knows none models.tool_prompt's.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from zhuli.core.errors import BackendError, ConfigurationError
from zhuli.core.shared import Shared
from zhuli.models.engines.llama_answer import Answer
from zhuli.models.engines.llama_link import LlamaLink
from zhuli.models.engines.llama_slots import Slots
from zhuli.models.engines.sound_messages import sound
from zhuli.models.engines.tool_prompt import answer_grammar, offered_tools, with_tools_told
from zhuli.models.entry_settings import checked
from zhuli.models.packaged import smollm2
from zhuli.types.models.generation import Ability, ChatMessage, Delta, GenerationRequest

PASSED_ON = ("stop", "seed", "presence_penalty", "frequency_penalty", "logit_bias", "top_k", "min_p", "repeat_penalty")
"""Of a request's `extra`: the engine takes more, but not all of it is a client's business (grammars, slots)."""

_DRY_FREE_TOKENS = 16
"""So many tokens in a row may come again freely, for answers quote what was found. llama.cpp's default is 2."""

_DRY_WINDOW = 1024
"""Tokens that DRY looks back: the answer, and of the prompt not all passages."""


_ABILITIES: frozenset[Ability] = frozenset({"logprobs"})


class Settings(BaseModel):
    """What an entry of the models file may say. Without `path` and `hub`: SmolLM2-135M-Instruct."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str | None = Field(None, description="A GGUF file.")
    hub: str | None = Field(None, pattern=r"^[^/:]+/[^/:]+:.+$", description="'OWNER/REPOSITORY:FILE.gguf' on a hub.")
    data_dir: str = Field(".", description="Files that are made or downloaded go to models/ in here.")
    context_window: int = Field(8192, ge=256, description="Tokens of prompt and answer together, in each slot.")
    slots: int = Field(4, ge=1, le=64, description="Answers at once; each takes the memory of a whole window.")
    threads: int = Field(0, ge=0, description="Of the processor; 0: one for each core.")
    batch: int = Field(64, ge=32, description="Prompt tokens at a time; a cancelled call ends after one such batch.")
    gpu_layers: int = Field(0, ge=-1, description="Layers on the GPU; -1: as many as fit.")
    kv_cache_type: Literal["f32", "f16", "bf16", "q8_0", "q4_0"] = Field("f16", description="q8_0: half the memory.")
    prompt_cache_mb: int = Field(1024, ge=0, description="Memory for the prefixes of threads that have no slot now.")
    chat_template_file: str | None = Field(None, description="A Jinja template instead of the model's own.")
    lora_path: str | None = Field(None, description="A LoRA adapter, as GGUF.")
    lora_scale: float = Field(1.0, description="Its strength.")
    max_tokens: int = Field(2048, ge=1, description="Longest answer where the request does not say.")
    temperature: float | None = Field(None, ge=0, description="Where the request does not say.")
    top_p: float | None = Field(None, gt=0, le=1, description="Where the request does not say.")
    repeat_penalty: float = Field(1.0, gt=0, description="Above 1 the last words become less likely.")
    dry_multiplier: float = Field(
        0.0, ge=0, description="Above 0 going on with what was said before is less likely (DRY)."
    )

    @model_validator(mode="after")
    def _one_source(self) -> "Settings":
        if self.path and self.hub:
            raise ValueError("give path or hub, not both")
        return self


class Plugin:
    """A model in a process of its own, which starts with the first call and again if it should have ended."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        self._name = name
        self._settings = _read_settings(name, settings)
        self._link: LlamaLink | None = None
        self._starting = Shared(self._start)
        self._slots = Slots(self._settings.slots)
        self.context_window = self._settings.context_window
        self.abilities = _ABILITIES

    @property
    def pid(self) -> int | None:
        """The engine's process, None before it was started."""
        return self._link.pid if self._link else None

    async def start(self) -> None:
        await self._running()

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[Delta, None]:
        answer = Answer(request)
        async with self._slots.held(request.cache_key) as slot:
            link = await self._ready()
            async with aclosing(link.chat(self._body(request, link.props) | {"id_slot": slot})) as arrivals:
                async for chunks in arrivals:
                    delta = answer.read(chunks)
                    if delta.text or delta.reasoning or delta.tool_calls or delta.logprobs:
                        yield delta
                    if answer.stutters:
                        break
        yield answer.close()

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return await (await self._ready()).count(list(texts)) if texts else []

    async def aclose(self) -> None:
        await self._starting.stop()
        if self._link:
            await self._link.aclose()

    async def _ready(self) -> LlamaLink:
        try:
            return await self._running()
        except ConfigurationError as error:
            message = error.message  # goes to clients, to whom where the files lie is no business
            for path in filter(None, (self._settings.path, self._settings.lora_path)):
                message = message.replace(f"{Path(path).parent}/", "")
            raise BackendError(message) from error

    async def _running(self) -> LlamaLink:
        return self._link if self._link and self._link.alive else await self._starting.made()

    async def _start(self) -> LlamaLink:
        if find_spec("xllamacpp") is None:
            raise ConfigurationError(
                f"Model '{self._name}' needs the package xllamacpp: `pip install 'zhuli[local]'` gets it."
            )
        path = await asyncio.to_thread(self._file)
        link = await LlamaLink.start(self._settings.model_dump() | {"path": str(path)})
        # A model may have been made for less than was asked for.
        self.context_window = link.props["default_generation_settings"]["n_ctx"]
        self._link = link
        return link

    def _file(self) -> Path:
        folder = Path(self._settings.data_dir, "models")
        if self._settings.hub:
            return _downloaded(self._settings.hub, folder)
        if self._settings.path:
            return Path(self._settings.path)
        return smollm2.unpacked(folder)

    def _body(self, request: GenerationRequest, props: dict[str, Any]) -> dict[str, Any]:
        tools = offered_tools(request)
        # The engine parses calls as templates declare them, but enforces neither a choice nor a format beside tools.
        free = request.tool_choice == "auto" and (request.response_format or {}).get("type", "text") == "text"
        by_template = props["chat_template_caps"]["supports_tools"] and (free or not tools)
        messages = [_text_only(self._name, message) for message in request.messages]
        body = self._sampling(request) | {
            "messages": sound(messages) if by_template else with_tools_told(messages, tools),
            "stream": True,
            "stream_options": {"include_usage": True},
            # Makes the engine ask after each batch of a long prompt whether anyone still waits.
            "return_progress": True,
            "timings_per_token": True,
        }
        if by_template and tools:
            return body | {"tools": tools, "parallel_tool_calls": request.parallel_tool_calls}
        grammar = answer_grammar(request, tools)
        return body | {"grammar": grammar} if grammar else body

    def _sampling(self, request: GenerationRequest) -> dict[str, Any]:
        sampling = {
            "max_tokens": request.max_tokens or self._settings.max_tokens,
            "temperature": self._settings.temperature if request.temperature is None else request.temperature,
            "top_p": self._settings.top_p if request.top_p is None else request.top_p,
            "repeat_penalty": self._settings.repeat_penalty,
            "dry_multiplier": self._settings.dry_multiplier,
            "dry_allowed_length": _DRY_FREE_TOKENS,
            "dry_penalty_last_n": _DRY_WINDOW,
        } | {key: request.extra[key] for key in PASSED_ON if key in request.extra}
        if request.extra.get("logprobs"):
            # Of no others asked for, the engine would say nothing of the token itself.
            sampling |= {"logprobs": True, "top_logprobs": request.extra.get("top_logprobs") or 1}
        if effort := request.reasoning_effort:
            # Templates differ in which of the two they know, and leave the other alone.
            sampling["chat_template_kwargs"] = {"reasoning_effort": effort, "enable_thinking": effort != "none"}
        return {key: value for key, value in sampling.items() if value is not None}


def _read_settings(name: str, settings: dict[str, Any]) -> Settings:
    preset = {} if settings.get("path") or settings.get("hub") else smollm2.SAMPLING
    read = checked(Settings, f"Model '{name}'", preset | settings)
    for key in ("path", "lora_path", "chat_template_file"):
        if (file := getattr(read, key)) and not Path(file).is_file():
            raise ConfigurationError(f"Model '{name}': {key}: there is no file {file}.")
    return read


def _downloaded(source: str, folder: Path) -> Path:
    """The file from the hub; huggingface_hub keeps it and downloads it only once."""
    repository, _, file = source.partition(":")
    try:
        hub = import_module("huggingface_hub")
    except ImportError as error:
        raise ConfigurationError(
            f"hub = '{source}' needs the package huggingface_hub: `pip install huggingface_hub`. "
            "Or download the file and set `path`."
        ) from error
    try:
        return Path(hub.hf_hub_download(repository, file, local_dir=folder / repository.replace("/", "--")))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"'{source}' could not be downloaded: {error}") from error


def _text_only(name: str, message: ChatMessage) -> ChatMessage:
    content = message.get("content")
    if content is None or isinstance(content, str):
        return message
    if other := next((part["type"] for part in content if part["type"] != "text"), None):
        raise BackendError(
            f"The model '{name}' reads text only, and a message has a part of type '{other}'.",
            run_code="invalid_prompt",
        )
    return {**message, "content": "".join(part["text"] for part in content)}
