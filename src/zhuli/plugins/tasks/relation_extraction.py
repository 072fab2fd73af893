"""How two entities of a text stand to each other.

The text is read with marks around both, "… [E1] head [/E1] … [E2] tail [/E2] …", and a linear layer reads what the encoder
says at the two opening marks (Baldini Soares et al. 2019, "entity start"; Wu and He 2019 use such marks with BERT as well).
End to end: with a list of entities, as token_classification finds them, every pair is judged in both directions.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from zhuli.learning.metrics import classification
from zhuli.learning.neural.encoders.class_scores import ranked, scored
from zhuli.learning.neural.encoders.encoder_batch import padded
from zhuli.learning.neural.encoders.encoder_model import EncoderModel
from zhuli.learning.neural.encoders.encoder_task import EncoderTask, class_weights
from zhuli.learning.neural.encoders.entity_marks import MARKS, add_marks
from zhuli.learning.neural.encoders.windows import around
from zhuli.learning.neural.encoders.word_pieces import WordPieces
from zhuli.learning.neural.encoders.words import words
from zhuli.ports import Loss
from zhuli.types.learning.example import BadExample, Example, Feature, Judgement, Metrics, Prediction, Record
from zhuli.types.learning.hyperparameters import Hyperparameters

MOST_ENTITIES = 32
"""In one text, which make 992 pairs."""


class Plugin(EncoderTask):
    """Implements ports.Task. state: labels, temperature.

    input: {"text", "head": {"start", "end"}, "tail": {"start", "end"}}; target: a label.
    Predictions: [{"label", "score"}, …], the likeliest first. For {"text", "entities": [{"start", "end"}, …]}: for every pair
    {"head", "tail", "label", "score"}.
    """

    name: ClassVar[str] = "relation_extraction"
    metric: ClassVar[str] = "f1_macro"
    reads: ClassVar[int] = 2

    def __init__(self, options: Hyperparameters, state: dict[str, Any]) -> None:
        super().__init__(options, state)
        self._pieces: WordPieces | None = None

    def read(self, record: Record) -> Example:
        label = record.fields.get("label")
        if not isinstance(label, str) or not label.strip():
            raise BadExample('"label" should be the name of the relation between head and tail.')
        return Example(_pair(record.fields), label.strip(), line=record.line)

    def ask(self, given: Any) -> Example:
        if not isinstance(given, dict):
            raise BadExample('An input should be {"text", "head", "tail"} or {"text", "entities"}.')
        if "entities" not in given:
            return Example(_pair(given))
        entities = given["entities"]
        if not isinstance(entities, list) or len(entities) > MOST_ENTITIES:
            raise BadExample(
                f'"entities" should be a list of at most {MOST_ENTITIES} entities, each {{"start", "end"}}.'
            )
        text = _text(given)
        return Example({"text": text, "entities": [_entity(text, entity, "entities") for entity in entities]})

    def labels_of(self, example: Example) -> list[str]:
        return [] if example.target is None else [example.target]

    def text_of(self, example: Example) -> str:
        """The text with the entities marked: the same text may have several pairs."""
        given = example.input
        if "entities" in given:
            return str(given["text"])
        marks = [
            (given[role][side], mark)
            for role, pair in _ROLES
            for side, mark in zip(("start", "end"), pair, strict=True)
        ]
        text = given["text"]
        for place, mark in sorted(marks, reverse=True):
            text = f"{text[:place]}{mark}{text[place:]}"
        return str(text)

    def begin(self, base: Path, examples: Sequence[Example]) -> EncoderModel:
        given = [str(example.target) for example in examples]
        known = self.knows(base).get("labels", [])
        labels = [*known, *sorted(set(given) - set(known))]
        model = self.begun(base, labels, known)
        self.state = {"labels": labels, "temperature": 1.0}
        if not known:
            add_marks(model.backbone, self.tokenizer)
            features = [feature for example in examples for feature in self.features(example, learn=False)]
            self.scale(model, features, self.encode)
        self.weights = class_weights(self.options, labels, given)
        return model

    def features(self, example: Example, *, learn: bool) -> list[Feature]:
        given = example.input
        if "entities" in given:
            return [self._feature(given["text"], head, tail) for head, tail in permutations(given["entities"], 2)]
        feature = self._feature(given["text"], given["head"], given["tail"])
        if learn:
            feature["labels"] = self.labels.index(example.target)
        return [feature]

    def collate(self, features: Sequence[Feature]) -> dict[str, Any]:
        batch = padded(features, padding=self.tokenizer.pad_token_id)
        batch["marks"] = torch.tensor([feature["marks"] for feature in features])
        if "labels" in features[0]:
            batch["labels"] = torch.tensor([feature["labels"] for feature in features])
        return batch

    def encode(self, model: EncoderModel, batch: dict[str, Any]) -> Tensor:
        """rows × twice the width: what is said at [E1] and at [E2]."""
        hidden = model.hidden(batch)
        rows = torch.arange(len(hidden), device=hidden.device).unsqueeze(1)
        return hidden[rows, batch["marks"]].flatten(1)

    def loss(self, model: EncoderModel, batch: dict[str, Any], hidden: Any = None) -> Loss:
        logits = model.head(self.encode(model, batch) if hidden is None else hidden).float()
        labels = batch["labels"]
        total = self.cross_entropy(logits, labels)
        return Loss(total, len(labels), int((logits.argmax(dim=1) == labels).sum()))

    def predict(
        self, examples: Sequence[Example], features: Sequence[Sequence[Feature]], outputs: Sequence[Sequence[Any]]
    ) -> list[Prediction]:
        return [self._said(example, said) for example, said in zip(examples, outputs, strict=True)]

    def measure(self, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Metrics:
        sure = [{entry["label"]: entry["score"] for entry in said} for said in predictions]
        targets = [[str(example.target)] for example in examples]
        known = self.state.get("labels") or sorted({target[0] for target in targets})
        return classification.scores(
            targets, [[said[0]["label"]] for said in predictions], labels=known, probabilities=sure
        )

    def judge(self, example: Example, prediction: Prediction) -> Judgement:
        """Right or wrong: the mean of classes that measure() gives is of many examples."""
        return Judgement(float(prediction[0]["label"] == example.target))

    def majority(self, examples: Sequence[Example]) -> Prediction:
        """Every label with its share of the examples."""
        counts = Counter(str(example.target) for example in examples)
        labels = sorted(counts)
        return ranked(labels, np.array([counts[label] / len(examples) for label in labels]))

    def _said(self, example: Example, said: Sequence[Any]) -> Prediction:
        given = [ranked(self.labels, self._probabilities(logits)) for logits in said]
        if "entities" not in example.input:
            return given[0]
        pairs = permutations(example.input["entities"], 2)
        return [{"head": head, "tail": tail, **ranks[0]} for (head, tail), ranks in zip(pairs, given, strict=True)]

    def _probabilities(self, logits: Any) -> Any:
        return scored(logits / self.state.get("temperature", 1.0), independent=False)

    def _feature(self, text: str, head: dict[str, Any], tail: dict[str, Any]) -> Feature:
        """The marks are put between the pieces of words; of a text that is too long, what is around them is kept."""
        if self._pieces is None:
            self._pieces = WordPieces(self.tokenizer)
        frame = self._pieces.frame
        spans = words(text, cuts={head["start"], head["end"], tail["start"], tail["end"]})
        read = self._pieces.read(text, spans)
        marks = self.tokenizer.convert_tokens_to_ids([mark for pair in MARKS for mark in pair])
        ids: list[int] = list(read.ids)
        inside = [_stretch(entity, spans, read.words) for entity in (head, tail)]
        places = [(inside[0][0], 0), (inside[0][1], 1), (inside[1][0], 2), (inside[1][1], 3)]
        # From the back, so that earlier places stay; where one entity ends and another begins, the end comes first.
        for place, mark in sorted(places, key=lambda entry: (entry[0], 1 - entry[1] % 2), reverse=True):
            ids.insert(place, marks[mark])
        opening = [ids.index(marks[0]), ids.index(marks[2])]
        closing = [ids.index(marks[1]) + 1, ids.index(marks[3]) + 1]
        size = self.length - len(frame.before) - len(frame.behind)
        kept = around((opening[0], closing[0]), (opening[1], closing[1]), number=len(ids), size=size)
        starts = [kept.index(place) + len(frame.before) for place in opening]
        return {"input_ids": frame.one([ids[place] for place in kept]), "marks": starts}


_ROLES = (("head", MARKS[0]), ("tail", MARKS[1]))


def _stretch(entity: dict[str, Any], spans: Sequence[tuple[int, int]], of_words: Sequence[int]) -> tuple[int, int]:
    """First and last + 1 of the pieces of an entity's words."""
    inside = [
        place
        for place, word in enumerate(of_words)
        if spans[word][0] >= entity["start"] and spans[word][1] <= entity["end"]
    ]
    return inside[0], inside[-1] + 1


def _pair(fields: dict[str, Any]) -> dict[str, Any]:
    text = _text(fields)
    return {"text": text, **{role: _entity(text, fields.get(role), role) for role in ("head", "tail")}}


def _text(fields: dict[str, Any]) -> str:
    text = fields.get("text")
    if not isinstance(text, str) or not text.strip():
        raise BadExample('"text" should be a text that is not empty.')
    return text


def _entity(text: str, given: Any, role: str) -> dict[str, Any]:
    """What else is said of an entity, such as its class, stays with it."""
    if not isinstance(given, dict):
        raise BadExample(f'"{role}" should be {{"start", "end"}}, places of characters in the text.')
    start, end = given.get("start"), given.get("end")
    if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(text)):
        raise BadExample(
            f'"start" and "end" of "{role}" should be places in the text, which has {len(text)} characters, not {start!r} '
            f"and {end!r}."
        )
    if not text[start:end].strip():
        raise BadExample(f'"{role}" is only white space.')
    return {**given, "word": text[start:end]}
