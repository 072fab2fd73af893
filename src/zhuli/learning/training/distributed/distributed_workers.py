"""Several workers on one training: each takes its rows of every batch, and their gradients are added up.

Any process group of torch.distributed will do; Ray makes one. All workers make the same steps with the same weights, so
that the result is that of one worker, up to the order in which numbers are added.
"""

from collections.abc import Sequence

import torch
import torch.distributed as dist
from torch import Tensor, nn


class WorkerGroup:
    """This worker among the others; alone without a process group."""

    def __init__(self) -> None:
        joined = dist.is_available() and dist.is_initialized()
        self.rank = dist.get_rank() if joined else 0
        self.size = dist.get_world_size() if joined else 1

    def share(self, rows: Sequence[int]) -> list[int]:
        """This worker's rows of a batch; batches are sorted by length, so that shares are of like work."""
        return list(rows[self.rank :: self.size])

    def add(self, numbers: Sequence[float]) -> list[float]:
        """The sums over all workers."""
        if self.size == 1:
            return list(numbers)
        total = torch.tensor(numbers, dtype=torch.float64)
        dist.all_reduce(total)
        return [float(number) for number in total]

    def add_gradients(self, model: nn.Module) -> None:
        """Every learning weight gets the sum of all workers' gradients, in one message."""
        if self.size == 1:
            return
        learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
        for parameter in learning:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        gradients: list[Tensor] = [parameter.grad for parameter in learning if parameter.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        sizes = [gradient.numel() for gradient in gradients]
        for gradient, summed in zip(gradients, torch.split(flat, sizes), strict=True):
            gradient.copy_(summed.view_as(gradient))
