"""A task of its own for the tests of the loop: which of two labels a sentence has, by a tiny BERT and a linear head."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer

from zhuli.ports import Loss
from zhuli.types.learning.example import Example, Feature, Metrics, Prediction, Record
from zhuli.types.learning.hyperparameters import Hyperparameters


class Module(nn.Module):
    def __init__(self, backbone: Any, labels: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = nn.Linear(backbone.config.hidden_size, labels)


class SmallTask:
    metric: ClassVar[str] = "accuracy"
    generates: ClassVar[bool] = False
    untrained: ClassVar[Literal["majority", "model"]] = "majority"

    def __init__(self, options: Hyperparameters, state: dict[str, Any]) -> None:
        self.options = options
        self.state = state
        self.tokenizer: Any = None
        self.collated = 0

    def read(self, record: Record) -> Example:
        return Example(record.fields["text"], record.fields["label"])

    def ask(self, given: Any) -> Example:
        return Example(given)

    def labels_of(self, example: Example) -> list[str]:
        return [example.target]

    def text_of(self, example: Example) -> str:
        return str(example.input)

    def begin(self, base: Path, examples: Sequence[Example]) -> Module:
        self.state = {"labels": sorted({example.target for example in examples})}
        self.tokenizer = AutoTokenizer.from_pretrained(base)
        return Module(AutoModel.from_pretrained(base, add_pooling_layer=False), len(self.state["labels"]))

    def open(self, folder: Path) -> Module:
        raise NotImplementedError

    def save(self, model: Module, folder: Path) -> None:
        raise NotImplementedError

    def prepare(self, model: Module, features: Sequence[Feature]) -> None:
        pass

    def features(self, example: Example, *, learn: bool) -> list[Feature]:
        row: Feature = {"input_ids": self.tokenizer(example.input)["input_ids"]}
        if learn:
            row["labels"] = self.state["labels"].index(example.target)
        return [row]

    def collate(self, features: Sequence[Feature]) -> dict[str, Any]:
        self.collated += 1
        rows = [torch.tensor(feature["input_ids"]) for feature in features]
        padded = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=self.tokenizer.pad_token_id)
        batch = {"input_ids": padded, "attention_mask": (padded != self.tokenizer.pad_token_id).long()}
        if "labels" in features[0]:
            batch["labels"] = torch.tensor([feature["labels"] for feature in features])
        return batch

    def encode(self, model: Module, batch: dict[str, Any]) -> Tensor:
        mask = batch["attention_mask"]
        said = model.backbone(input_ids=batch["input_ids"], attention_mask=mask).last_hidden_state
        return (said * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)

    def loss(self, model: Module, batch: dict[str, Any], hidden: Any = None) -> Loss:
        logits = model.head(self.encode(model, batch) if hidden is None else hidden)
        labels = batch["labels"]
        total = nn.functional.cross_entropy(logits, labels, reduction="sum")
        return Loss(total, len(labels), int((logits.argmax(-1) == labels).sum()))

    def outputs(self, model: Module, batch: dict[str, Any]) -> list[Any]:
        with torch.no_grad():
            return list(model.head(self.encode(model, batch)).numpy())

    def predict(
        self, examples: Sequence[Example], features: Sequence[Sequence[Feature]], outputs: Sequence[Sequence[Any]]
    ) -> list[Prediction]:
        return [self.state["labels"][int(rows[0].argmax())] for rows in outputs]

    def measure(self, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Metrics:
        right = sum(example.target == found for example, found in zip(examples, predictions, strict=True))
        return {"accuracy": right / len(examples)}

    def majority(self, examples: Sequence[Example]) -> Prediction:
        return Counter(example.target for example in examples).most_common(1)[0][0]


Plugin = SmallTask
