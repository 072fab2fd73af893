"""How fast the training loop is beside a plain transformers Trainer: same model, data and settings, in turns, several seeds.

    python -m benchmarks.learning.tuning_speed ../shared/data --task encoder --examples 2000 --epochs 2 --seeds 3
    python -m benchmarks.learning.tuning_speed ../shared/data --task chat --examples 64 --epochs 1 --seeds 3

encoder: all-MiniLM-L6-v2 on banking77, batch 16. chat: LoRA on SmolLM2, on Schema-Guided dialogues, batch 8. The Trainer
gets the same module, head and token ids, pads each batch to its longest row and draws rows in random order, as its
defaults do; the chat one computes the output layer everywhere, as the model's own loss does. "auto" is ours with the
embeddings frozen, as "auto" has it. Only training is timed, and the measure is accuracy on test data, for chat the
accuracy of the answers' tokens. On a machine that does other things too, processor time says more than the clock.
"""

import argparse
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import Trainer, TrainingArguments

from benchmarks.learning.tuning.datasets import parts
from zhuli import registry
from zhuli.learning.training.batching.rows import rows_of
from zhuli.learning.training.control import Control
from zhuli.learning.training.event_log import EventLog
from zhuli.learning.training.fitting.adapters import with_adapters
from zhuli.learning.training.fitting.auto import resolved
from zhuli.learning.training.fitting.freezing import set_dropout, what_learns
from zhuli.learning.training.fitting.loop import fit
from zhuli.learning.training.tuned import answers
from zhuli.models import bases
from zhuli.ports import Task
from zhuli.types.learning.example import Example, Record
from zhuli.types.learning.hyperparameters import Hyperparameters
from zhuli.types.learning.tuning import Base

KINDS = {"encoder": ("text_classification", "minilm", "banking77"), "chat": ("dialogue", "smollm2", "sgd")}


@dataclass
class Bench:
    """What both sides train: a task, its base and its data."""

    name: str
    base: Path
    train: list[Example]
    test: list[Example]
    options: Hyperparameters

    def begin(self, options: Hyperparameters, seed: int) -> tuple[Task, Any]:
        task: Task = registry.find("tasks", self.name)(options, {})
        torch.manual_seed(seed)
        model = task.begin(self.base, self.train)
        if options.trainable == "lora":
            with_adapters(model, options)
        what_learns(model, options)
        set_dropout(model, float(options.dropout))
        return task, model


def ours(bench: Bench, task: Task, model: Any, options: Hyperparameters, *, seed: int) -> float:
    """Seconds."""
    with tempfile.TemporaryDirectory() as folder:
        event_log = EventLog(Path(folder))
        return fit(task, model, bench.train, [], options, seed=seed, event_log=event_log, control=Control()).seconds


class PlainModule(torch.nn.Module):
    """What the Trainer calls: a mean loss. A chat model says its own, over all positions."""

    def __init__(self, task: Task, model: Any) -> None:
        super().__init__()
        self.task, self.model = task, model

    def forward(self, **batch: Any) -> dict[str, Any]:
        if self.task.generates:
            return {"loss": self.model.backbone(**batch, use_cache=False).loss}
        loss = self.task.loss(self.model, batch)
        return {"loss": loss.total / loss.weight}


