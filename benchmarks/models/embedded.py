"""The embedded backend beside the bare engine, and the quantisations of its default model; run by hand.

    python -m benchmarks.models.embedded speed            tokens per second, backend and engine in turn
    python -m benchmarks.models.embedded turns            time to first token of each turn of a growing conversation
    python -m benchmarks.models.embedded quantisations    speed and closeness to F16 (needs the package gguf)

The bare engine is xllamacpp's Server in this process, called directly, with the same parameters. Both take turns, so that
what else the machine does hits both; figures are medians. It measures no quality but closeness to the unrounded model.
"""

import argparse
import asyncio
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zhuli.models.engines.llama_link import ENVIRONMENT
from zhuli.models.packaged import smollm2
from zhuli.plugins.backends.embedded import Plugin, Settings
from zhuli.types.models.generation import ChatMessage, GenerationRequest

QUESTIONS = (
    "What is the capital of France?",
    "What is 2+2?",
    "Who wrote Romeo and Juliet?",
    "List the days of the week.",
    "Write one sentence about the sea.",
    "What language is spoken in Brazil?",
    "What is the currency of Japan?",
    "Write a Python function that adds two numbers.",
)
TAIL = 64
"""How many of the likeliest tokens a divergence is summed over."""


def main() -> None:
    options = _options()
    os.environ.update(ENVIRONMENT if options.wait == "passive" else {})
    with tempfile.TemporaryDirectory() as folder:
        settings = {"path": options.path or str(smollm2.unpacked(Path(folder))), **_given(options)}
        if options.what == "quantisations":
            quantisations(settings, Path(folder))
        else:
            asyncio.run({"speed": speed, "turns": turns}[options.what](settings, options))


async def speed(settings: dict[str, Any], options: argparse.Namespace) -> None:
    """Prompt and new tokens per second."""
    with bare_engine(settings) as engine:
        backend = Plugin("embedded", settings)
        await backend.start()
        took: dict[str, list[tuple[float, float]]] = {"backend": [], "engine": []}
        for n in range(options.rounds):
            for name in _in_turn(took, n):
                ask = _from_backend(backend) if name == "backend" else _from_engine(engine)
                took[name].append(await _rates(ask, _long_prompt(f"{n} {name}"), options.tokens))
        await backend.aclose()
    for name, rates in took.items():
        prompt, new = (statistics.median(column) for column in zip(*rates, strict=True))
        print(f"{name:10} prompt {prompt:7.1f} tok/s   new {new:6.1f} tok/s")
    ratios = [[b / e for b, e in zip(*pair, strict=True)] for pair in zip(took["backend"], took["engine"], strict=True)]
    prompt, new = (statistics.median(column) for column in zip(*ratios, strict=True))
    print(f"backend / engine, median of {options.rounds} pairs: prompt {prompt:.3f}   new {new:.3f}")


async def turns(settings: dict[str, Any], options: argparse.Namespace) -> None:
    """Time to first token of turn n, both on the same conversation."""
    with bare_engine(settings) as engine:
        backend = Plugin("embedded", settings)
        await backend.start()
        asks = {"backend": _from_backend(backend), "engine": _from_engine(engine)}
        messages: list[ChatMessage] = [{"role": "system", "content": "You are the clerk of a small book shop."}]
        ratios = []
        for n in range(options.rounds):
            messages.append(
                {"role": "user", "content": f"Question {n}: tell me about book {n * 7} and where it stands."}
            )
            first: dict[str, float] = {}
            for name in _in_turn(asks, n):
                first[name], _, said = await asks[name](messages, options.tokens)
            messages.append({"role": "assistant", "content": said})
            ratios.append(first["backend"] / first["engine"])
            print(
                f"turn {n + 1:3}  backend {first['backend'] * 1000:7.1f} ms   engine {first['engine'] * 1000:7.1f} ms"
            )
        await backend.aclose()
    print(f"backend / engine, median of turns 2 to {options.rounds}: {statistics.median(ratios[1:]):.3f}")


def quantisations(settings: dict[str, Any], folder: Path) -> None:
    """Each as a file of its own, made from the packaged one; closeness is measured along F16's own answers."""
    reference: list[list[dict[int, float]]] = []
    answers: list[tuple[str, list[int]]] = []
    for name in ("F16", "Q8_0", "Q5_0", "Q4_1", "Q4_0"):
        path = Path(settings["path"]) if name == "F16" else _quantised(name, folder / f"{name}.gguf")
        with bare_engine({**settings, "path": str(path)}) as engine:
            if not answers:
                answers = [_greedy(engine, question) for question in QUESTIONS]
            likely = [
                [_likely(engine, [prompt, *tokens[:n]]) for n in range(len(tokens))] for prompt, tokens in answers
            ]
            reference = reference or likely
            rates = [asyncio.run(_rates(_from_engine(engine), _long_prompt(f"{n} {name}"), 40)) for n in range(3)]
        pairs = [pair for two in zip(reference, likely, strict=True) for pair in zip(*two, strict=True)]
        divergence = statistics.mean(_divergence(true, here) for true, here in pairs)
        same = statistics.mean(
            max(true, key=true.__getitem__) == max(here, key=here.__getitem__) for true, here in pairs
        )
        prompt, new = (statistics.median(column) for column in zip(*rates, strict=True))
        size = path.stat().st_size / 2**20
        print(
            f"{name:5} {size:5.0f} MB   KL {divergence:.3f}   same first choice {same:.1%}   {prompt:4.0f} {new:4.0f} tok/s"
        )


