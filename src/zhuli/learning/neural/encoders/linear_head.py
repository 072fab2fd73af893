"""The head of encoder tasks: a linear layer behind dropout, on features that are brought to mean 0 and deviation 1.

Encoders of sentences give small numbers, on which a new layer would learn slowly. The scaling is found once, before the
first step, and is part of the head.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

_SMALLEST_DEVIATION = 1e-4
_DEVIATION_OF_NEW_WEIGHTS = 0.02
"""As BERT's own heads have it."""


class LinearHead(nn.Module):
    """width numbers in, outputs numbers out, for any number of rows."""

    def __init__(self, width: int, outputs: int, *, dropout: float = 0.1) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(width, outputs)
        nn.init.normal_(self.linear.weight, std=_DEVIATION_OF_NEW_WEIGHTS)
        nn.init.zeros_(self.linear.bias)
        self.center: Tensor
        self.scale: Tensor
        self.register_buffer("center", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))

    def forward(self, features: Tensor) -> Tensor:
        said: Tensor = self.linear(self.dropout((features - self.center) * self.scale))
        return said

    def standardise(self, features: Tensor) -> None:
        """From rows × width that are typical of what will come."""
        deviation = features.std(dim=0, unbiased=False).clamp(min=_SMALLEST_DEVIATION)
        self.center.copy_(features.mean(dim=0))
        self.scale.copy_(1 / deviation)

    def grown(self, places: Sequence[int | None]) -> "LinearHead":
        """A head whose outputs are these of the old one, None for a new output."""
        made = LinearHead(self.linear.in_features, len(places), dropout=self.dropout.p)
        with torch.no_grad():
            made.center.copy_(self.center)
            made.scale.copy_(self.scale)
            for place, old in enumerate(places):
                if old is not None:
                    made.linear.weight[place] = self.linear.weight[old]
                    made.linear.bias[place] = self.linear.bias[old]
        return made

    def folded(self) -> tuple[Tensor, Tensor]:
        """Weight and bias of the plain linear layer that does the same."""
        weight = self.linear.weight * self.scale
        return weight.detach(), (self.linear.bias - weight @ self.center).detach()
