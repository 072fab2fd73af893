"""Classes from a few examples each, in two halves, as SetFit does it (Tunstall et al. 2022).

First the encoder learns to put texts of one class near to each other and others apart, then a linear head learns from its
vectors. Both halves go through the same loop. Where SetFit draws pairs and compares each by itself, here every text of a
batch is compared with every other one: the same pairs, for a fraction of the reading.
"""

import math
import random
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from zhuli.learning.training.control import Control
from zhuli.learning.training.event_log import EventLog
from zhuli.learning.training.fitting.auto import for_a_head
from zhuli.learning.training.fitting.freezing import set_dropout, what_learns
from zhuli.learning.training.fitting.loop import Evaluate, Fitted, fit
from zhuli.ports import Loss, Task
from zhuli.types.learning.example import Example, Feature, Metrics
from zhuli.types.learning.hyperparameters import Hyperparameters

MOST_PAIRS, LEAST_PAIRS = 16, 4
"""Pairs that each example is in for every epoch; 16 is SetFit's number of iterations."""

PAIRS_IN_ALL = 2000
"""With more examples each is in fewer pairs: 77 classes of 5 learn in minutes what took a quarter of an hour with 16."""

TEMPERATURE = 0.05
"""By which cosines are divided, as in Khosla et al. 2020 and SimCSE (Gao et al. 2021)."""


def fit_few_shot(
    task: Task,
    model: Any,
    train: Sequence[Example],
    validation: Sequence[Example],
    options: Hyperparameters,
    *,
    seed: int,
    event_log: EventLog,
    control: Control,
    folder: Path | None = None,
    evaluate: Evaluate | None = None,
) -> Fitted:
    """Like loop.fit, in place. options.learning_rate and n_epochs are the encoder's."""
    pairs: Any = _Pairs(task, seed=seed)
    drawn = pairs.drawn(train)
    common: dict[str, Any] = {"seed": seed, "event_log": event_log, "control": control}
    alike = fit(pairs, model, drawn, [], options, **common, folder=_inner(folder, "alike"))
    event_log.write("message", "The encoder has learned which examples are alike; now the head learns.")
    of_head = options.model_copy(update={"trainable": "head", **for_a_head(len(train))})
    what_learns(model, of_head)
    set_dropout(model, float(of_head.dropout))
    head = fit(task, model, train, validation, of_head, **common, folder=_inner(folder, "head"), evaluate=evaluate)
    return _both(alike, head)


class _Pairs:
    """The task of telling which texts are of one class, as far as the loop needs one. Its examples are pairs of like texts."""

    metric = "loss"
    generates = False
    length = sys.maxsize
    """What is too long, the task itself tells when the head learns."""

    def __init__(self, task: Task, *, seed: int) -> None:
        self._task = task
        self._random = random.Random(seed)

    def drawn(self, examples: Sequence[Example]) -> list[Example]:
        """Each example with others of its class, in turns."""
        each = max(LEAST_PAIRS, min(MOST_PAIRS, PAIRS_IN_ALL // max(len(examples), 1)))
        of_class: dict[str, list[Example]] = defaultdict(list)
        for example in examples:
            of_class[_class_of(self._task, example)].append(example)
        found: list[Example] = []
        for name in sorted(of_class):
            own = of_class[name]
            for number, example in enumerate(own):
                others = own[:number] + own[number + 1 :] or own
                partners = [*others] * math.ceil(each / len(others))
                self._random.shuffle(partners)
                found += [Example([example, partner], name) for partner in partners[:each]]
        return found

    def prepare(self, model: Any, features: Sequence[Feature]) -> None:
        """Nothing is needed before."""

    def features(self, example: Example, *, learn: bool) -> list[Feature]:
        both = [self._task.features(one, learn=False)[0] for one in example.input]
        return [{"input_ids": both[0]["input_ids"], "both": both, "class": example.target}]

    def collate(self, features: Sequence[Feature]) -> dict[str, Any]:
        """Twice as many rows: all first texts, then all second ones."""
        rows = [feature["both"][side] for side in (0, 1) for feature in features]
        names = sorted({feature["class"] for feature in features})
        classes = torch.tensor([names.index(feature["class"]) for feature in features] * 2)
        return {**self._task.collate(rows), "classes": classes}

    def loss(self, model: Any, batch: dict[str, Any], hidden: Any = None) -> Loss:
        """Of each text: how unlikely its own class is among the texts that are near (Khosla et al. 2020, equation 2)."""
        vectors = functional.normalize(self._task.encode(model, batch).float(), dim=1)
        return _alike(vectors, batch["classes"])


def _alike(vectors: Tensor, classes: Tensor) -> Loss:
    itself = torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
    near = (vectors @ vectors.T / TEMPERATURE).masked_fill(itself, -math.inf)
    same = (classes.unsqueeze(0) == classes.unsqueeze(1)) & ~itself
    logs = near.log_softmax(dim=1).masked_fill(~same, 0.0)
    each = -logs.sum(dim=1) / same.sum(dim=1)
    right = same[torch.arange(len(vectors)), near.argmax(dim=1)].sum()
    return Loss(each.sum(), len(vectors), int(right))


def _class_of(task: Task, example: Example) -> str:
    return "\n".join(sorted(task.labels_of(example)))


def _inner(folder: Path | None, name: str) -> Path | None:
    """Each half has a checkpoint of its own."""
    return None if folder is None else folder / name


def _both(alike: Fitted, head: Fitted) -> Fitted:
    later: list[Metrics] = [{**entry, "step": entry["step"] + alike.steps} for entry in head.history]
    return replace(
        head,
        steps=alike.steps + head.steps,
        epochs=alike.epochs,
        seconds=alike.seconds + head.seconds,
        examples_per_second=alike.examples_per_second,
        trained_tokens=alike.trained_tokens + head.trained_tokens,
        history=[*alike.history, *later],
    )
