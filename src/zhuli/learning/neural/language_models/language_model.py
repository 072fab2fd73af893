"""A language model as it is tuned: a Hugging Face model, its loss, and the likelihood of texts.

The output layer is most of a small model's arithmetic. Where it is a plain matrix, it is computed at learned positions
only; the loss is the same.
"""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

from zhuli.core.errors import ConfigurationError
from zhuli.learning.neural.adapted import ADAPTER, base_of, is_adapted, with_adapters_of
from zhuli.learning.neural.language_models.chat_features import IGNORED
from zhuli.learning.neural.quiet import quietly

Batch = dict[str, Any]


class Learned(NamedTuple):
    """total: of the loss over `tokens` learned tokens. right: how many of them the model would have written itself."""

    total: Tensor
    tokens: int
    right: int


class LanguageModel(nn.Module):
    """backbone: a causal or sequence-to-sequence model of transformers, or one of peft's around it."""

    def __init__(self, backbone: Any) -> None:
        super().__init__()
        self.backbone = backbone
        self._plain_output: bool | None = None

    @property
    def base(self) -> Any:
        """The model without peft's shell; adapters in its layers stay."""
        return self.backbone.get_base_model() if is_adapted(self.backbone) else self.backbone

    @property
    def encoder_decoder(self) -> bool:
        return bool(self.base.config.is_encoder_decoder)

    def hidden(self, batch: Batch) -> Tensor:
        """What the output layer of a causal model reads: rows × tokens × width."""
        read = self.base.base_model(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], use_cache=False
        )
        hidden: Tensor = read.last_hidden_state
        return hidden

    def foretold(self, batch: Batch, hidden: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Logits, positions × vocabulary, and the tokens that are learned there, in the order of the rows."""
        if self.encoder_decoder:
            return self._foretold_by_decoder(batch)
        wanted = batch["labels"][:, 1:]
        places = wanted != IGNORED
        if self._has_plain_output():
            hidden = self.hidden(batch) if hidden is None else hidden
            return self.base.get_output_embeddings()(hidden[:, :-1][places]), wanted[places]
        read = self.base(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], use_cache=False)
        return read.logits[:, :-1][places], wanted[places]

    def _foretold_by_decoder(self, batch: Batch) -> tuple[Tensor, Tensor]:
        labels = batch["labels"]
        read = self.base(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            decoder_input_ids=self.base.prepare_decoder_input_ids_from_labels(labels=labels),
            use_cache=False,
        )
        places = labels != IGNORED
        return read.logits[places], labels[places]

    def _has_plain_output(self) -> bool:
        """Some models scale or cap their logits (Gemma 2, Granite, Cohere): tried once, instead of known by name.

        In full precision wherever it is asked first: in bf16 a scale near 1 would not be seen.
        """
        if self._plain_output is None:
            training = self.training
            self.eval()
            probe = torch.arange(4, device=self.base.device)[None]
            with torch.no_grad(), torch.autocast(self.base.device.type, enabled=False):
                batch = {"input_ids": probe, "attention_mask": torch.ones_like(probe)}
                plain = self.base.get_output_embeddings()(self.hidden(batch))
                self._plain_output = torch.allclose(plain, self.base(**batch, use_cache=False).logits, atol=1e-4)
            self.train(training)
        return self._plain_output


def loss(model: LanguageModel, batch: Batch, *, smoothing: float = 0.0, hidden: Tensor | None = None) -> Learned:
    """Cross entropy summed over the learned tokens, with label smoothing after Szegedy et al. (2016)."""
    logits, wanted = model.foretold(batch, hidden)
    total = functional.cross_entropy(logits.float(), wanted, label_smoothing=smoothing, reduction="sum")
    right = int((logits.detach().argmax(-1) == wanted).sum())
    return Learned(total, len(wanted), right)


def log_likelihoods(model: LanguageModel, batch: Batch) -> tuple[Tensor, Tensor]:
    """Of each row's learned tokens together, and how many of them the model would have written itself."""
    logits, wanted = model.foretold(batch)
    each = -functional.cross_entropy(logits.float(), wanted, reduction="none")
    rows = _row_of_learned(model, batch["labels"])
    sums = torch.zeros(len(batch["labels"]), device=each.device).index_add(0, rows, each)
    hits = torch.zeros_like(sums).index_add(0, rows, (logits.detach().argmax(-1) == wanted).float())
    return sums, hits


def learned_tokens(model: LanguageModel, labels: Tensor) -> Tensor:
    """How many tokens of each row are learned."""
    return torch.bincount(_row_of_learned(model, labels), minlength=len(labels))


def _row_of_learned(model: LanguageModel, labels: Tensor) -> Tensor:
    """A causal model foretells nothing before its first token."""
    learned = labels if model.encoder_decoder else labels[:, 1:]
    return (learned != IGNORED).nonzero()[:, 0]


def opened(folder: Path) -> LanguageModel:
    """From a Hugging Face folder in full precision. An adapter's folder names its base, which comes along."""
    if not (folder / ADAPTER).exists():
        return LanguageModel(_opened(folder))
    base = base_of(folder)
    if not base.exists():
        raise ConfigurationError(f"{folder} has an adapter for the base in {base}, which is not there any more.")
    with quietly():
        return LanguageModel(with_adapters_of(folder, _opened(base)))


def save(model: LanguageModel, folder: Path) -> None:
    """As a whole, or the adapters alone while there are some."""
    kept = {"save_embedding_layers": False} if is_adapted(model.backbone) else {}
    with quietly():
        model.backbone.save_pretrained(str(folder), **kept)


def _opened(folder: Path) -> Any:
    config = AutoConfig.from_pretrained(folder)
    kind = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    with quietly():
        return kind.from_pretrained(folder, dtype=torch.float32)
