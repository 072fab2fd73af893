"""LoRA and its relatives, by peft: small matrices that learn beside frozen weights.

model.backbone becomes peft's model around the one that it was, until the adapters are merged.
"""

import warnings
from typing import Any

from torch import nn

from zhuli.learning.neural.adapted import is_adapted, merge
from zhuli.learning.training.failures import TuningFailed
from zhuli.types.learning.hyperparameters import Hyperparameters, Lora

ADAPTER_WEIGHTS = ("lora_", "ia3_")
"""What peft calls the weights that learn, DoRA's magnitudes included."""


def with_adapters(model: Any, options: Hyperparameters) -> None:
    """Freeze the backbone and put adapters into it; the head learns as before.

    Adapters that a tuned base already has learn on if they are to stay adapters; else they are merged and new ones made.
    """
    if is_adapted(model.backbone) and not options.lora.merge:
        for name, parameter in model.backbone.named_parameters():
            parameter.requires_grad_(any(part in name for part in ADAPTER_WEIGHTS))
        return
    merge(model)
    backbone = model.backbone
    try:
        model.backbone = _adapted(backbone, options.lora)
    except ValueError as error:
        raise TuningFailed(
            "invalid_hyperparameters",
            f"There are no layers {options.lora.target_modules!r} to adapt in this model. Choose auto, all-linear, or "
            f"names among: {', '.join(_linear_names(backbone))}.",
            param="hyperparameters.lora.target_modules",
        ) from error


def _adapted(backbone: Any, lora: Lora) -> Any:
    from peft import get_peft_model  # takes seconds

    with warnings.catch_warnings():
        # peft asks transformers by a name that will go.
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
        return get_peft_model(backbone, _config(backbone, lora))


def _config(backbone: Any, lora: Lora) -> Any:
    from peft import IA3Config, LoraConfig

    kind = "FEATURE_EXTRACTION"
    if backbone.can_generate():
        kind = "SEQ_2_SEQ_LM" if backbone.config.is_encoder_decoder else "CAUSAL_LM"
    targets: Any = None if lora.target_modules == "auto" else lora.target_modules
    if lora.variant == "ia3":
        return IA3Config(task_type=kind, target_modules=targets, feedforward_modules=None if targets is None else [])
    return LoraConfig(
        task_type=kind,
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=targets,
        use_rslora=lora.variant == "rslora",
        use_dora=lora.variant == "dora",
        init_lora_weights="pissa" if lora.variant == "pissa" else True,
    )


def _linear_names(backbone: nn.Module) -> list[str]:
    return sorted(
        {name.rpartition(".")[2] for name, module in backbone.named_modules() if isinstance(module, nn.Linear)}
    )
