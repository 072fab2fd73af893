"""A backbone that ONNX Runtime computes, in the place of a module's own.

Only the backbone: pooling and heads are a few operations, and stay the task's. It cannot learn, and it can't be explained,
for it has no gradients.
"""

from pathlib import Path
from typing import Any

import onnxruntime
import torch
from transformers import PretrainedConfig
from transformers.modeling_outputs import BaseModelOutput

FILE = "model.onnx"
"""In a model's folder."""

ERRORS_ONLY = 3
"""ONNX Runtime's log level."""


class OnnxBackbone(torch.nn.Module):
    """Called as the backbone was when it was exported: by name, with tensors of rows × tokens."""

    def __init__(self, path: Path, config: PretrainedConfig) -> None:
        super().__init__()
        self.config = config
        options = onnxruntime.SessionOptions()
        options.log_severity_level = ERRORS_ONLY
        options.intra_op_num_threads = torch.get_num_threads()
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._inputs = [given.name for given in self._session.get_inputs()]

    def forward(self, **given: Any) -> BaseModelOutput:
        """The last layer, rows × tokens × width."""
        absent = torch.zeros_like(given["input_ids"])  # token types, which not every text comes with
        feed = {name: given.get(name, absent).numpy() for name in self._inputs}
        (hidden,) = self._session.run(None, feed)
        return BaseModelOutput(last_hidden_state=torch.from_numpy(hidden))


def put_in(model: Any, folder: Path) -> bool:
    """Give `model` the folder's ONNX backbone, if there is one, and free its own."""
    path = folder / FILE
    if not path.exists():
        return False
    model.backbone = OnnxBackbone(path, model.backbone.config)
    return True
