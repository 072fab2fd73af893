"""Mixed precision, only where the hardware has it: elsewhere it is emulated, and slower than full precision."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from zhuli.types.learning.hyperparameters import Hyperparameters


def usable(options: Hyperparameters) -> str:
    """fp32, bf16 or fp16: what was chosen if this machine has it, what is best with "auto", else fp32."""
    cuda = torch.cuda.is_available()
    has_bf16 = torch.cuda.is_bf16_supported() if cuda else _processor_has_bf16()
    if options.precision == "auto":
        return "bf16" if has_bf16 else "fp32"
    if (options.precision == "bf16" and has_bf16) or (options.precision == "fp16" and cuda):
        return options.precision
    return "fp32"


def autocast(precision: str) -> AbstractContextManager[Any]:
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(
        "cuda" if torch.cuda.is_available() else "cpu", torch.bfloat16 if precision == "bf16" else torch.float16
    )


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _processor_has_bf16() -> bool:
    """torch's only question for it; AMX implies AVX512-BF16."""
    return torch.cpu._is_avx512_bf16_supported()
