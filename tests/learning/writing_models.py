"""Language models that tests train on samples in seconds, through the loop that everybody uses."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import torch

from zhuli import registry
from zhuli.learning.training.control import Control
from zhuli.learning.training.event_log import EventLog
from zhuli.learning.training.fitting.adapters import with_adapters
from zhuli.learning.training.fitting.auto import resolved
from zhuli.learning.training.fitting.freezing import what_learns
from zhuli.learning.training.fitting.loop import Fitted, fit
from zhuli.models import bases
from zhuli.testing.tiny_models import tiny_language_model, tiny_seq2seq
from zhuli.types.learning.example import Example, Record
from zhuli.types.learning.hyperparameters import Hyperparameters

SAMPLES = Path(__file__).parents[1] / "samples" / "tuning"

SMALL_TALK = [
    {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]}
    for asked, answer in {
        "hello": "hi, how are you?", "weather": "rain today", "book": "which one, please?", "卡": "哪张卡？",
        "thank you": "it was nothing", "music": "play what you have", "money": "not from this account", "bye": "bye",
    }.items()
]  # fmt: skip


@cache
def language_model() -> Path:
    torch.set_num_threads(1)
    return tiny_language_model(Path(mkdtemp(prefix="zhuli-tests-")) / "language_model")


@cache
def seq2seq() -> Path:
    torch.set_num_threads(1)
    return tiny_seq2seq(Path(mkdtemp(prefix="zhuli-tests-")) / "seq2seq")


def base_of(kind: str) -> Path:
    return {"language_model": language_model, "seq2seq": seq2seq}[kind]()


def sample(name: str, most: int) -> list[dict[str, Any]]:
    """Records of a sample: objects of a JSONL file, source and target of a TSV file."""
    lines = (SAMPLES / name).read_text(encoding="utf-8").splitlines()[:most]
    if name.endswith(".jsonl"):
        return [json.loads(line) for line in lines]
    return [dict(zip(("source", "target"), line.split("\t")[:2], strict=True)) for line in lines]


def task_of(name: str, **options: Any) -> Any:
    return registry.find("tasks", name)(Hyperparameters.model_validate(options), {})


def read(task: Any, records: Sequence[dict[str, Any]]) -> list[Example]:
    return [task.read(Record(line, fields)) for line, fields in enumerate(records, start=1)]


def tuned(
    name: str, base: Path, records: Sequence[dict[str, Any]], folder: Path, **options: Any
) -> tuple[Any, Any, list[Example], Fitted]:
    """Task, model, examples, and how the training on them went."""
    examples = read(task_of(name), records)
    given = {"trainable": "all", "learning_rate": 1e-2, "batch_size": 4, "max_length": 256, "early_stopping": "none"}
    chosen = resolved(
        Hyperparameters.model_validate(given | options),
        task=name,
        base=bases.facts(base),
        examples=examples,
        labels={},
    )
    task = registry.find("tasks", name)(chosen, {})
    model = task.begin(base, examples)
    if chosen.trainable == "lora":
        torch.manual_seed(0)
        with_adapters(model, chosen)
    what_learns(model, chosen)
    folder.mkdir(parents=True, exist_ok=True)
    fitted = fit(task, model, examples, [], chosen, seed=0, event_log=EventLog(folder), control=Control())
    return task, model, examples, fitted
