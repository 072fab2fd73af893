"""LoRA and its relatives, by peft: small matrices that learn beside frozen weights.

The layers of model.backbone are replaced in place, so that the backbone stays the Hugging Face model that it was; peft's
own view of it is model.adapters, for save_pretrained(), and is no part of the module's weights.
"""

from typing import Any

from peft import IA3Config, LoraConfig, PeftConfig, PeftModel, get_peft_model
from torch import nn

from zhuli.training.failures import TuningFailed
from zhuli.types.hyperparameters import Hyperparameters, Lora


def with_adapters(model: Any, options: Hyperparameters) -> None:
    """Freeze the backbone and put adapters into it; the head learns as before."""
    backbone = model.backbone
    try:
        peft_model = get_peft_model(backbone, _config(backbone, options.lora))
    except ValueError as error:
        raise TuningFailed(
            "invalid_hyperparameters",
            f"There are no layers {options.lora.target_modules!r} to adapt in this model. Choose auto, all-linear, or "
            f"names among: {', '.join(_linear_names(backbone))}.",
            param="hyperparameters.lora.target_modules",
        ) from error
    model.backbone = backbone
    _hold(model, peft_model)


def has_adapters(model: Any) -> bool:
    return getattr(model, "adapters", None) is not None


def merged(model: Any) -> None:
    """Add the adapters to the weights that they adapt, in place; afterwards the model is a plain one."""
    if has_adapters(model):
        model.backbone = model.adapters.merge_and_unload()
        _hold(model, None)


def _hold(model: nn.Module, peft_model: PeftModel | None) -> None:
    """Past torch's registration, which would count every weight twice."""
    object.__setattr__(model, "adapters", peft_model)


def _config(backbone: Any, lora: Lora) -> PeftConfig:
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
    return sorted({name.rpartition(".")[2] for name, module in backbone.named_modules() if isinstance(module, nn.Linear)})
