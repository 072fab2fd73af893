"""Why a tuned encoder answers as it does: the words that speak for and against it, and training examples like the input.

For text classification, entities and relations; of other tasks only what applies. A task is a ports.Task that is an
EncoderTask; how scores are found is neural.attributions', what is near neural.nearest's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zhuli.learning.neural.encoders.encoder_task import EncoderTask
from zhuli.learning.neural.encoders.words import words
from zhuli.learning.neural.explaining import attributions, nearest, token_places
from zhuli.learning.neural.explaining.token_places import NOWHERE, Place
from zhuli.types.learning.example import Example, Feature, Prediction

STEPS = 32
MOST_TARGETS = 3
"""Answers to one input that are explained: each costs some fifty times what answering costs."""

NEAR = 3
SHOWN_CHARACTERS = 300
"""Of a training example."""

_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class _Target:
    """An answer to be explained. says: from logits rows × … to its log odds, one a row. row: of the example's features."""

    shown: dict[str, Any]
    score: float
    says: Any
    row: int


def explain(task: Any, model: Any, folder: Path, example: Example, *, near: int = NEAR) -> dict[str, Any]:
    """{"attributions", "completeness_error", "nearest_examples", "confidence", "calibrated"}.

    attributions: for each of the first few answers what attributions() gives. completeness_error and confidence: of the
    worst and the least sure of them, None without any. folder: the model's, with what remember() wrote.
    """
    features = task.features(example, learn=False)
    found = [_attributed(task, model, example, features, target) for target in _targets(task, model, example, features)]
    return {
        "attributions": [{name: value for name, value in each.items() if name != "confidence"} for each in found],
        "completeness_error": max((each["completeness_error"] for each in found), default=None),
        "nearest_examples": _near(task, model, features, folder, near),
        "confidence": min((each["confidence"] for each in found), default=None),
        "calibrated": task.state.get("temperature", 1.0) != 1.0,
    }


def attributions_of(task: Any, model: Any, example: Example, *, steps: int = STEPS) -> dict[str, Any] | None:
    """{"target", "tokens": [{"text", "start", "end", "score"}], "difference", "completeness_error", "steps", "confidence"}.

    Of the first answer; None where there is nothing to explain. tokens: words, Chinese by characters, of all of the text.
    """
    features = task.features(example, learn=False)
    targets = _targets(task, model, example, features)
    return _attributed(task, model, example, features, targets[0], steps=steps) if targets else None


def remember(task: Any, model: Any, examples: Sequence[Example], folder: Path) -> None:
    """Keep training examples in a model's folder, to be shown when one like them is explained."""
    if not _is_explained(task):
        return
    chosen = nearest.spread(examples)
    rows = [task.features(example, learn=False)[0] for example in chosen]
    shown = [
        {"text": task.text_of(example)[:SHOWN_CHARACTERS], "labels": task.labels_of(example)} for example in chosen
    ]
    nearest.keep(folder, _vectors(task, model, rows), shown)


def _is_explained(task: Any) -> bool:
    return isinstance(task, EncoderTask) and task.name in _FINDERS


def _targets(task: Any, model: Any, example: Example, features: Sequence[Feature]) -> list[_Target]:
    if not _is_explained(task):
        return []
    model.eval()
    with torch.no_grad():
        said = [task.outputs(model, task.collate([feature]))[0] for feature in features]
    prediction = task.predict([example], [features], [said])[0]
    targets: list[_Target] = _FINDERS[task.name](task, example, features, prediction)
    return targets[:MOST_TARGETS]


def _of_classes(task: Any, example: Example, features: Sequence[Feature], said: Prediction) -> list[_Target]:
    """The likeliest class, and further ones where several may be right and reach the threshold."""
    several = bool(task.state.get("multi_label"))
    enough = task.state.get("threshold", 0.5) if several else 1.0
    chosen = [*said[:1], *(entry for entry in said[1:] if entry["score"] >= enough)]
    return [_class_target(task, entry, independent=several) for entry in chosen]


def _of_relations(task: Any, example: Example, features: Sequence[Feature], said: Prediction) -> list[_Target]:
    """Of a pair its class; of several pairs those that the model is surest of."""
    if "entities" not in example.input:
        return _of_classes(task, example, features, said)
    surest = sorted(range(len(said)), key=lambda row: -float(said[row]["score"]))[:MOST_TARGETS]
    return [_class_target(task, said[row], independent=False, row=row) for row in surest]


def _class_target(task: Any, entry: dict[str, Any], *, independent: bool, row: int = 0) -> _Target:
    place = task.labels.index(entry["label"])
    shown = {name: value for name, value in entry.items() if name != "score"}

    def says(logits: Tensor) -> Tensor:
        return attributions.log_odds(logits, place, independent=independent)

    return _Target(shown, entry["score"], says, row)


