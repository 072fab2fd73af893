"""Models for rows of `tuned` that name none: tuned on the row's own examples, kept in the work folder.

Intents by a head on what the encoder says, learned entities by tuning all of it; the rest as `zhuli tune` chooses by itself. With
5 or 10 examples of an intent nothing is held out: nobody would have more. With all of them, one in twenty.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.understanding.intent_sets import Message
from zhuli.learning.training import new_folder
from zhuli.learning.training.tune import tune
from zhuli.types.learning.hyperparameters import TaskName
from zhuli.types.learning.tuning import MODEL, SPEC
from zhuli.types.understanding.domain import Language

BASES: dict[Language, str] = {"en": "minilm", "zh": "e5-small"}

HELD_OUT = 0.05
SEED = 0

HEAD: dict[str, Any] = {"trainable": "head"}
"""For intents: seconds, where everything takes an hour on all examples, for half a point."""

FEW_EPOCHS: dict[str, Any] = {"n_epochs": 3}
"""For entities of all examples: what a core does in a quarter of an hour or two."""


def models(
    folder: Path, examples: Sequence[Message], *, language: Language, every: bool, data_dir: Path
) -> dict[str, str]:
    """Settings of an understander that uses them. every: whether `examples` are all that there are."""
    spec = {
        "base": new_folder.base_of(BASES[language]),
        "validation_share": HELD_OUT if every else 0.0,
        "test_share": 0.0,
        "seed": SEED,
        "data_dir": str(data_dir.resolve()),
    }
    intents = [{"text": one.text, "label": one.intent} for one in examples]
    settings = {"model": _tuned(folder / "intents", "text_classification", intents, spec, HEAD)}
    if any(one.spans for one in examples):
        marked = [{"text": one.text, "entities": _entities(one)} for one in examples]
        epochs = FEW_EPOCHS if every else {}
        settings["entity_model"] = _tuned(folder / "entities", "token_classification", marked, spec, epochs)
    return settings


def _entities(message: Message) -> list[dict[str, Any]]:
    return [{"start": span.start, "end": span.end, "label": span.label} for span in message.spans]


def _tuned(
    folder: Path, task: TaskName, records: list[dict[str, Any]], spec: dict[str, Any], hyperparameters: dict[str, Any]
) -> str:
    """The folder of the tuning, done now unless it was done before; one that was interrupted goes on."""
    if not (folder / SPEC).exists():
        new_folder.write(folder, {**spec, "task": task, "hyperparameters": hyperparameters}, {"train": records})
    if not (folder / MODEL).is_dir():
        outcome = tune(folder)
        if outcome.status != "succeeded":
            raise RuntimeError(f"The tuning in {folder} ended {outcome.status}; its events.jsonl says why.")
    return str(folder.resolve())