@contextmanager
def bare_engine(settings: dict[str, Any]) -> Iterator[Any]:
    # Only now: OpenMP reads the environment, which main() has set, when it is loaded.
    import xllamacpp

    from zhuli.models.engines.llama_child import parameters_of

    with tempfile.TemporaryDirectory() as folder:
        values = Settings.model_validate(settings).model_dump()
        yield xllamacpp.Server(parameters_of(values, f"{folder}/http.sock"))


Ask = Callable[[list[ChatMessage], int], Any]
"""Messages and most new tokens → seconds to the first and to the last piece, and the text."""


def _from_backend(backend: Plugin) -> Ask:
    async def ask(messages: list[ChatMessage], tokens: int) -> tuple[float, float, str]:
        request = GenerationRequest(messages, max_tokens=tokens, temperature=0, cache_key="conversation")
        start, first, text = time.perf_counter(), 0.0, ""
        async for delta in backend.generate(request):
            first = first or time.perf_counter() - start
            text += delta.text
        return first, time.perf_counter() - start, text

    return ask


def _from_engine(engine: Any) -> Ask:
    async def ask(messages: list[ChatMessage], tokens: int) -> tuple[float, float, str]:
        return await asyncio.to_thread(call, messages, tokens)

    def call(messages: list[ChatMessage], tokens: int) -> tuple[float, float, str]:
        # The conversation's own slot, as the backend gives it: the question is what the way to the engine costs.
        body = {"messages": messages, "max_tokens": tokens, "temperature": 0, "stream": True, "id_slot": 0}
        start, first, text = time.perf_counter(), 0.0, ""

        def take(chunk: dict[str, Any]) -> None:
            nonlocal first, text
            piece = chunk["choices"][0]["delta"].get("content") if chunk["choices"] else None
            if piece:
                first = first or time.perf_counter() - start
                text += piece

        engine.handle_chat_completions(body | {"repeat_penalty": smollm2.SAMPLING["repeat_penalty"]}, take)
        return first, time.perf_counter() - start, text

    return ask


async def _rates(ask: Ask, messages: list[ChatMessage], tokens: int) -> tuple[float, float]:
    """Prompt tokens per second, from a prompt of about 300 that no cache knows, and new tokens per second."""
    first, whole, _ = await ask(messages, tokens)
    return PROMPT_TOKENS / first, (tokens - 1) / (whole - first)


PROMPT_TOKENS = 300


def _long_prompt(beginning: str) -> list[ChatMessage]:
    books = " ".join(f"Book {n} is on shelf {n % 7}." for n in range(26))
    system = f"{beginning}: you are the clerk of a small book shop. {books}"
    return [{"role": "system", "content": system}, {"role": "user", "content": "Tell a long story about the shop."}]


def _in_turn(names: dict[str, Any], n: int) -> list[str]:
    return list(names) if n % 2 else list(reversed(names))


def _quantised(name: str, target: Path) -> Path:
    from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter
    from gguf.quants import dequantize, quantize

    reader, writer = GGUFReader(smollm2.packaged()), GGUFWriter(target, "llama")
    for field in reader.fields.values():
        if not field.name.startswith("GGUF.") and field.name != "general.architecture":
            kind = field.types[0]
            item = field.types[-1] if kind == GGUFValueType.ARRAY else None
            writer.add_key_value(field.name, field.contents(), kind, item)
    for tensor in reader.tensors:
        wanted = GGMLQuantizationType["Q8_0" if tensor.name == "token_embd.weight" else name]
        if tensor.tensor_type in (GGMLQuantizationType.F32, wanted):
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
        else:
            values = dequantize(tensor.data, tensor.tensor_type)
            writer.add_tensor(tensor.name, quantize(values, wanted), raw_dtype=wanted)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target


def _greedy(engine: Any, question: str) -> tuple[str, list[int]]:
    """The prompt, and the tokens of the likeliest answer."""
    prompt = f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
    body = {"prompt": prompt, "max_tokens": 24, "temperature": 0, "return_tokens": True, "verbose": True}
    said = engine.handle_completions(body)
    return prompt, said["__verbose"]["tokens"]


def _likely(engine: Any, beginning: list[str | int]) -> dict[int, float]:
    """The likeliest next tokens and their log probabilities."""
    said = engine.handle_completions({"prompt": beginning, "max_tokens": 1, "temperature": 0, "logprobs": TAIL})
    return {token["id"]: token["logprob"] for token in said["choices"][0]["logprobs"]["content"][0]["top_logprobs"]}


def _divergence(true: dict[int, float], here: dict[int, float]) -> float:
    """Kullback-Leibler, in nats, over the likeliest tokens."""
    least = min(here.values())
    return sum(math.exp(log) * (log - here.get(token, least)) for token, log in true.items())


def _given(options: argparse.Namespace) -> dict[str, Any]:
    sampling = {} if options.path else smollm2.SAMPLING
    return {"threads": options.threads, "context_window": options.window, "slots": options.slots, **sampling}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["speed", "turns", "quantisations"])
    parser.add_argument("--path", help="a GGUF file; default: SmolLM2")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--tokens", type=int, default=48, help="new tokens of each answer")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--window", type=int, default=4096)
    parser.add_argument("--wait", choices=["passive", "spin"], default="passive", help="how the engine's threads wait")
    return parser.parse_args()


if __name__ == "__main__":
    main()
