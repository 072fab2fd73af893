"""How many labels it takes to 95 % of full accuracy: those that suggestions ask for, beside the same number in random order.

    python -m benchmarks.learning.active ../shared/data [--sets banking77 clinc150] [--seeds 3]

A logistic regression on frozen vectors of minilm learns from the labels so far, a batch of 100 at a time; full accuracy is
that of all training examples. Nothing is known at first. Three seeds; each figure is measured on the published test part.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.learning.tuning.class_sets import banking77, clinc150
from zhuli.learning.datasets.classifier import fitted
from zhuli.learning.datasets.suggesting import suggest
from zhuli.models.catalog import Catalog

BATCH = 100
SHARE = 0.95
SETS = {"banking77": banking77, "clinc150": clinc150}

Vectors = NDArray[np.float32]
Choose = Callable[[list[int], list[int]], list[int]]
"""From the rows that are labelled and those that are not to the next ones."""


async def embedded(texts: Sequence[str], cache: Path) -> Vectors:
    """Vectors of minilm, kept in a file."""
    if await asyncio.to_thread(cache.exists):
        return np.load(cache)
    entry = Catalog.load(None, Path(tempfile.gettempdir()) / "zhuli-active").resolve_embedder("minilm")
    assert entry is not None
    rows = []
    for start in range(0, len(texts), 256):
        vectors = await entry.embedder.embed(texts[start : start + 256], "query")
        rows.append(np.frombuffer(vectors.data, dtype="<f4").reshape(-1, vectors.dimensions))
    found = np.concatenate(rows)
    np.save(cache, found)
    return found


def needed(choose: Choose, train: Vectors, labels: list[str], test: Vectors, right: NDArray[Any], goal: float) -> int:
    """Labels after which accuracy on the test part reaches the goal."""
    known: list[int] = []
    left = list(range(len(labels)))
    while left:
        chosen = set(choose(known, left))
        known += sorted(chosen)
        left = [row for row in left if row not in chosen]
        said = [labels[row] for row in known]
        if len(set(said)) > 1 and (fitted(train[known], said).predict(test) == right).mean() >= goal:
            break
    return len(known)


def measured(name: str, data: Path, cache: Path, seeds: int) -> dict[str, Any]:
    """Of one data set."""
    parts = SETS[name](data, 0)
    train, test = parts["train"], parts["test"]
    labels, right = [one["label"] for one in train], np.array([one["label"] for one in test])
    vectors = asyncio.run(embedded([one["text"] for one in train], cache / f"{name}-train.npy"))
    asked = asyncio.run(embedded([one["text"] for one in test], cache / f"{name}-test.npy"))
    full = float((fitted(vectors, labels).predict(asked) == right).mean())
    found: dict[str, Any] = {"examples": len(labels), "full_accuracy": round(full, 4), "suggested": [], "random": []}
    for seed in range(seeds):
        order = np.random.default_rng(seed)

        def suggested(known: list[int], left: list[int], seed: int = seed) -> list[int]:
            said = [labels[row] for row in known]
            chosen = suggest(vectors[known], said, vectors[left], most=BATCH, seed=seed)
            return [left[one.row] for one in chosen]

        def at_random(_: list[int], left: list[int], order: Any = order) -> list[int]:
            return [left[at] for at in order.permutation(len(left))[:BATCH]]

        for kind, choose in (("suggested", suggested), ("random", at_random)):
            began = time.perf_counter()
            found[kind].append(needed(choose, vectors, labels, asked, right, SHARE * full))
            print(name, kind, seed, found[kind][-1], f"{time.perf_counter() - began:.0f} s", flush=True)
    return found


def main() -> None:
    """Print a line a run, and the figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "zhuli-active")
    given = parser.parse_args()
    given.cache.mkdir(parents=True, exist_ok=True)
    print(json.dumps({name: measured(name, given.data, given.cache, given.seeds) for name in given.sets}, indent=1))


if __name__ == "__main__":
    main()
