"""Preference: from pairs of a better and a worse answer, by direct preference optimisation (DPO).

The reference is the model before its first step. In full precision, what it says of the training pairs is asked once, before that
step. In mixed precision a copy of it is kept and asked with each batch: there the same row says something else in another batch,
and the base something else than its parts (PiSSA's), by more than a step changes, and a loss that does not begin at ln 2 would
learn from rounding. Whoever has neither asks the base.
"""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zhuli.core.errors import ConfigurationError
from zhuli.learning.metrics import generated
from zhuli.learning.metrics.measured import Measured, means
from zhuli.learning.neural.language_models import language_model
from zhuli.learning.neural.language_models.chat_features import IGNORED
from zhuli.learning.neural.language_models.conversations import conversation, learnable, said, shown, tools_of
from zhuli.learning.neural.language_models.language_model import LanguageModel
from zhuli.learning.neural.language_models.preference_loss import preferred
from zhuli.learning.neural.language_models.writing_task import Messages, WritingTask, learned_row
from zhuli.learning.neural.padding import mask, padded
from zhuli.models.engines.told_tools import told
from zhuli.ports import Loss
from zhuli.types.learning.example import BadExample, Example, Feature, Metrics, Prediction, Record

REFERENCE_BATCH = 8
"""Pairs at a time, of like length."""


