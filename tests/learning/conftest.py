"""Every test of training runs in full precision, and once more in bf16 where the processor has it."""

import os

import pytest
import torch

from zhuli.learning.training import precision as precisions

PROCESSOR_HAS_BF16 = torch.cpu._is_avx512_bf16_supported()
HAS_BF16 = PROCESSOR_HAS_BF16 or "ZHULI_TEST_BF16" in os.environ
"""The variable asks for it where torch has to emulate it: the same results, in a multiple of the time."""


@pytest.fixture(autouse=True, params=["fp32", "bf16"] if HAS_BF16 else ["fp32"])
def precision(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What "auto" means in this process; a test that must see bf16 everywhere asks for `bf16`."""
    chosen: str = request.param
    monkeypatch.setattr(precisions, "_processor_has_bf16", lambda: chosen == "bf16")
    return chosen


@pytest.fixture
def childs_precision(precision: str) -> str:
    """The precision to ask for by name where a child trains too: it asks the processor itself, and nobody emulates there."""
    if precision == "bf16" and not PROCESSOR_HAS_BF16:
        pytest.skip("A training child has bf16 only where the processor has it: AVX512_BF16.")
    return precision


@pytest.fixture
def bf16(precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here "auto" means bf16 also on a processor without it, where torch emulates it: for tiny models only."""
    monkeypatch.setattr(precisions, "_processor_has_bf16", lambda: True)
