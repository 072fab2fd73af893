"""Where a training stands, in one file that is whole or absent: what learns, the optimizer, the position, the best so far.

Random numbers and the data's order follow from the seed and the position, and need no place. Not a model that could be
used: those are written by training.epoch_models.
"""

import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

FILE = "training.pt"


def write(folder: Path, state: dict[str, Any]) -> None:
    """Replace the checkpoint in `folder`; after any crash there is this one or the one before."""
    folder.mkdir(parents=True, exist_ok=True)
    scratch = folder / f"{FILE}.new"
    with scratch.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(folder / FILE)


def read(folder: Path) -> dict[str, Any] | None:
    """What write() kept in the folder, on the processor; None where there is no checkpoint."""
    path = folder / FILE
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    return state


def learned(model: nn.Module) -> dict[str, Tensor]:
    """A copy of what learns and of what the head was told about its input, by name."""
    return {name: tensor.detach().clone() for name, tensor in _tensors(model).items()}


def put_back(model: nn.Module, weights: dict[str, Tensor]) -> None:
    """Into the model's own tensors, which the optimizer holds."""
    own = _tensors(model)
    with torch.no_grad():
        for name, value in weights.items():
            own[name].copy_(value)


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    weights = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    buffers = {name: buffer for name, buffer in model.named_buffers() if not name.startswith("backbone.")}
    return {**weights, **buffers}
