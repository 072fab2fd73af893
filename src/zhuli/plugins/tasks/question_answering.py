"""Which words of a text answer a question, or that none do.

Two numbers for every piece of the text: how likely the answer begins and ends there (Devlin et al. 2019). No answer is what
both say at the first token, as for SQuAD 2.0. Texts that are too long are read in windows that overlap, and the best answer
of all windows counts. Chinese is read, and cut, by characters.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from zhuli.learning.metrics import answers
from zhuli.learning.neural.encoders.answer_spans import Answer, best_answers, chosen_margin, shares
from zhuli.learning.neural.encoders.encoder_batch import padded
from zhuli.learning.neural.encoders.encoder_model import EncoderModel
from zhuli.learning.neural.encoders.encoder_task import EncoderTask, smoothing
from zhuli.learning.neural.encoders.hugging_face_heads import save_with_head
from zhuli.learning.neural.encoders.windows import windows
from zhuli.learning.neural.encoders.word_pieces import WordPieces
from zhuli.learning.neural.encoders.words import words
from zhuli.ports import Loss
from zhuli.types.learning.example import BadExample, Example, Feature, Judgement, Metrics, Prediction, Record
from zhuli.types.learning.hyperparameters import Hyperparameters

_QUESTION = 0.25
"""Of a row, at most, for the question."""

_OVERLAP = 1 / 3
"""Of windows; BERT's script has 128 of 384."""