class Plugin(WritingTask):
    """input: {"messages", "tools"}; target: {"preferred", "non_preferred"}, messages each. state: "reference", a folder."""

    metric = "reward_accuracy"
    answer_key = "generated_text"
    _reference: LanguageModel | None = None

    def read(self, record: Record) -> Example:
        """{"input": {"messages", "tools"?}, "preferred_output": […], "non_preferred_output": […]}."""
        given = record.fields.get("input")
        if not isinstance(given, dict):
            raise BadExample('"input" should be an object like {"messages": [{"role": "user", "content": "…"}]}.')
        messages = conversation(given.get("messages"), at="input.messages")
        outputs = {name: self._output(record, f"{name}_output") for name in ("preferred", "non_preferred")}
        if outputs["preferred"] == outputs["non_preferred"]:
            raise BadExample('"preferred_output" and "non_preferred_output" are the same; they should differ.')
        return Example({"messages": messages, "tools": tools_of(given.get("tools"))}, outputs, line=record.line)

    def ask(self, given: Any) -> Example:
        fields = given if isinstance(given, dict) else {"messages": given}
        return Example({"messages": conversation(fields.get("messages")), "tools": tools_of(fields.get("tools"))})

    def text_of(self, example: Example) -> str:
        return shown(example.input["messages"])

    def asked(self, example: Example) -> tuple[Messages, list[dict[str, Any]]]:
        messages, tools = example.input["messages"], example.input["tools"]
        return (messages, tools) if self.chats.knows_tools else (told(messages, tools)[0], [])

    def source(self, example: Example) -> str:
        return shown(example.input["messages"])

    def references(self, example: Example) -> list[str]:
        return ["\n".join(said(message) for message in example.target["preferred"])]

    def begin(self, base: Path, examples: Sequence[Example]) -> LanguageModel:
        model = super().begin(base, examples)
        self.state["reference"] = str(base)
        return model

    def prepare(self, model: LanguageModel, features: Sequence[Feature]) -> None:
        """Each feature gets "reference": the untrained model's log-likelihood of the better and of the worse answer.

        In mixed precision the model itself is kept instead.
        """
        where = next(model.parameters()).device
        if torch.is_autocast_enabled(where.type):
            self._reference = copy.deepcopy(model).requires_grad_(False).eval()
            return
        order = sorted(range(len(features)), key=lambda number: len(features[number]["input_ids"]))
        for start in range(0, len(order), REFERENCE_BATCH):
            numbers = order[start : start + REFERENCE_BATCH]
            pairs = self._pairs([features[number] for number in numbers])
            batch = {name: tensor.to(where) for name, tensor in pairs.items()}
            better, worse = self._log_likelihoods(model, batch)
            for number, *both in zip(numbers, better.tolist(), worse.tolist(), strict=True):
                features[number]["reference"] = both

    def features(self, example: Example, *, learn: bool) -> list[Feature]:
        """learn: {"input_ids", "labels"} of the better answer, {"worse_ids", "worse_labels"}; otherwise beside the prompt."""
        pair = self._pair(example) if example.target is not None else {}
        if learn:
            return [pair]
        text = super().features(Example(example.input), learn=False)[0]
        names = {"input_ids": "better_ids", "labels": "better_labels"}
        return [text | {names.get(name, name): row for name, row in pair.items()}]

    def collate(self, features: Sequence[Feature]) -> dict[str, Tensor]:
        if "labels" in features[0]:
            return self._pairs(features)
        batch = super().collate(features)
        if all("better_ids" in feature for feature in features):
            names = {"better_ids": "input_ids", "better_labels": "labels"}
            pairs = self._pairs([{names.get(name, name): row for name, row in pair.items()} for pair in features])
            batch |= {f"pair_{name}": tensor for name, tensor in pairs.items()}
        return batch

    def loss(self, model: LanguageModel, batch: dict[str, Tensor], hidden: Tensor | None = None) -> Loss:
        better, worse = self._log_likelihoods(model, batch)
        smoothing = self.options.label_smoothing
        found = preferred(
            better,
            worse,
            self._reference_of(batch, better.device),
            beta=self._beta,
            smoothing=0.0 if smoothing == "auto" else smoothing,
        )
        return Loss(found.total, len(better), found.right)

    def outputs(self, model: LanguageModel, batch: dict[str, Tensor]) -> list[dict[str, Any]]:
        """Of each row {"tokens": that were written, "known": None, "margin": of rewards, "likelier": than the worse one}."""
        written = super().outputs(model, batch)
        if "pair_labels" not in batch:
            return written
        pairs = {name.removeprefix("pair_"): tensor for name, tensor in batch.items() if name.startswith("pair_")}
        better, worse = self._log_likelihoods(model, pairs)
        reference = self._of_reference(pairs, better.device)
        margins = None if reference is None else preferred(better, worse, reference, beta=self._beta).margins.tolist()
        for number, output in enumerate(written):
            output["likelier"] = bool(better[number] > worse[number])
            output["margin"] = None if margins is None else margins[number]
        return written

    def predict(
        self, examples: Sequence[Example], features: Sequence[Sequence[Feature]], outputs: Sequence[Sequence[Any]]
    ) -> list[Prediction]:
        """[{"generated_text"}]; beside it, where a pair is known, "pair": {"margin" of rewards, "likelier"}."""
        predictions = super().predict(examples, features, outputs)
        for prediction, (output,) in zip(predictions, outputs, strict=True):
            if "likelier" in output:
                prediction[0]["pair"] = {name: output[name] for name in ("margin", "likelier")}
        return predictions

    def measure(self, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Metrics:
        """Of pairs: reward_accuracy (a tie is a half) and reward_margin against the reference; likelier, the share whose
        better answer is the likelier one. Of what is written: bleu, chrf, rougeL, exact, against the better answer."""
        language = self.state.get("language", "en")
        references = [self.references(example) for example in examples]
        found = generated.scores(references, self.texts(predictions), language=language, kind="dialogue")
        pairs = [prediction[0].get("pair") for prediction in predictions]
        if not pairs or any(pair is None for pair in pairs):
            return found
        sums = [means(likelier=[float(pair["likelier"]) for pair in pairs])]
        margins = [pair["margin"] for pair in pairs]
        if None not in margins:
            right = [0.5 if margin == 0 else float(margin > 0) for margin in margins]
            sums.append(means(reward_accuracy=right, reward_margin=margins))
        return Measured(sums).joined(found)

    @property
    def _beta(self) -> float:
        return 0.1 if self.options.beta == "auto" else self.options.beta

    def _output(self, record: Record, name: str) -> Messages:
        messages = conversation(record.fields.get(name), at=name)
        if messages[0]["role"] != "assistant":
            raise BadExample(f'"{name}" should be a list with a message of the role "assistant".')
        learnable([{"role": "user", "content": ""}, *messages], at=name)
        return messages

    def _pair(self, example: Example) -> Feature:
        if self._encoder_decoder:
            raise BadExample(
                "Preferences are learned by language models that chat, not by sequence-to-sequence models."
            )
        better, worse = (self._row(example, name) for name in ("preferred", "non_preferred"))
        return {**better, **{f"worse_{name.removeprefix('input_')}": tokens for name, tokens in worse.items()}}

    def _row(self, example: Example, name: str) -> Feature:
        asked, answer = example.input["messages"], example.target[name]
        messages, tools = [*asked, *answer], example.input["tools"]
        numbers = [number + len(asked) for number, message in enumerate(answer) if message["role"] == "assistant"]
        if not self.chats.knows_tools:
            messages, numbers = told(messages, tools, numbers)
            tools = []
        return learned_row(self.chats.rows(messages, numbers[-1:], tools)[0])

    def _pairs(self, features: Sequence[Feature]) -> dict[str, Tensor]:
        """All better answers, then all worse ones."""
        rows = [feature[name] for name in ("input_ids", "worse_ids") for feature in features]
        labels = [feature[name] for name in ("labels", "worse_labels") for feature in features]
        batch = {
            "input_ids": padded(rows, self._tokenizer.pad_token_id),
            "attention_mask": mask(rows),
            "labels": padded(labels, IGNORED),
        }
        if "reference" in features[0]:
            batch["reference"] = torch.tensor([feature["reference"] for feature in features])
        return batch

    def _log_likelihoods(self, model: LanguageModel, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        sums, _ = language_model.log_likelihoods(model, batch)
        better, worse = sums.chunk(2)
        return better, worse

    def _reference_of(self, batch: dict[str, Tensor], device: torch.device) -> Tensor:
        """Of a batch that is learned from, pairs × 2: as prepare() found it, or asked in the precision of this moment."""
        if "reference" in batch:
            return batch["reference"]
        with torch.no_grad():
            asked = self._of_reference(batch, device)
        if asked is None:
            raise ConfigurationError("The base that this model began with is not there any more, to learn against.")
        return asked

    def _of_reference(self, pairs: dict[str, Tensor], device: torch.device) -> Tensor | None:
        """Pairs × 2; None where the base is not there any more, as on another machine."""
        folder = Path(self.state.get("reference", ""))
        if self._reference is None and folder.is_dir() and self.state.get("reference"):
            self._reference = language_model.opened(folder).to(device).eval()
        if self._reference is None:
            return None
        return torch.stack(self._log_likelihoods(self._reference, pairs), dim=1)
