"""AdamW and SGD with the step's learning rate, a pure function of the step's number.

Gradients are those of a sum over examples or tokens; step() divides by their number and clips in one pass.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from zhuli.types.learning.hyperparameters import Hyperparameters

ADAM_BETAS = (0.9, 0.999)
ADAM_EPSILON = (
    1e-8  # both as in Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019), and transformers
)


def optimizer_for(model: nn.Module, options: Hyperparameters) -> torch.optim.Optimizer:
    """For what learns; weight decay only on matrices, not on biases, norms and other vectors."""
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": [p for p in learning if p.ndim > 1], "weight_decay": options.weight_decay},
        {"params": [p for p in learning if p.ndim <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    rate = float(options.learning_rate)
    if options.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=float(options.momentum))
    return torch.optim.AdamW(groups, lr=rate, betas=ADAM_BETAS, eps=ADAM_EPSILON, fused=True)


def rate_factor(step: int, *, total: int, options: Hyperparameters) -> float:
    """What the learning rate is multiplied with in step 1 … total: a rise over the warmup, then as scheduled to 0."""
    warmup = math.ceil(float(options.warmup_ratio) * total)
    if step <= warmup:
        return step / warmup
    if options.schedule == "constant":
        return 1.0
    left = (total - step + 1) / (total - warmup)
    return left if options.schedule == "linear" else (1 - math.cos(math.pi * left)) / 2


def step(optimizer: torch.optim.Optimizer, *, weight: float, max_norm: float, rate: float) -> float:
    """Move the weights and clear the gradients; gives the norm of the gradient before clipping.

    With a norm that is no finite number nothing moves.
    """
    gradients: list[Tensor] = []
    for group in optimizer.param_groups:
        group["lr"] = rate
        gradients += [parameter.grad for parameter in group["params"] if parameter.grad is not None]
    norm = float(torch.nn.utils.get_total_norm(gradients)) / weight
    if math.isfinite(norm):
        torch._foreach_mul_(gradients, min(1.0, max_norm / (norm + 1e-6)) / weight)
        optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return norm
