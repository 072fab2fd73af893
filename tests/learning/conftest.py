"""A module of tests that train asks for `precision`: it runs in full precision, and once more in bf16 where there is that."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

CPUINFO = Path("/proc/cpuinfo")
PROCESSOR_HAS_BF16 = CPUINFO.exists() and "avx512_bf16" in CPUINFO.read_text().split()
"""What torch says too, which takes seconds to load."""

HAS_BF16 = PROCESSOR_HAS_BF16 or "ZHULI_TEST_BF16" in os.environ
"""The variable asks for it where torch has to emulate it: the same results, in a multiple of the time."""


def answer_about_bf16(patch: pytest.MonkeyPatch, has_bf16: bool) -> None:
    """What "auto" means in this process."""
    patch.setattr("zhuli.learning.training.precision._processor_has_bf16", lambda: has_bf16)


@pytest.fixture(scope="module", params=["fp32", "bf16"] if HAS_BF16 else ["fp32"])
def precision(request: pytest.FixtureRequest) -> Iterator[str]:
    """What "auto" means in this process; a test that must see bf16 everywhere asks for `bf16`."""
    chosen: str = request.param
    with pytest.MonkeyPatch.context() as patch:
        answer_about_bf16(patch, chosen == "bf16")
        yield chosen


@pytest.fixture
def childs_precision(precision: str) -> str:
    """The precision to ask for by name where a child trains too: it asks the processor itself, and nobody emulates there."""
    if precision == "bf16" and not PROCESSOR_HAS_BF16:
        pytest.skip("A training child has bf16 only where the processor has it: AVX512_BF16.")
    return precision


@pytest.fixture
def bf16(precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here "auto" means bf16 also on a processor without it, where torch emulates it: for tiny models only."""
    answer_about_bf16(monkeypatch, True)
