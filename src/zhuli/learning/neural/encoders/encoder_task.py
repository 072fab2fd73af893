"""What the tasks on encoders share: opening a base or a tuned model, heads that may grow, lengths, saving.

How examples become rows, and answers of what the head says, is each task's own.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional

from zhuli.learning.neural import model_folder
from zhuli.learning.neural.encoders import encoder_model
from zhuli.learning.neural.encoders.encoder_model import EncoderModel
from zhuli.learning.neural.encoders.linear_head import LinearHead
from zhuli.types.learning.example import Feature
from zhuli.types.learning.hyperparameters import Hyperparameters

TYPICAL = 256
"""Rows from which the head's scaling is found."""

_AT_ONCE = 32


class EncoderTask:
    """state["labels"]: what the head's outputs stand for, in order."""

    name: ClassVar[str]
    generates: ClassVar[bool] = False
    untrained: ClassVar[Literal["majority", "model"]] = "majority"
    reads: ClassVar[int] = 1
    """Places of a text that the head looks at together."""

    def __init__(self, options: Hyperparameters, state: dict[str, Any]) -> None:
        self.options = options
        self.state = dict(state)
        self.tokenizer: Any = None
        self.length = 0
        self.weights: Tensor | None = None

    @property
    def labels(self) -> list[str]:
        """The classes, in the order of the head's outputs."""
        found: list[str] = self.state["labels"]
        return found

    def prepare(self, model: EncoderModel, features: Sequence[Feature]) -> None:
        """Nothing: the head has been scaled when the model was begun."""

    def open(self, folder: Path) -> EncoderModel:
        head = encoder_model.opened_head(folder)
        return self._opened(folder, head)

    def save(self, model: EncoderModel, folder: Path) -> None:
        encoder_model.save(model, self.tokenizer, folder)

    def knows(self, base: Path) -> dict[str, Any]:
        """The state of the tuned model that `base` is; {} for any other base."""
        if not model_folder.is_one(base):
            return {}
        found = model_folder.read(base)
        return found.state if found.task == self.name else {}

    def begun(self, base: Path, labels: Sequence[str], known: Sequence[str]) -> EncoderModel:
        """A module for `labels`, whose head keeps what `base` knows of the labels `known`, in its order."""
        if known:
            places = [known.index(label) if label in known else None for label in labels]
            return self._opened(base, encoder_model.opened_head(base).grown(places))
        return self._opened(base, None, outputs=len(labels))

    def scale(self, model: EncoderModel, features: Sequence[Feature], read: Any) -> None:
        """Bring what a new head reads to mean 0 and deviation 1. read: from the model and a batch to rows × width."""
        chosen = _spread(sorted(features, key=lambda feature: len(feature["input_ids"])), TYPICAL)
        model.eval()
        with torch.no_grad():
            parts = [
                read(model, self.collate(chosen[start : start + _AT_ONCE])) for start in range(0, len(chosen), _AT_ONCE)
            ]
        model.head.standardise(torch.cat(parts))

    def collate(self, features: Sequence[Feature]) -> dict[str, Any]:
        raise NotImplementedError

    def encode(self, model: EncoderModel, batch: dict[str, Any]) -> Tensor:
        """rows × width, or rows × tokens × width: what the head reads of a batch. Each task says it."""
        raise NotImplementedError

    def outputs(self, model: EncoderModel, batch: dict[str, Any]) -> list[Any]:
        """For each row, what the head says to what encode() gives."""
        with torch.no_grad():
            return list(model.head(self.encode(model, batch)).float().cpu().numpy())

    def cross_entropy(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The sum over rows, with the weights of labels and the smoothing that were asked for."""
        weights = None if self.weights is None else self.weights.to(logits.device)
        return functional.cross_entropy(
            logits, labels, weight=weights, label_smoothing=smoothing(self.options), reduction="sum"
        )

    def _opened(self, folder: Path, head: LinearHead | None, *, outputs: int = 0) -> EncoderModel:
        backbone = encoder_model.opened_backbone(folder)
        self.tokenizer = encoder_model.opened_tokenizer(folder)
        self.length = self._length(backbone.config)
        return EncoderModel(backbone, head or LinearHead(self.reads * int(backbone.config.hidden_size), outputs))

    def _length(self, config: Any) -> int:
        """Tokens at once: what was asked for, as far as the base and its tokenizer allow it."""
        limits = [int(self.tokenizer.model_max_length), int(getattr(config, "max_position_embeddings", 512))]
        if self.options.max_length != "auto":
            limits.append(self.options.max_length)
        return min(limits)


def class_weights(options: Hyperparameters, labels: Sequence[str], given: Sequence[str]) -> Tensor | None:
    """A weight for each label, from the labels that training examples have; their mean over examples is 1.

    balanced: examples / (labels × examples of the label), as scikit-learn's.
    """
    chosen = options.class_weights
    if isinstance(chosen, dict):
        return torch.tensor([chosen.get(label, 1.0) for label in labels])
    if chosen != "balanced":
        return None
    counts = dict.fromkeys(labels, 0)
    for label in given:
        counts[label] += 1
    return torch.tensor([len(given) / (len(labels) * max(count, 1)) for count in counts.values()])


def smoothing(options: Hyperparameters) -> float:
    """How much of a target goes to all other classes, 0 to 1; "auto" is 0."""
    return 0.0 if options.label_smoothing == "auto" else options.label_smoothing


def _spread(features: Sequence[Feature], number: int) -> list[Feature]:
    """So many of them, evenly."""
    step = max(len(features) / number, 1.0)
    return [features[int(place * step)] for place in range(min(number, len(features)))]