def _of_entities(task: Any, example: Example, features: Sequence[Feature], said: Prediction) -> list[_Target]:
    return [_entity_target(task, example, features, entity) for entity in said]


def _entity_target(task: Any, example: Example, features: Sequence[Feature], entity: dict[str, Any]) -> _Target:
    """The mean over its words, in the row that decides the first of them."""
    inside = [
        number for number, (start, _) in enumerate(example.extra["words"]) if entity["start"] <= start < entity["end"]
    ]
    row, first = 0, inside[0]
    while first >= len(features[row]["places"]):
        first -= len(features[row]["places"])
        row += 1
    places = features[row]["places"][first : first + len(inside)]
    tags = [f"{'I' if number else 'B'}-{entity['entity_group']}" for number in range(len(places))]
    columns = [task.labels.index(tag) for tag in tags]

    def says(logits: Tensor) -> Tensor:
        each = [
            attributions.log_odds(logits[:, place], column, independent=False)
            for place, column in zip(places, columns, strict=True)
        ]
        return torch.stack(each).mean(dim=0)

    shown = {name: entity[name] for name in ("entity_group", "word", "start", "end")}
    return _Target(shown, entity["score"], says, row)


_FINDERS = {
    "text_classification": _of_classes,
    "relation_extraction": _of_relations,
    "token_classification": _of_entities,
}


def _attributed(
    task: Any, model: Any, example: Example, features: Sequence[Feature], target: _Target, *, steps: int = STEPS
) -> dict[str, Any]:
    fields = _places(task, example, features[target.row])
    where = next(model.parameters()).device
    batch = {name: value.to(where) for name, value in task.collate([features[target.row]]).items()}
    known = [any(place != NOWHERE for place in token) for token in zip(*(places for _, places in fields), strict=True)]
    baseline = batch["input_ids"].masked_fill(torch.tensor([known], device=where), task.tokenizer.pad_token_id)
    temperature = task.state.get("temperature", 1.0)

    def forward(given: dict[str, Any]) -> Tensor:
        said: Tensor = target.says(model.head(task.encode(model, given)).float() / temperature)
        return said

    model.eval()
    with torch.enable_grad():
        found = attributions.integrated_gradients(
            model.backbone.get_input_embeddings(), forward, batch, baseline, steps=steps
        )
    return {
        "target": target.shown,
        "tokens": [word for text, places in fields for word in attributions.words(text, places, found.scores)],
        "difference": found.difference,
        "completeness_error": found.error,
        "steps": found.steps,
        "confidence": target.score,
    }


def _places(task: Any, example: Example, row: Feature) -> list[tuple[str, list[Place]]]:
    """The texts that a row was made of, with the places of all its tokens in each."""
    if task.name == "text_classification":
        given = example.input if isinstance(example.input, dict) else {"text": example.input}
        texts = [given["text"], *([given["text_pair"]] if "text_pair" in given else [])]
        both = token_places.of_texts(task.tokenizer, texts, prefix=task.state["prefix"], length=task.length)
        return list(zip(texts, both, strict=True))
    if task.name == "token_classification":
        text, spans = example.input, example.extra["words"]
    else:
        text = example.input["text"]
        named = example.input.get("entities") or [example.input["head"], example.input["tail"]]
        spans = words(text, cuts={place for entity in named for place in (entity["start"], entity["end"])})
    return [(text, token_places.of_words(task.tokenizer, text, spans, row))]


def _near(task: Any, model: Any, features: Sequence[Feature], folder: Path, number: int) -> list[dict[str, Any]]:
    if not features or not _is_explained(task):
        return []
    return nearest.nearest(folder, _vectors(task, model, features[:1])[0], number)


def _vectors(task: Any, model: Any, rows: Sequence[Feature]) -> Any:
    """What the head reads of each row, over its tokens the mean: rows × width."""
    order = sorted(range(len(rows)), key=lambda number: len(rows[number]["input_ids"]))
    where = next(model.parameters()).device
    made: list[Any] = [None] * len(rows)
    model.eval()
    for start in range(0, len(order), _AT_ONCE):
        numbers = order[start : start + _AT_ONCE]
        batch = {name: value.to(where) for name, value in task.collate([rows[number] for number in numbers]).items()}
        with torch.no_grad():
            hidden = task.encode(model, batch)
        if hidden.ndim == 3:
            mask = batch["attention_mask"].unsqueeze(-1).to(hidden.dtype)
            hidden = (hidden * mask).sum(dim=1) / mask.sum(dim=1)
        for number, vector in zip(numbers, hidden.float().cpu().numpy(), strict=True):
            made[number] = vector
    return made
