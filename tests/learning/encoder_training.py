"""What tests of encoder tasks share: samples as examples, and a tiny encoder trained on them through the real loop."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from zhuli import registry
from zhuli.learning.neural import model_folder
from zhuli.learning.neural.model_folder import ModelFolder
from zhuli.learning.training.control import Control
from zhuli.learning.training.data.reading import records
from zhuli.learning.training.event_log import EventLog
from zhuli.learning.training.fitting.auto import resolved
from zhuli.learning.training.fitting.freezing import set_dropout, what_learns
from zhuli.learning.training.fitting.loop import Fitted, fit
from zhuli.learning.training.tuned import Tuned, answers
from zhuli.models import bases
from zhuli.testing.tiny_models import tiny_encoder
from zhuli.types.learning.example import Example, Metrics, Record
from zhuli.types.learning.hyperparameters import Hyperparameters
from zhuli.types.learning.tuning import Base

SAMPLES = Path(__file__).parents[1] / "samples" / "tuning"


def examples_of(task: str, name: str, **columns: str) -> list[Example]:
    """All of a sample file, as the task reads them."""
    plugin = registry.find("tasks", task)(Hyperparameters(), {})
    found = []
    for entry in records(SAMPLES / name, "auto", columns, task=task):
        assert isinstance(entry, Record), entry
        found.append(plugin.read(entry))
    return found


def as_examples(task: str, *fields: dict[str, Any], **options: Any) -> list[Example]:
    plugin = registry.find("tasks", task)(Hyperparameters(**options), {})
    return [plugin.read(Record(line=number, fields=each)) for number, each in enumerate(fields, start=1)]


def encoder_for(folder: Path, texts: Sequence[str]) -> Path:
    """A tiny encoder that has the texts' words whole."""
    torch.set_num_threads(1)
    return tiny_encoder(
        folder, words=sorted({word.strip(".,?!\"'").lower() for text in texts for word in text.split()})
    )


class Trained:
    """A model begun on `base` and trained on the examples; its data is also what it is measured on."""

    def __init__(
        self,
        task: str,
        base: Path,
        examples: Sequence[Example],
        folder: Path,
        *,
        fitted_by: Callable[..., Fitted] = fit,
        **options: Any,
    ) -> None:
        usual = {
            "n_epochs": 10,
            "learning_rate": 8e-3,
            "early_stopping": "none",
            "batch_size": 8,
            "dropout": 0.0,
            "freeze_embeddings": False,
        }
        plugin = registry.find("tasks", task)
        labels: dict[str, int] = {}
        for example in examples:
            for label in plugin(Hyperparameters(), {}).labels_of(example):
                labels[label] = labels.get(label, 0) + 1
        given = Hyperparameters.model_validate({**usual, **options})
        self.options = resolved(given, task=task, base=bases.facts(base), examples=examples, labels=labels)
        self.name, self.base, self.examples = task, base, list(examples)
        self.task = plugin(self.options, {})
        torch.manual_seed(0)
        self.model = self.task.begin(base, self.examples)
        what_learns(self.model, self.options)
        set_dropout(self.model, float(self.options.dropout))
        folder.mkdir(parents=True, exist_ok=True)
        self.fitted = fitted_by(
            self.task,
            self.model,
            self.examples,
            [],
            self.options,
            seed=0,
            event_log=EventLog(folder),
            control=Control(),
        )
        self.model.eval()

    @property
    def losses(self) -> list[float]:
        return [entry["train_loss"] for entry in self.fitted.history]

    def tuned(self) -> Tuned:
        return Tuned(self.task, self.model, None)

    def measured(self) -> Metrics:
        said = answers(self.task, self.model, self.examples, batch_size=16)
        return self.task.measure(self.examples, said)

    def saved(self, folder: Path) -> Path:
        self.task.save(self.model, folder)
        base = Base(name="tiny", path=str(self.base))
        model_folder.write(folder, ModelFolder(self.name, base, self.options, self.task.state))
        return folder
