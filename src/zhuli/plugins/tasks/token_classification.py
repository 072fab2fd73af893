"""Which spans of a text are what: names, places, the slots of a command.

A linear layer over the tags B-X, I-X and O on the first piece of every word; Chinese is labelled by characters. Among the
sequences of tags that make sense, the likeliest is chosen. Texts that are too long are read in windows.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from zhuli.learning.metrics import entities
from zhuli.learning.neural.encoders import bio_tags
from zhuli.learning.neural.encoders.bio_tags import OUTSIDE, TaggedSpan
from zhuli.learning.neural.encoders.class_scores import scored
from zhuli.learning.neural.encoders.encoder_batch import IGNORED, filled, padded
from zhuli.learning.neural.encoders.encoder_model import EncoderModel
from zhuli.learning.neural.encoders.encoder_task import EncoderTask, class_weights
from zhuli.learning.neural.encoders.hugging_face_heads import save_with_head
from zhuli.learning.neural.encoders.windows import windows
from zhuli.learning.neural.encoders.word_pieces import WordPieces
from zhuli.learning.neural.encoders.words import joined, words
from zhuli.ports import Loss
from zhuli.types.learning.example import BadExample, Example, Feature, Judgement, Metrics, Prediction, Record
from zhuli.types.learning.hyperparameters import Hyperparameters

_OVERLAP = 0.25
"""Of windows, as a share of their size."""


class Plugin(EncoderTask):
    """Implements ports.Task. state: labels, which are tags.

    input: the text; extra["words"]: [[start, end], …] of the words that are labelled; target: their tags.
    Predictions: [{"entity_group", "score", "word", "start", "end"}, …] in the order of the text.
    """

    name: ClassVar[str] = "token_classification"
    metric: ClassVar[str] = "f1"

    def __init__(self, options: Hyperparameters, state: dict[str, Any]) -> None:
        super().__init__(options, state)
        self._pieces: WordPieces | None = None

    def read(self, record: Record) -> Example:
        fields = record.fields
        if "tokens" in fields:
            return _of_tokens(fields, record.line)
        if isinstance(fields.get("text"), str) and isinstance(fields.get("entities"), list):
            return _of_spans(fields["text"], fields["entities"], record.line)
        raise BadExample(
            'There should be either "tokens" and "tags", two lists of one length, or "text" and "entities", a list of '
            '{"start", "end", "label"}.'
        )

    def ask(self, given: Any) -> Example:
        if isinstance(given, dict):
            given = given.get("tokens", given.get("text"))
        if isinstance(given, list) and given and all(isinstance(token, str) and token for token in given):
            text, spans = joined(given)
            return Example(text, extra={"words": spans})
        if isinstance(given, str) and given.strip():
            return Example(given, extra={"words": words(given)})
        raise BadExample("An input should be a text that is not empty, or a list of its words.")

    def labels_of(self, example: Example) -> list[str]:
        return sorted({span.label for span in bio_tags.spans(example.target or [])})

    def text_of(self, example: Example) -> str:
        return str(example.input)

    def begin(self, base: Path, examples: Sequence[Example]) -> EncoderModel:
        earlier = self.knows(base)
        known = earlier.get("labels", [])
        given = [tag for example in examples for tag in example.target]
        classes = sorted({tag[2:] for tag in given if tag != OUTSIDE})
        wanted = [OUTSIDE, *(f"{part}-{label}" for label in classes for part in "BI")]
        labels = [*known, *(tag for tag in wanted if tag not in known)]
        model = self.begun(base, labels, known)
        self.state = {"labels": labels}
        if not known:
            features = [feature for example in examples for feature in self.features(example, learn=False)]
            self.scale(model, features, self._firsts)
        self.weights = class_weights(self.options, labels, given)
        return model

    def save(self, model: EncoderModel, folder: Path) -> None:
        super().save(model, folder)
        save_with_head(model, folder, kind="token-classification", labels=self.labels)

    def features(self, example: Example, *, learn: bool) -> list[Feature]:
        read = self._read(example)
        frame = self._word_pieces.frame
        marks = len(frame.before) + len(frame.behind)
        size = self.length - marks
        firsts = [at for at, word in enumerate(read.words) if at == 0 or read.words[at - 1] != word]
        made: list[Feature] = []
        for window in windows(len(read.ids), size=size, overlap=int(size * _OVERLAP)):
            own = [at for at in firsts if window.first <= at < window.last]
            feature: Feature = {
                "input_ids": frame.one(read.ids[window.start : window.end]),
                "places": [at - window.start + len(frame.before) for at in own],
            }
            if learn:
                feature["tags"] = [self.labels.index(example.target[read.words[at]]) for at in own]
            made.append(feature)
        return made

    def collate(self, features: Sequence[Feature]) -> dict[str, Any]:
        """places and tags: rows × the most words in a row; tags of no word are ignored."""
        batch = padded(features, padding=self.tokenizer.pad_token_id)
        most = max(1, *(len(feature["places"]) for feature in features))
        batch["places"] = filled([feature["places"] for feature in features], 0, most)
        batch["words"] = torch.tensor([len(feature["places"]) for feature in features])
        if "tags" in features[0]:
            batch["tags"] = filled([feature["tags"] for feature in features], IGNORED, most)
        return batch

    def encode(self, model: EncoderModel, batch: dict[str, Any]) -> Tensor:
        """rows × tokens × width."""
        return model.hidden(batch)

    def loss(self, model: EncoderModel, batch: dict[str, Any], hidden: Any = None) -> Loss:
        logits = model.head(_at_places(self.encode(model, batch) if hidden is None else hidden, batch)).float()
        tags = batch["tags"]
        known = tags != IGNORED
        total = self.cross_entropy(logits[known], tags[known])
        right = (logits.argmax(dim=-1) == tags)[known].sum()
        return Loss(total, int(known.sum()), int(right))

    def outputs(self, model: EncoderModel, batch: dict[str, Any]) -> list[Any]:
        """words × tags for each row."""
        with torch.no_grad():
            logits = model.head(_at_places(self.encode(model, batch), batch)).float().cpu().numpy()
        return [row[:number] for row, number in zip(logits, batch["words"].tolist(), strict=True)]

    def predict(
        self, examples: Sequence[Example], features: Sequence[Sequence[Feature]], outputs: Sequence[Sequence[Any]]
    ) -> list[Prediction]:
        return [self._spans(example, said) for example, said in zip(examples, outputs, strict=True)]

    def measure(self, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Metrics:
        said = [_tags_of(prediction, example) for example, prediction in zip(examples, predictions, strict=True)]
        return entities.scores([example.target for example in examples], said)

    def judge(self, example: Example, prediction: Prediction) -> Judgement:
        """The F1 of its spans."""
        return Judgement(*entities.shared(example.target, _tags_of(prediction, example)))

    def majority(self, examples: Sequence[Example]) -> Prediction:
        """No span at all: most words are outside of any."""
        return []

    @property
    def _word_pieces(self) -> WordPieces:
        if self._pieces is None:
            self._pieces = WordPieces(self.tokenizer)
        return self._pieces

    def _read(self, example: Example) -> Any:
        return self._word_pieces.read(example.input, example.extra["words"])

    def _firsts(self, model: EncoderModel, batch: dict[str, Any]) -> Tensor:
        """What the head reads of a batch: words × width."""
        known = torch.arange(batch["places"].shape[1]) < batch["words"].unsqueeze(1)
        return _at_places(model.hidden(batch), batch)[known]

    def _spans(self, example: Example, said: Sequence[Any]) -> list[dict[str, Any]]:
        logits = np.concatenate(said)
        shares = scored(logits, independent=False)
        path = bio_tags.legal(np.log(shares + 1e-12), self.labels)
        found = []
        for label, first, last in bio_tags.spans([self.labels[tag] for tag in path]):
            score = float(np.mean([shares[word, path[word]] for word in range(first, last)]))
            start, end = example.extra["words"][first][0], example.extra["words"][last - 1][1]
            word = example.input[start:end]
            found.append({"entity_group": label, "score": score, "word": word, "start": start, "end": end})
        return found


def _at_places(hidden: Tensor, batch: dict[str, Any]) -> Tensor:
    """Of rows × tokens × width, the tokens where words begin: rows × words × width."""
    places = batch["places"].unsqueeze(-1).expand(-1, -1, hidden.shape[-1])
    return hidden.gather(1, places)


def _tags_of(prediction: Prediction, example: Example) -> list[str]:
    """As the example's words are tagged by a prediction; a word is in the span in which it begins."""
    spans = example.extra["words"]
    found = []
    for entity in prediction:
        inside = [number for number, (start, _) in enumerate(spans) if entity["start"] <= start < entity["end"]]
        if inside:
            found.append(TaggedSpan(entity["entity_group"], inside[0], inside[-1] + 1))
    return bio_tags.tags(found, len(spans))


