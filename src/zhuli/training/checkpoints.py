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
    path = folder / FILE
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    return state


def learned(model: nn.Module) -> dict[str, Tensor]:
    """A copy of the weights that learn, by name."""
    return {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}


def put_back(model: nn.Module, weights: dict[str, Tensor]) -> None:
    """Into the model's own tensors, which the optimizer holds."""
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, value in weights.items():
            parameters[name].copy_(value)
