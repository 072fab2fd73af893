"""An encoder with a head, and its files: Hugging Face's for the encoder, head.safetensors for the head."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoTokenizer
from transformers.models.auto.modeling_auto import MODEL_MAPPING

from zhuli.learning.neural.adapted import ADAPTER, base_of, with_adapters_of
from zhuli.learning.neural.encoders.linear_head import LinearHead
from zhuli.learning.neural.quiet import quietly

HEAD = "head.safetensors"

_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class EncoderModel(nn.Module):
    """backbone: an encoder of transformers, or peft's model around one. head: reads what the encoder says."""

    def __init__(self, backbone: Any, head: LinearHead) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    @property
    def width(self) -> int:
        """Numbers that the encoder says of each token."""
        return int(self.backbone.config.hidden_size)

    def hidden(self, batch: Mapping[str, Any]) -> Tensor:
        """rows × tokens × width."""
        given = {name: batch[name] for name in _INPUTS if name in batch}
        said: Tensor = self.backbone(**given).last_hidden_state
        return said


def opened_backbone(folder: Path) -> Any:
    """The encoder in a Hugging Face folder in 32 bits, with its adapters if it has any; without a pooler."""
    with quietly():
        if (folder / ADAPTER).exists():
            return with_adapters_of(folder, opened_backbone(base_of(folder))).eval()
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        extra = {"add_pooling_layer": False} if _may_have_pooler(config) else {}
        return AutoModel.from_pretrained(folder, config=config, dtype=torch.float32, local_files_only=True, **extra)


def opened_tokenizer(folder: Path) -> Any:
    """The tokenizer in the folder; nothing is downloaded."""
    return AutoTokenizer.from_pretrained(folder, local_files_only=True)


def opened_head(folder: Path) -> LinearHead:
    """The head that save() wrote."""
    tensors = load_file(folder / HEAD)
    outputs, width = tensors["linear.weight"].shape
    head = LinearHead(width, outputs)
    head.load_state_dict(tensors)
    return head


def save(model: EncoderModel, tokenizer: Any, folder: Path) -> None:
    """Write encoder, tokenizer and head into the folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    with quietly():
        model.backbone.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    tensors = {name: tensor.contiguous().cpu() for name, tensor in model.head.state_dict().items()}
    save_file(tensors, folder / HEAD)


def _may_have_pooler(config: Any) -> bool:
    kind: Any = MODEL_MAPPING[type(config)]
    kind = kind[0] if isinstance(kind, tuple) else kind
    return "add_pooling_layer" in inspect.signature(kind).parameters
