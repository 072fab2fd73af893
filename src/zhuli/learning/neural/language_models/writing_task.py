"""What the tasks share whose answer a language model writes: dialogue, translation, summarization, preference.

The plugin of a task says how its examples become conversations and how its answers are measured. A sequence-to-sequence
model reads the text alone that is asked about, without a template.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from torch import Tensor
from transformers import AutoTokenizer

from zhuli.learning.metrics import perplexity
from zhuli.learning.metrics.measured import Measured
from zhuli.learning.neural import adapted
from zhuli.learning.neural.language_models import language_model
from zhuli.learning.neural.language_models.chat_features import IGNORED, Chats, Row
from zhuli.learning.neural.language_models.generation import greedy
from zhuli.learning.neural.language_models.instructions import language_of
from zhuli.learning.neural.language_models.language_model import LanguageModel, Learned
from zhuli.learning.neural.padding import mask, padded
from zhuli.types.learning.example import Example, Feature, Metrics, Prediction
from zhuli.types.learning.hyperparameters import Hyperparameters

LONGEST_ANSWER = 512
"""New tokens, whatever the training targets are like."""

_SPARE = 1.25
"""Times the longest target: how much longer an answer may get."""

_COUNTED_TARGETS = 2000
_DEFAULT_LENGTH = 1024

Messages = list[dict[str, Any]]


def learned_row(row: Row) -> Feature:
    """With a mark where something was left out."""
    feature: Feature = {"input_ids": row.input_ids, "labels": row.labels}
    return feature | {"cut": [1]} if row.cut else feature


class WritingTask:
    """Most of ports.Task. state: language, of the answers; max_new_tokens; and what a task's started() adds."""

    generates: ClassVar[bool] = True
    untrained: ClassVar[Literal["majority", "model"]] = "model"
    answer_key: ClassVar[str]
    """Of the text in a prediction, as the Hugging Face pipeline calls it."""
    chats: Chats
    """From begin() or open() on."""

    def __init__(self, options: Hyperparameters, state: dict[str, Any]) -> None:
        self.options = options
        self.state = dict(state)
        self._tokenizer: Any = None
        self._encoder_decoder = False

    # What a task says of its examples.

    def asked(self, example: Example) -> tuple[Messages, list[dict[str, Any]]]:
        """The conversation up to where the model speaks, and its tools."""
        raise NotImplementedError

    def learned(self, example: Example) -> tuple[Messages, list[int], list[dict[str, Any]]]:
        """The conversation with its answer, which of its messages are learned, and its tools."""
        raise NotImplementedError

    def source(self, example: Example) -> str:
        """What a sequence-to-sequence model reads."""
        raise NotImplementedError

    def references(self, example: Example) -> list[str]:
        """Right answers; the first is learned."""
        raise NotImplementedError

    def started(self, examples: Sequence[Example]) -> None:
        """Add to the state of a new model what the examples say."""

    # The port.

    def labels_of(self, example: Example) -> list[str]:
        return []

    def begin(self, base: Path, examples: Sequence[Example]) -> LanguageModel:
        model = language_model.opened(base)
        if self.options.trainable != "lora":
            adapted.merge(model)
        self._read_with(base, model)
        answers = [self.references(example)[0] for example in examples[:_COUNTED_TARGETS]]
        self.state.setdefault("language", language_of(answers))
        self.state["max_new_tokens"] = max(self.state.get("max_new_tokens", 0), self._room_for(answers))
        self.started(examples)
        return model

    def open(self, folder: Path) -> LanguageModel:
        model = language_model.opened(folder)
        self._read_with(folder, model)
        return model

    def save(self, model: LanguageModel, folder: Path) -> None:
        language_model.save(model, folder)
        self._tokenizer.save_pretrained(folder)

    def prepare(self, model: LanguageModel, features: Sequence[Feature]) -> None:
        """Nothing: what is learned depends on the data alone."""

    def features(self, example: Example, *, learn: bool) -> list[Feature]:
        """learn: {"input_ids", "labels"}. Otherwise what is asked as "input_ids", and what is known of the answer.

        The answer that is known comes as "known_ids" and "known_labels". A row that is "silent" is asked nothing.
        """
        if self._encoder_decoder:
            return self._texts(example, learn=learn)
        if learn:
            return [learned_row(row) for row in self._rows(example)]
        messages, tools = self.asked(example)
        most = self.max_length - self.state["max_new_tokens"]
        asked: Feature = {"input_ids": self.chats.prompt(messages, tools, most=most)}
        if example.target is None:
            return [asked]
        known = [{"known_ids": row.input_ids, "known_labels": row.labels} for row in self._rows(example)]
        silent = [{"input_ids": asked["input_ids"][-1:], "silent": [1], **row} for row in known[1:]]
        return [asked | (known[0] if known else {}), *silent]

    def collate(self, features: Sequence[Feature]) -> dict[str, Tensor]:
        pad, left = self._tokenizer.pad_token_id, not self._encoder_decoder
        rows = [feature["input_ids"] for feature in features]
        if "labels" in features[0]:
            labels = padded([feature["labels"] for feature in features], IGNORED)
            return {"input_ids": padded(rows, pad), "attention_mask": mask(rows), "labels": labels}
        batch = {"input_ids": padded(rows, pad, left=left), "attention_mask": mask(rows, left=left)}
        batch["silent"] = padded([feature.get("silent", [0]) for feature in features], 0)[:, 0]
        if any("known_labels" in feature for feature in features):
            known = [feature["known_ids" if "known_ids" in feature else "input_ids"] for feature in features]
            batch["known_ids"], batch["known_mask"] = padded(known, pad), mask(known)
            batch["labels"] = padded([feature.get("known_labels", [IGNORED]) for feature in features], IGNORED)
        return batch

    def encode(self, model: LanguageModel, batch: dict[str, Tensor]) -> Tensor:
        return model.hidden(batch)

    def learned_from(self, model: LanguageModel, batch: dict[str, Tensor], hidden: Tensor | None) -> Learned:
        """The loss of a batch of learning features."""
        smoothing = self.options.label_smoothing
        return language_model.loss(model, batch, smoothing=0.0 if smoothing == "auto" else smoothing, hidden=hidden)

    def outputs(self, model: LanguageModel, batch: dict[str, Tensor]) -> list[dict[str, Any]]:
        """Of each row {"tokens": that were written, None for a silent one, "known": of the answer, if there is one}."""
        speaking = (batch["silent"] == 0).nonzero()[:, 0]
        asked = batch["input_ids"][speaking], batch["attention_mask"][speaking]
        pad, most = self._tokenizer.pad_token_id, self.state["max_new_tokens"]
        written = greedy(model.base, *asked, stops=self._stops, pad=pad, most=most) if len(speaking) else []
        said: list[dict[str, Any]] = [{"tokens": None, "known": known} for known in self._known(model, batch)]
        for number, tokens in zip(speaking.tolist(), written, strict=True):
            said[number]["tokens"] = tokens
        return said

    def predict(
        self, examples: Sequence[Example], features: Sequence[Sequence[Feature]], outputs: Sequence[Sequence[Any]]
    ) -> list[Prediction]:
        """[{answer_key: text}]; beside it, where the right answer is known, "likelihood": how well it was foretold."""
        return [self._prediction(said) for said in outputs]

    def measure(self, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Metrics:
        raise NotImplementedError

    def majority(self, examples: Sequence[Example]) -> Prediction:
        counted = Counter(self.references(example)[0] for example in examples)
        return [{self.answer_key: counted.most_common(1)[0][0] if counted else ""}]

    # Ours.

    @property
    def max_length(self) -> int:
        """Tokens that the model reads at once."""
        return _DEFAULT_LENGTH if self.options.max_length == "auto" else self.options.max_length

    def texts(self, predictions: Sequence[Prediction]) -> list[str]:
        """What was written, prediction by prediction."""
        return [prediction[0][self.answer_key] for prediction in predictions]

    def likelihoods(self, predictions: Sequence[Prediction]) -> Measured:
        """loss, perplexity and token_accuracy; nothing where they are not known of every prediction."""
        known = [prediction[0].get("likelihood") for prediction in predictions]
        if not known or any(entry is None for entry in known):
            return Measured([])
        columns = [[entry[name] for entry in known] for name in ("loss", "tokens", "right")]
        return perplexity.scores(*columns)

    def _read_with(self, folder: Path, model: LanguageModel) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._encoder_decoder = model.encoder_decoder
        if self._tokenizer.pad_token_id is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        self.chats = Chats(self._tokenizer, max_length=self.max_length)
        self._stops = [self._tokenizer.eos_token_id] if self._encoder_decoder else self.chats.stops()

    def _room_for(self, answers: Sequence[str]) -> int:
        longest = max((len(self._tokenizer(answer)["input_ids"]) for answer in answers), default=0)
        return min(int(longest * _SPARE) + 8, LONGEST_ANSWER, self.max_length // 2)

    def _rows(self, example: Example) -> list[Row]:
        messages, numbers, tools = self.learned(example)
        return self.chats.rows(messages, numbers, tools)

    def _texts(self, example: Example, *, learn: bool) -> list[Feature]:
        """For a sequence-to-sequence model, which ends both texts as its tokenizer does."""
        given = self._tokenizer(self.source(example), truncation=True, max_length=self.max_length)["input_ids"]
        if example.target is None:
            return [{"input_ids": given}]
        reference = self.references(example)[0]
        answer = self._tokenizer(text_target=reference, truncation=True, max_length=self.max_length)["input_ids"]
        return [{"input_ids": given, "labels" if learn else "known_labels": answer}]

    def _known(self, model: LanguageModel, batch: dict[str, Tensor]) -> list[dict[str, Any] | None]:
        if "labels" not in batch:
            return [None] * len(batch["input_ids"])
        given = {"input_ids": batch["known_ids"], "attention_mask": batch["known_mask"], "labels": batch["labels"]}
        sums, right = language_model.log_likelihoods(model, given)
        tokens = language_model.learned_tokens(model, batch["labels"])
        columns = zip((-sums).tolist(), tokens.tolist(), right.tolist(), strict=True)
        return [{"loss": loss, "tokens": count, "right": int(hits)} for loss, count, hits in columns]

    def _prediction(self, said: Sequence[dict[str, Any]]) -> Prediction:
        tokens = next(output["tokens"] for output in said if output["tokens"] is not None)
        answer: dict[str, Any] = {self.answer_key: self._tokenizer.decode(tokens, skip_special_tokens=True).strip()}
        known = [output["known"] for output in said if output["known"] is not None]
        if known:
            answer["likelihood"] = {name: sum(entry[name] for entry in known) for name in ("loss", "tokens", "right")}
        return [answer]
