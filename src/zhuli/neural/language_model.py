"""A language model as it is tuned: a Hugging Face model, its loss, and the likelihood of texts.

The output layer is most of a small model's arithmetic. Where it is a plain matrix, it is computed at learned positions
only; the loss is the same.
"""

import copy
from pathlib import Path
from typing import Any, NamedTuple

import torch
from peft import PeftConfig, PeftModel
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

from zhuli.core.errors import ConfigurationError
from zhuli.neural.chat_features import IGNORED

ADAPTER = "adapter_config.json"
"""In the folder of an adapter that lies beside its base."""

Batch = dict[str, Any]


class Learned(NamedTuple):
    """total: of the loss over `tokens` learned tokens. right: how many of them the model would have written itself."""

    total: Tensor
    tokens: int
    right: int


class LanguageModel(nn.Module):
    """backbone: a causal or sequence-to-sequence model of transformers, with adapters in its layers or without.

    adapters: peft's view of the backbone while it has some; no part of the module's weights. stands_alone: whether the
    backbone was something else than what its folder has, so that adapters beside that folder would not be enough.
    """

    adapters: Any = None
    stands_alone: bool = False

    def __init__(self, backbone: Any) -> None:
        super().__init__()
        self.backbone = backbone
        self._plain_output: bool | None = None

    @property
    def encoder_decoder(self) -> bool:
        return bool(self.backbone.config.is_encoder_decoder)

    def hidden(self, batch: Batch) -> Tensor:
        """What the output layer of a causal model reads: rows × tokens × width."""
        read = self.backbone.base_model(
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
            return self.backbone.get_output_embeddings()(hidden[:, :-1][places]), wanted[places]
        read = self.backbone(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], use_cache=False)
        return read.logits[:, :-1][places], wanted[places]

    def _foretold_by_decoder(self, batch: Batch) -> tuple[Tensor, Tensor]:
        labels = batch["labels"]
        read = self.backbone(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            decoder_input_ids=self.backbone.prepare_decoder_input_ids_from_labels(labels=labels),
            use_cache=False,
        )
        places = labels != IGNORED
        return read.logits[places], labels[places]

    def _has_plain_output(self) -> bool:
        """Some models scale or cap their logits (Gemma 2, Granite, Cohere): tried once, instead of known by name."""
        if self._plain_output is None:
            training = self.training
            self.eval()
            probe = torch.arange(4, device=self.backbone.device)[None]
            with torch.no_grad():
                batch = {"input_ids": probe, "attention_mask": torch.ones_like(probe)}
                plain = self.backbone.get_output_embeddings()(self.hidden(batch))
                self._plain_output = torch.allclose(plain, self.backbone(**batch, use_cache=False).logits, atol=1e-4)
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
    """From a Hugging Face folder in full precision. An adapter's folder names its base; both come as one model."""
    if not (folder / ADAPTER).exists():
        return LanguageModel(_opened(folder))
    base = Path(str(PeftConfig.from_pretrained(str(folder)).base_model_name_or_path))
    if not base.exists():
        raise ConfigurationError(f"{folder} has an adapter for the base in {base}, which is not there any more.")
    peft_model = PeftModel.from_pretrained(_opened(base), str(folder))
    model = LanguageModel(peft_model.get_base_model())
    object.__setattr__(model, "adapters", peft_model)  # past torch's registration, which would count weights twice
    return model


def opened_to_learn_more(folder: Path) -> LanguageModel:
    """The same with adapters merged, so that the tuned model is a base like any other."""
    found = opened(folder)
    if found.adapters is None:
        return found
    model = LanguageModel(found.adapters.merge_and_unload())
    model.stands_alone = True
    return model


def save(model: LanguageModel, folder: Path) -> None:
    """As a whole, or the adapters alone where there are some that lie beside a base."""
    if model.adapters is None:
        model.backbone.save_pretrained(folder)
    elif model.stands_alone:
        copy.deepcopy(model.adapters).merge_and_unload().save_pretrained(folder)
    else:
        model.adapters.save_pretrained(str(folder), save_embedding_layers=False)


def _opened(folder: Path) -> Any:
    config = AutoConfig.from_pretrained(folder)
    kind = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    return kind.from_pretrained(folder, dtype=torch.float32)
