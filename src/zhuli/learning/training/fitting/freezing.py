"""Which weights learn, and how many of a network's units rest while they do."""

from typing import Any

from torch import nn

from zhuli.learning.training.failures import TuningFailed
from zhuli.types.learning.hyperparameters import Hyperparameters


def what_learns(model: Any, options: Hyperparameters) -> None:
    """Set requires_grad as options.trainable says; with "lora", with_adapters() has said it already."""
    if options.trainable != "lora":
        _freeze(model, options)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise TuningFailed(
            "invalid_hyperparameters",
            f"With trainable = {options.trainable} nothing of this model learns: it has no head of its own. "
            "Choose lora, top or all.",
            param="hyperparameters.trainable",
        )


def set_dropout(model: Any, rate: float) -> None:
    """Everywhere in the model; adapters have their own."""
    for name, module in model.named_modules():
        if isinstance(module, nn.Dropout) and "lora_dropout" not in name:
            module.p = rate
        for attribute in ("attention_dropout", "dropout"):
            if isinstance(getattr(module, attribute, None), float):
                setattr(module, attribute, rate)


def layers_of(backbone: nn.Module) -> list[nn.ModuleList]:
    """The stacks of layers: one of an encoder or a language model, two of an encoder with a decoder."""
    stacks: list[nn.ModuleList] = []
    names: list[str] = []
    for name, module in backbone.named_modules():
        if isinstance(module, nn.ModuleList) and not any(name.startswith(f"{outer}.") for outer in names):
            stacks.append(module)
            names.append(name)
    return stacks


def _freeze(model: Any, options: Hyperparameters) -> None:
    backbone: nn.Module = model.backbone
    everything = options.trainable in ("all", "few_shot")
    for parameter in backbone.parameters():
        parameter.requires_grad_(everything)
    if options.trainable == "top":
        _thaw_top(backbone, int(options.top_layers))
    if options.freeze_embeddings or not everything:
        for module in backbone.modules():
            if isinstance(module, nn.Embedding):
                module.requires_grad_(False)


def _thaw_top(backbone: nn.Module, number: int) -> None:
    """The last layers of each stack, and what stands behind them: the pooler, the last norm."""
    stacks = layers_of(backbone)
    inside = {id(parameter) for stack in stacks for parameter in stack.parameters()}
    seen_layers = False
    for parameter in backbone.parameters():
        seen_layers = seen_layers or id(parameter) in inside
        parameter.requires_grad_(seen_layers and id(parameter) not in inside)
    for stack in stacks:
        for layer in list(stack)[-number:]:
            layer.requires_grad_(True)
