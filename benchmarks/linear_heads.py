"""What the makers of linear heads share (moderation, dialogue acts): vectors that are kept, F1, and calibration."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.understanding.services import BenchServices, KeptVectors
from zhuli.models.catalog import Catalog

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


def embedded(embedder: str, texts: Sequence[str], kept: KeptVectors, *, work: Path, data_dir: Path) -> Floats:
    """texts × numbers, of those that are kept and those that are made now. data_dir: where the embedder is made ready."""
    return asyncio.run(_embedded(embedder, texts, kept, work, data_dir))


async def _embedded(embedder: str, texts: Sequence[str], kept: KeptVectors, work: Path, data_dir: Path) -> Floats:
    catalog = Catalog.load(None, data_dir)
    services = BenchServices(work, catalog, kept, language="en", models=work)
    try:
        made = await services.embed(embedder, texts)
    finally:
        await catalog.aclose()
    return np.frombuffer(made.data, "<f4").reshape(-1, made.dimensions)


def f1(said: Mask, truth: Mask, weights: Floats | None = None) -> float:
    """2tp / (2tp + fp + fn); 0 where nothing is right."""
    counts = np.ones(len(truth)) if weights is None else weights
    right, wrong = float((counts * (said & truth)).sum()), float((counts * (said != truth)).sum())
    return 2 * right / (2 * right + wrong) if right else 0.0


def platt(logits: NDArray[np.float64], truth: Mask, weights: Floats | None = None) -> tuple[float, float]:
    """Slope and shift that make probabilities of logits (Platt 1999); the slope is held near 1."""
    counts = np.ones(len(truth)) if weights is None else weights

    def loss(found: NDArray[np.float64]) -> float:
        said = np.clip(logits * found[0] + found[1], -30, 30)
        return float(((np.logaddexp(0, said) - truth * said) * counts).sum() + 0.01 * (found[0] - 1) ** 2)

    slope, shift = minimize(loss, np.array([1.0, 0.0]), method="Nelder-Mead").x
    return float(slope), float(shift)