def trainers(bench: Bench, task: Task, model: Any, options: Hyperparameters, *, seed: int) -> float:
    """Seconds."""
    rows: Any = rows_of(task, bench.train)
    size, epochs = int(options.batch_size), int(options.n_epochs)
    total = -(-len(rows) // size) * epochs
    with tempfile.TemporaryDirectory() as folder:
        settings = TrainingArguments(
            folder,
            per_device_train_batch_size=size,
            num_train_epochs=epochs,
            learning_rate=float(options.learning_rate),
            weight_decay=float(options.weight_decay),
            warmup_steps=math.ceil(float(options.warmup_ratio) * total),
            max_grad_norm=float(options.max_grad_norm),
            seed=seed,
            use_cpu=True,
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
            remove_unused_columns=False,
        )
        trainer = Trainer(PlainModule(task, model), settings, train_dataset=rows, data_collator=task.collate)
        started = time.perf_counter()
        trainer.train()
        return time.perf_counter() - started


Side = Callable[..., float]


@dataclass(frozen=True)
class Run:
    """Examples a second, examples a second of all threads' processor time, and the measure on test data."""

    rate: float
    processor_rate: float
    score: float

    def __str__(self) -> str:
        return f"{self.rate:8.2f} examples/s {self.processor_rate:8.2f} a processor second   {self.score:.4f}"


def measured(bench: Bench, side: Side, options: Hyperparameters, *, seed: int) -> Run:
    task, model = bench.begin(options, seed)
    busy = time.process_time()
    seconds = side(bench, task, model, options, seed=seed)
    busy = time.process_time() - busy
    examples = len(bench.train) * int(options.n_epochs)
    model.eval()
    return Run(examples / seconds, examples / busy, _score(bench, task, model))


def _score(bench: Bench, task: Task, model: Any) -> float:
    if task.generates:
        return _token_accuracy(task, model, bench.test)
    return float(task.measure(bench.test, answers(task, model, bench.test, batch_size=32))[task.metric])


def _token_accuracy(task: Task, model: Any, examples: Sequence[Example]) -> float:
    right = weight = 0
    with torch.inference_mode():
        for row in rows_of(task, examples):
            loss = task.loss(model, task.collate([row]))
            right, weight = right + loss.right, weight + loss.weight
    return right / weight


def prepared(kind: str, data: Path, *, examples: int, tests: int, epochs: int, data_dir: Path) -> Bench:
    name, base_name, data_set = KINDS[kind]
    base = bases.folder(Base(name=base_name), data_dir=data_dir, models_file=None)
    reader: Task = registry.find("tasks", name)(Hyperparameters(), {})
    made = parts(data_set, data)
    train, test = (
        [reader.read(Record(0, fields)) for fields in _spread(made[part], number)]
        for part, number in (("train", examples), ("test", tests))
    )
    given = Hyperparameters(
        trainable="lora" if kind == "chat" else "all", n_epochs=epochs, early_stopping="none", freeze_embeddings=False
    )
    return Bench(name, base, train, test, resolved(given, task=name, base=bases.facts(base), examples=train, labels={}))


def _spread(records: list[Any], number: int) -> list[Any]:
    """So many of them, evenly: files are often sorted by label."""
    step = max(len(records) / number, 1)
    return [records[int(at * step)] for at in range(min(number, len(records)))]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("data", type=Path, help="where the data sets lie")
    asked.add_argument("--task", choices=KINDS, default="encoder")
    asked.add_argument("--examples", type=int, default=2000)
    asked.add_argument("--tests", type=int, default=500)
    asked.add_argument("--epochs", type=int, default=2)
    asked.add_argument("--seeds", type=int, default=3, help="how many")
    asked.add_argument("--first-seed", type=int, default=0, help="to measure some of them later")
    asked.add_argument("--threads", type=int, default=torch.get_num_threads())
    asked.add_argument("--data-dir", type=Path, default=Path("data"), help="where bases are made ready")
    given = asked.parse_args()
    torch.set_num_threads(given.threads)
    bench = prepared(
        given.task,
        given.data,
        examples=given.examples,
        tests=given.tests,
        epochs=given.epochs,
        data_dir=given.data_dir,
    )
    sides: dict[str, tuple[Side, Hyperparameters]] = {
        "Trainer": (trainers, bench.options),
        "ours": (ours, bench.options),
    }
    if given.task == "encoder":
        sides["ours, auto"] = (ours, bench.options.model_copy(update={"freeze_embeddings": True}))
    found: dict[str, list[Run]] = {name: [] for name in sides}
    for seed in range(given.first_seed, given.first_seed + given.seeds):
        for name, (side, options) in sides.items():
            found[name].append(measured(bench, side, options, seed=seed))
            print(f"seed {seed}  {name:<11}{found[name][-1]}", flush=True)
    for name, runs in found.items():
        times, busy = (_median(runs, of) / _median(found["Trainer"], of) for of in ("rate", "processor_rate"))
        scores = [run.score for run in runs]
        print(f"{name:<11}{times:5.2f} x {busy:5.2f} x by processor time   {min(scores):.4f} to {max(scores):.4f}")


def _median(runs: Sequence[Run], of: str) -> float:
    return statistics.median(getattr(run, of) for run in runs)


if __name__ == "__main__":
    main()