def _of_tokens(fields: dict[str, Any], line: int) -> Example:
    tokens, tags = fields["tokens"], fields.get("tags")
    if not isinstance(tokens, list) or not all(isinstance(token, str) and token.strip() for token in tokens):
        raise BadExample('"tokens" should be a list of words, none of them empty.')
    if not isinstance(tags, list) or len(tags) != len(tokens):
        number = len(tags) if isinstance(tags, list) else 0
        raise BadExample(f'"tags" should have one tag for each of the {len(tokens)} tokens, not {number}.')
    for tag in tags:
        if not isinstance(tag, str) or (tag != OUTSIDE and (tag[:2] not in ("B-", "I-") or len(tag) == 2)):
            raise BadExample(f'A tag should be "O", or a class behind "B-" or "I-", like "B-PER", not {tag!r}.')
    text, spans = joined(tokens)
    return Example(text, bio_tags.tags(bio_tags.spans(tags), len(tags)), extra={"words": spans}, line=line)


def _of_spans(text: str, given: Sequence[Any], line: int) -> Example:
    """Spans that begin or end within a word cut it there."""
    if not text.strip():
        raise BadExample('"text" should be a text that is not empty.')
    for entity in given:
        _check_span(text, entity)
    cuts = {place for entity in given for place in (entity["start"], entity["end"])}
    spans = words(text, cuts=cuts)
    found: list[TaggedSpan] = []
    for entity in sorted(given, key=lambda entity: int(entity["start"])):
        inside = [at for at, (start, end) in enumerate(spans) if entity["start"] <= start and end <= entity["end"]]
        if not inside:
            raise BadExample(f"The entity {entity['start']} to {entity['end']} has no word in it.")
        if found and inside[0] < found[-1].last:
            raise BadExample(
                f"The entities {found[-1].label} and {entity['label']} overlap; a word can be in one only."
            )
        found.append(TaggedSpan(entity["label"], inside[0], inside[-1] + 1))
    return Example(text, bio_tags.tags(found, len(spans)), extra={"words": spans}, line=line)


def _check_span(text: str, entity: Any) -> None:
    if not isinstance(entity, dict) or not isinstance(entity.get("label"), str) or not entity["label"]:
        raise BadExample('Each of "entities" should be {"start", "end", "label"}.')
    start, end = entity.get("start"), entity.get("end")
    if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(text)):
        raise BadExample(
            f'"start" and "end" of an entity should be places in the text, which has {len(text)} characters, not '
            f"{start!r} and {end!r}."
        )
