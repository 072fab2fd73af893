"""A tuned encoder written once more the way transformers' own heads lie, so that its pipelines read it.

Only heads that are one linear layer on every token: token classification and question answering. A text's one vector has no
place in transformers' classes; sentence-transformers' folders have their own.
"""

import json
from pathlib import Path
from typing import Any, Literal

from safetensors.torch import load_file, save_file

from zhuli.learning.neural.adapted import is_adapted
from zhuli.learning.neural.encoders.encoder_model import EncoderModel

_ARCHITECTURES = {"token-classification": "ForTokenClassification", "question-answering": "ForQuestionAnswering"}
_LAYERS = {"token-classification": "classifier", "question-answering": "qa_outputs"}

_WEIGHTS = "model.safetensors"


def save_with_head(
    model: EncoderModel,
    folder: Path,
    *,
    kind: Literal["token-classification", "question-answering"],
    labels: list[str] | None = None,
) -> None:
    """Add the head to the files that the encoder's save_pretrained() wrote there; nothing for adapters or large models."""
    name = type(model.backbone).__name__
    if is_adapted(model.backbone) or not name.endswith("Model") or not (folder / _WEIGHTS).exists():
        return
    prefix = model.backbone.base_model_prefix
    tensors = {f"{prefix}.{key}": tensor for key, tensor in load_file(folder / _WEIGHTS).items()}
    weight, bias = model.head.folded()
    tensors |= {f"{_LAYERS[kind]}.weight": weight.contiguous(), f"{_LAYERS[kind]}.bias": bias.contiguous()}
    save_file(tensors, folder / _WEIGHTS, metadata={"format": "pt"})
    _write_config(folder / "config.json", name.removesuffix("Model") + _ARCHITECTURES[kind], labels)


def _write_config(path: Path, architecture: str, labels: list[str] | None) -> None:
    config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    config["architectures"] = [architecture]
    if labels is not None:
        config["id2label"] = {str(number): label for number, label in enumerate(labels)}
        config["label2id"] = {label: number for number, label in enumerate(labels)}
    path.write_text(json.dumps(config, ensure_ascii=False, indent=2, sort_keys=True) + "\n", encoding="utf-8")
