"""Whether a tuned SmolLM2 says the same greedily from transformers, as a whole F16 file, and as an adapter beside its base.

    python -m benchmarks.learning.greedy_parity TRAIN.csv TEST.csv    two columns with a header: what a user says, and its intent

Tunes LoRA on all linear layers for a few steps, to answer with the intent; figures are answers out of 20 that are the same
text, and how many are right. It measures neither quality nor speed. Takes some three minutes on a core.
"""

import argparse
import asyncio
import csv
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from zhuli import registry
from zhuli.learning.neural import adapted
from zhuli.learning.training.control import Control
from zhuli.learning.training.event_log import EventLog
from zhuli.learning.training.fitting.adapters import with_adapters
from zhuli.learning.training.fitting.auto import resolved
from zhuli.learning.training.fitting.freezing import what_learns
from zhuli.learning.training.fitting.loop import fit
from zhuli.learning.training.tuned import answers
from zhuli.models import bases
from zhuli.models.engines import tuned_gguf
from zhuli.models.packaged import smollm2_base
from zhuli.plugins.backends.embedded import Plugin
from zhuli.types.learning.example import Example, Record
from zhuli.types.learning.hyperparameters import Hyperparameters
from zhuli.types.learning.tuning import Base
from zhuli.types.models.generation import GenerationRequest

TOLD = "Reply with the intent of the bank customer's message."
INTENTS = ("card_arrival", "lost_or_stolen_card", "exchange_rate", "top_up_failed")
QUESTIONS = 20


def main() -> None:
    options = _options()
    torch.set_num_threads(options.threads)
    train, test = (_examples(path, seed=options.seed) for path in (options.train, options.test))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        data_dir = options.data_dir or folder
        base = bases.folder(Base(name="smollm2"), data_dir=data_dir, models_file=None)
        task, model = _tuned(base, train, folder, options)
        test = test[:QUESTIONS]
        said = {"transformers": [found[0]["generated_text"] for found in answers(task, model, test, batch_size=4)]}
        template = smollm2_base.gguf(data_dir / "models")
        for name, settings in _served(task, model, template, folder).items():
            said[name] = asyncio.run(_asked(settings, test, most=task.state["max_new_tokens"], threads=options.threads))
    for name, texts in said.items():
        same = sum(text == other for text, other in zip(texts, said["transformers"], strict=True))
        right = sum(text == example.target["content"] for text, example in zip(texts, test, strict=True))
        print(f"{name:20} the same {same}/{len(test)}, right {right}/{len(test)}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("--steps", type=int, default=40, help="of 4 examples")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data-dir", type=Path, help="where the base is kept; it is made anew without")
    return parser.parse_args()


def _examples(path: Path, *, seed: int) -> list[Example]:
    task = registry.find("tasks", "dialogue")(Hyperparameters(), {})
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in list(csv.reader(file))[1:] if row[1] in INTENTS]
    random.Random(seed).shuffle(rows)
    roles = ("system", "user", "assistant")
    chats = [
        [{"role": role, "content": text} for role, text in zip(roles, (TOLD, *row[:2]), strict=True)] for row in rows
    ]
    return [task.read(Record(line, {"messages": messages})) for line, messages in enumerate(chats, start=2)]


def _tuned(base: Path, examples: Sequence[Example], folder: Path, options: argparse.Namespace) -> tuple[Any, Any]:
    given = {"trainable": "lora", "batch_size": 4, "max_steps": options.steps, "max_length": 256, "n_epochs": 1}
    given["lora"] = {"target_modules": "all-linear", "merge": False}
    chosen = resolved(
        Hyperparameters.model_validate(given), task="dialogue", base=bases.facts(base), examples=examples, labels={}
    )
    task = registry.find("tasks", "dialogue")(chosen, {})
    torch.manual_seed(options.seed)
    model = task.begin(base, examples)
    with_adapters(model, chosen)
    what_learns(model, chosen)
    event_log = EventLog(folder, listeners=[lambda event: print(event.message, flush=True)])
    fit(task, model, examples, [], chosen, seed=options.seed, event_log=event_log, control=Control())
    return task, model


def _served(task: Any, model: Any, template: Path, folder: Path) -> dict[str, dict[str, Any]]:
    """Settings of the engine for each way to serve the model."""
    config = model.backbone.config
    heads = {"heads": config.num_attention_heads, "kv_heads": config.num_key_value_heads}
    task.save(model, folder / "adapter")
    tuned_gguf.write_adapter(folder / "adapter", folder / "adapter.gguf", **heads)
    adapted.merge(model)
    task.save(model, folder / "merged")
    tuned_gguf.write_merged(template, folder / "merged", folder / "merged.gguf")
    return {
        "F16": {"path": str(folder / "merged.gguf")},
        "adapter on F16": {"path": str(template), "lora_path": str(folder / "adapter.gguf")},
    }


async def _asked(settings: dict[str, Any], examples: Sequence[Example], *, most: int, threads: int) -> list[str]:
    backend = Plugin("tuned", settings | {"context_window": 1024, "slots": 1, "threads": threads, "temperature": 0.0})
    try:
        return [await _answer(backend, example, most=most) for example in examples]
    finally:
        await backend.aclose()


async def _answer(backend: Plugin, example: Example, *, most: int) -> str:
    request = GenerationRequest(messages=example.input["messages"], temperature=0.0, max_tokens=most)
    return "".join([delta.text async for delta in backend.generate(request)]).strip()


if __name__ == "__main__":
    main()
