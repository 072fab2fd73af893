"""Which class a text is of, or which classes: sentiments, topics, intents.

A linear layer on one vector of the text. With one class an example: softmax and cross entropy; with any number: a sigmoid
each and binary cross entropy, and classes count from a threshold on that does best on the validation data.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from zhuli.learning.metrics import classification
from zhuli.learning.neural.encoders.class_scores import chosen_threshold, ranked, scored
from zhuli.learning.neural.encoders.encoder_batch import padded
from zhuli.learning.neural.encoders.encoder_model import EncoderModel
from zhuli.learning.neural.encoders.encoder_task import EncoderTask, class_weights, smoothing
from zhuli.learning.neural.encoders.pooling import habits, pooled
from zhuli.ports import Loss
from zhuli.types.learning.example import BadExample, Example, Feature, Judgement, Metrics, Prediction, Record


class Plugin(EncoderTask):
    """Implements ports.Task. state: labels, multi_label, pooling, prefix, threshold, temperature.

    input: a text, or {"text", "text_pair"}; target: a label, or a list of them where there may be several.
    Predictions: [{"label", "score"}, …], all labels, the likeliest first.
    """

    name: ClassVar[str] = "text_classification"
    metric: ClassVar[str] = "accuracy"

    def read(self, record: Record) -> Example:
        fields = record.fields
        if "messages" in fields:
            return Example(*_of_chat(fields["messages"]), line=record.line)
        label = fields.get("label", fields.get("labels"))
        if label is None:
            raise BadExample('There is no "label". It should be the class of the text, or a list of classes.')
        target = _target(label)
        if isinstance(target, list) and len(target) != 1 and self.options.multi_label is False:
            raise BadExample(f"There are {len(target)} labels where multi_label is false; there should be one.")
        return Example(_input(fields), target, line=record.line)

    def ask(self, given: Any) -> Example:
        if isinstance(given, str):
            given = {"text": given}
        if not isinstance(given, dict):
            raise BadExample('An input should be a text, or an object like {"text": "…", "text_pair": "…"}.')
        return Example(_input(given))

    def labels_of(self, example: Example) -> list[str]:
        if example.target is None:
            return []
        return list(example.target) if isinstance(example.target, list) else [example.target]

    def text_of(self, example: Example) -> str:
        if isinstance(example.input, dict):
            return f"{example.input['text']}\n{example.input['text_pair']}"
        return str(example.input)

    def begin(self, base: Path, examples: Sequence[Example]) -> EncoderModel:
        given = [label for example in examples for label in self.labels_of(example)]
        earlier = self.knows(base)
        known = earlier.get("labels", [])
        labels = [*known, *sorted(set(given) - set(known))]
        model = self.begun(base, labels, known)
        self.state = {**(earlier or self._new_state(base, examples)), "labels": labels, "temperature": 1.0}
        if not earlier:
            features = [feature for example in examples for feature in self.features(example, learn=False)]
            self.scale(model, features, self.encode)
        self.weights = class_weights(self.options, labels, given)
        return model

    def features(self, example: Example, *, learn: bool) -> list[Feature]:
        pair = example.input if isinstance(example.input, dict) else {"text": example.input}
        texts = [self.state["prefix"] + pair["text"], *([pair["text_pair"]] if "text_pair" in pair else [])]
        said = self.tokenizer(*texts, truncation=True, max_length=self.length, return_token_type_ids=len(texts) == 2)
        feature: Feature = {"input_ids": said["input_ids"]}
        if 1 in said.get("token_type_ids", []):
            feature["token_type_ids"] = said["token_type_ids"]
        if learn:
            feature["labels"] = self._labels(example)
        return [feature]

    def collate(self, features: Sequence[Feature]) -> dict[str, Any]:
        typed = any("token_type_ids" in feature for feature in features)
        rows = [_typed(feature) for feature in features] if typed else features
        batch = padded(rows, padding=self.tokenizer.pad_token_id)
        if "labels" in features[0]:
            batch["labels"] = torch.tensor([feature["labels"] for feature in features])
        return batch

    def encode(self, model: EncoderModel, batch: dict[str, Any]) -> Tensor:
        """rows × width."""
        return pooled(model.hidden(batch), batch["attention_mask"], self.state["pooling"])

    def loss(self, model: EncoderModel, batch: dict[str, Any], hidden: Any = None) -> Loss:
        logits = model.head(self.encode(model, batch) if hidden is None else hidden).float()
        labels = batch["labels"]
        if self.state["multi_label"]:
            weights = None if self.weights is None else self.weights.to(logits.device)
            wanted = labels.float() * (1 - smoothing(self.options)) + smoothing(self.options) / 2
            each = functional.binary_cross_entropy_with_logits(logits, wanted, weight=weights, reduction="none")
            right = ((logits > 0) == (labels > 0)).all(dim=1).sum()
            return Loss(each.mean(dim=1).sum(), len(labels), int(right))
        total = self.cross_entropy(logits, labels)
        return Loss(total, len(labels), int((logits.argmax(dim=1) == labels).sum()))

    def choose_threshold(
        self, examples: Sequence[Example], features: Sequence[Sequence[Feature]], outputs: Sequence[Sequence[Any]]
    ) -> None:
        """Where there may be several classes: the score from which on one counts; training.calibrating calls it."""
        if self.state["multi_label"] and self.options.threshold == "auto" and examples:
            scores = np.array([self._probabilities(said[0]) for said in outputs])
            wanted = np.array([self._labels(example) for example in examples], dtype=bool)
            self.state["threshold"] = chosen_threshold(scores, wanted)

    def predict(
        self, examples: Sequence[Example], features: Sequence[Sequence[Feature]], outputs: Sequence[Sequence[Any]]
    ) -> list[Prediction]:
        return [ranked(self.labels, self._probabilities(said[0])) for said in outputs]

    def measure(self, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Metrics:
        several = self.state.get("multi_label") or any(isinstance(example.target, list) for example in examples)
        chosen = [self._chosen(said) if several else [said[0]["label"]] for said in predictions]
        sure = [{entry["label"]: entry["score"] for entry in said} for said in predictions]
        known = self.state.get("labels") or [entry["label"] for entry in (predictions[0] if predictions else [])]
        targets = [self.labels_of(example) for example in examples]
        return classification.scores(targets, chosen, labels=known, probabilities=sure)

    def judge(self, example: Example, prediction: Prediction) -> Judgement:
        """Right where all its labels were found, and no other."""
        several = self.state.get("multi_label") or isinstance(example.target, list)
        chosen = self._chosen(prediction) if several else [prediction[0]["label"]]
        return Judgement(float(set(chosen) == set(self.labels_of(example))))

    def majority(self, examples: Sequence[Example]) -> Prediction:
        """Every label with its share of the examples."""
        counts = Counter(label for example in examples for label in self.labels_of(example))
        labels = sorted(counts)
        return ranked(labels, np.array([counts[label] / len(examples) for label in labels]))

    def _new_state(self, base: Path, examples: Sequence[Example]) -> dict[str, Any]:
        asked = habits(base)
        several = self.options.multi_label
        if several == "auto":
            several = any(isinstance(example.target, list) for example in examples)
        return {"multi_label": several, "pooling": asked.pooling, "prefix": asked.prefix}

    def _labels(self, example: Example) -> Any:
        """The number of the class, or a 0 or 1 for each."""
        given = self.labels_of(example)
        if self.state["multi_label"]:
            return [int(label in given) for label in self.labels]
        return self.labels.index(given[0])

    def _probabilities(self, logits: Any) -> Any:
        return scored(logits / self.state.get("temperature", 1.0), independent=self.state["multi_label"])

    def _chosen(self, said: list[dict[str, Any]]) -> list[str]:
        threshold = self.state.get("threshold", 0.5 if self.options.threshold == "auto" else self.options.threshold)
        return [entry["label"] for entry in said if entry["score"] >= threshold]


def _typed(feature: Feature) -> Feature:
    """With token types, for a batch in which some texts are pairs and others not."""
    return {"token_type_ids": [0] * len(feature["input_ids"]), **feature}


def _input(fields: dict[str, Any]) -> Any:
    text, pair = fields.get("text"), fields.get("text_pair")
    if not isinstance(text, str) or not text.strip():
        raise BadExample('"text" should be a text that is not empty.')
    if pair is None:
        return text
    if not isinstance(pair, str):
        raise BadExample('"text_pair" should be a text.')
    return {"text": text, "text_pair": pair}


def _target(label: Any) -> str | list[str]:
    if isinstance(label, list):
        return list(dict.fromkeys(_name(each) for each in label))
    return _name(label)


def _name(label: Any) -> str:
    if isinstance(label, str) and label.strip():
        return label.strip()
    if isinstance(label, int | float):
        return str(label)
    raise BadExample(f'"label" should be the name of a class, or a list of names, not {label!r}.')


def _of_chat(messages: Any) -> tuple[str, str]:
    """The last thing that the user says, and the class as the assistant's answer."""
    said = [message for message in messages if isinstance(message, dict)] if isinstance(messages, list) else []
    asked = [message.get("content") for message in said if message.get("role") == "user"]
    if not asked or said[-1].get("role") != "assistant":
        raise BadExample(
            '"messages" should end with a message of the user, the text, and one of the assistant, its class.'
        )
    return _input({"text": asked[-1]}), _name(said[-1].get("content"))