class Plugin(EncoderTask):
    """Implements ports.Task. state: labels, no_answer (whether there may be none), margin.

    input: {"question", "context"}; target: [{"text", "start"}, …], [] for no answer.
    Predictions: {"score", "start", "end", "answer"}, the answer "" for none.
    """

    name: ClassVar[str] = "question_answering"
    metric: ClassVar[str] = "f1"

    def __init__(self, options: Hyperparameters, state: dict[str, Any]) -> None:
        super().__init__(options, state)
        self._pieces: WordPieces | None = None

    def read(self, record: Record) -> Example:
        given = _input(record.fields)
        known = record.fields.get("answers")
        if not isinstance(known, list):
            raise BadExample('"answers" should be a list of {"text", "start"}, empty where the context has no answer.')
        target = [_answer(given["context"], answer) for answer in known]
        return Example(given, target, group=str(record.fields.get("group", "")), line=record.line)

    def ask(self, given: Any) -> Example:
        if not isinstance(given, dict):
            raise BadExample('An input should be {"question", "context"}.')
        return Example(_input(given))

    def labels_of(self, example: Example) -> list[str]:
        return []

    def text_of(self, example: Example) -> str:
        return f"{example.input['question']}\n{example.input['context']}"

    def begin(self, base: Path, examples: Sequence[Example]) -> EncoderModel:
        earlier = self.knows(base)
        labels = ["start", "end"]
        model = self.begun(base, labels, labels if earlier else [])
        none = any(not example.target for example in examples) or earlier.get("no_answer", False)
        self.state = {"labels": labels, "no_answer": none, "margin": earlier.get("margin", 0.0)}
        if not earlier:
            features = [feature for example in examples for feature in self.features(example, learn=False)]
            self.scale(model, features, lambda model, batch: model.hidden(batch)[batch["attention_mask"] > 0])
        return model

    def save(self, model: EncoderModel, folder: Path) -> None:
        super().save(model, folder)
        save_with_head(model, folder, kind="question-answering")

    def features(self, example: Example, *, learn: bool) -> list[Feature]:
        pieces = self._word_pieces
        question, context = example.input["question"], example.input["context"]
        asked = pieces.read(question, words(question)).ids[: int(self.length * _QUESTION)]
        spans = self._words(example)
        read = pieces.read(context, spans)
        taken = len(pieces.frame.two(asked, [])[0])
        size = self.length - taken
        made: list[Feature] = []
        for window in windows(len(read.ids), size=size, overlap=int(size * _OVERLAP)):
            row, types = pieces.frame.two(asked, read.ids[window.start : window.end])
            first = taken - len(pieces.frame.behind)
            feature: Feature = {
                "input_ids": row,
                "words": read.words[window.start : window.end],
                "context": [first, first + window.end - window.start],
            }
            if pieces.frame.types:
                feature["token_type_ids"] = types
            if learn:
                feature["answer"] = _place(example, spans, feature)
            made.append(feature)
        return made

    def collate(self, features: Sequence[Feature]) -> dict[str, Any]:
        batch = padded(features, padding=self.tokenizer.pad_token_id)
        places = torch.arange(batch["input_ids"].shape[1]).unsqueeze(0)
        context = torch.tensor([feature["context"] for feature in features])
        inside = (places >= context[:, :1]) & (places < context[:, 1:])
        batch["choices"] = inside | (places == 0)
        if "answer" in features[0]:
            batch["answer"] = torch.tensor([feature["answer"] for feature in features])
        return batch

    def encode(self, model: EncoderModel, batch: dict[str, Any]) -> Tensor:
        """rows × tokens × width."""
        return model.hidden(batch)

    def loss(self, model: EncoderModel, batch: dict[str, Any], hidden: Any = None) -> Loss:
        """Mean of the losses of beginning and end."""
        logits = _masked(model.head(self.encode(model, batch) if hidden is None else hidden).float(), batch)
        wanted = batch["answer"]
        total = sum(_cross_entropy(logits[..., side], wanted[:, side], self.options) for side in (0, 1))
        right = (logits.argmax(dim=1) == wanted).all(dim=1).sum()
        return Loss(total / 2, len(wanted), int(right))

    def choose_threshold(
        self, examples: Sequence[Example], features: Sequence[Sequence[Feature]], outputs: Sequence[Sequence[Any]]
    ) -> None:
        """From which margin on there is no answer, by F1; training.calibrating calls it."""
        if not self.state["no_answer"] or self.options.threshold != "auto" or not examples:
            return
        best = [_best(rows, said) for rows, said in zip(features, outputs, strict=True)]
        texts = [_cut(example, self._words(example), found) for example, (found, _) in zip(examples, best, strict=True)]
        gains = [answers.f1(_texts(example), text) for example, text in zip(examples, texts, strict=True)]
        margins = np.array([none - found[0].score for found, none in best])
        self.state["margin"] = chosen_margin(margins, np.array([bool(e.target) for e in examples]), np.array(gains))

    def predict(
        self, examples: Sequence[Example], features: Sequence[Sequence[Feature]], outputs: Sequence[Sequence[Any]]
    ) -> list[Prediction]:
        return [
            self._answered(example, *_best(rows, said))
            for example, rows, said in zip(examples, features, outputs, strict=True)
        ]

    def measure(self, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Metrics:
        return answers.scores([_texts(example) for example in examples], [said["answer"] for said in predictions])

    def judge(self, example: Example, prediction: Prediction) -> Judgement:
        """The F1 of the answer's words."""
        return Judgement(answers.f1(_texts(example), prediction["answer"]))

    def majority(self, examples: Sequence[Example]) -> Prediction:
        """No answer, which is the only one that fits several questions."""
        none = sum(not example.target for example in examples)
        return {"score": none / max(len(examples), 1), "start": 0, "end": 0, "answer": ""}

    @property
    def _word_pieces(self) -> WordPieces:
        if self._pieces is None:
            self._pieces = WordPieces(self.tokenizer)
        return self._pieces

    def _words(self, example: Example) -> list[tuple[int, int]]:
        return words(example.input["context"])

    def _answered(self, example: Example, found: Sequence[Answer], none: float) -> dict[str, Any]:
        """The score is the answer's share of the belief in all that were found, and in none where there may be none."""
        if not self.state["no_answer"]:
            divided = shares([answer.score for answer in found])
            return _prediction(example, self._words(example), found[0], divided[0])
        divided = shares([none, *(answer.score for answer in found)])
        if none - found[0].score > self._margin():
            return {"score": divided[0], "start": 0, "end": 0, "answer": ""}
        return _prediction(example, self._words(example), found[0], divided[1])

    def _margin(self) -> float:
        """A given threshold is the share of the belief that no answer must have: its log odds."""
        given = self.options.threshold
        if given == "auto":
            return float(self.state["margin"])
        return float(np.log(max(given, 1e-6) / max(1 - given, 1e-6)))


def _best(rows: Sequence[Feature], said: Sequence[Any]) -> tuple[list[Answer], float]:
    """The best answers of all windows, and the score of no answer: the lowest of all windows, as any may have the answer."""
    found: list[Answer] = []
    none = np.inf
    for row, logits in zip(rows, said, strict=True):
        first, last = row["context"]
        found += best_answers(logits[first:last, 0], logits[first:last, 1], row["words"])
        none = min(none, float(logits[0, 0] + logits[0, 1]))
    best: dict[tuple[int, int], Answer] = {}
    for answer in found:
        kept = best.get(answer[:2])
        best[answer[:2]] = answer if kept is None or answer.score > kept.score else kept
    return sorted(best.values(), key=lambda answer: -answer.score), none


def _prediction(example: Example, spans: Sequence[tuple[int, int]], answer: Answer, score: float) -> dict[str, Any]:
    start, end = spans[answer.first][0], spans[answer.last][1]
    return {"score": score, "start": start, "end": end, "answer": example.input["context"][start:end]}


def _cut(example: Example, spans: Sequence[tuple[int, int]], found: Sequence[Answer]) -> str:
    text: str = _prediction(example, spans, found[0], 0.0)["answer"]
    return text


def _masked(logits: Tensor, batch: dict[str, Any]) -> Tensor:
    """Answers are in the context, or at the first token for none."""
    return logits.masked_fill(~batch["choices"].unsqueeze(-1), -1e4)


def _cross_entropy(logits: Tensor, wanted: Tensor, options: Hyperparameters) -> Tensor:
    """Smoothing goes over the places that could be chosen: none of the others is ever likely."""
    plain = functional.cross_entropy(logits, wanted, reduction="sum")
    share = smoothing(options)
    if not share:
        return plain
    choices = logits > -1e4
    logs = functional.log_softmax(logits, dim=1).masked_fill(~choices, 0.0)
    even = -(logs.sum(dim=1) / choices.sum(dim=1)).sum()
    return (1 - share) * plain + share * even


def _place(example: Example, spans: Sequence[tuple[int, int]], feature: Feature) -> list[int]:
    """Where the first known answer begins and ends in a row; [0, 0] if it is not there, or there is none."""
    if not example.target:
        return [0, 0]
    start = example.target[0]["start"]
    end = start + len(example.target[0]["text"])
    inside = [number for number, span in enumerate(spans) if span[0] < end and span[1] > start]
    of_words = feature["words"]
    if not inside or inside[0] not in of_words or inside[-1] not in of_words:
        return [0, 0]
    first = of_words.index(inside[0])
    last = len(of_words) - 1 - of_words[::-1].index(inside[-1])
    return [first + feature["context"][0], last + feature["context"][0]]


def _texts(example: Example) -> list[str]:
    return [answer["text"] for answer in example.target or []]


def _input(fields: dict[str, Any]) -> dict[str, str]:
    for name in ("question", "context"):
        if not isinstance(fields.get(name), str) or not words(fields[name]):
            raise BadExample(f'"{name}" should be a text that is not empty.')
    return {"question": fields["question"], "context": fields["context"]}


def _answer(context: str, given: Any) -> dict[str, Any]:
    if not isinstance(given, dict) or not isinstance(given.get("text"), str) or not given["text"].strip():
        raise BadExample('Each of "answers" should be {"text", "start"}.')
    text, start = given["text"], given.get("start", given.get("answer_start"))
    if not isinstance(start, int) or context[start : start + len(text)] != text or start < 0:
        found = context.find(text)
        hint = f"it is at {found}" if found >= 0 else "the context does not have it"
        raise BadExample(f"The answer {text!r} is not at character {start!r} of the context; {hint}.")
    return {"text": text, "start": start}
