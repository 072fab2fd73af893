"""The permutation test: how often a difference as large as the one seen comes by dealing the same things anew. Pure.

Exact under exchangeability for any number of things (Fisher 1935). Dealing ends early where a small p is out of reach
(Besag and Clifford 1991, Sequential Monte Carlo p-values): a quiet window costs a hundredth of one that fires.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Places = NDArray[np.intp]

Statistic = Callable[[Floats], Floats]
"""From deals × things (1 for what is dealt to the window, else 0) to a number a deal; large ones speak for a difference."""

ENOUGH = 8
"""When so many deals differ as much as what was seen, p is known well enough."""

_AT_ONCE = 100


def p_values(statistics: Mapping[str, Statistic], *, window: int, others: int, most: int) -> dict[str, float]:
    """The p of each. The last `window` of window + others things are what was seen of the window.

    most: deals; the smallest p is one in so many.
    """
    seen = _seen(window, others)
    least = {name: _nearly(statistic(seen)[0]) for name, statistic in statistics.items()}
    found: dict[str, float] = {}
    larger = dict.fromkeys(statistics, 0)
    for dealt in range(0, most, _AT_ONCE):
        deals = _deals(window, others, dealt)
        for name in statistics.keys() - found.keys():
            counts = larger[name] + np.cumsum(statistics[name](deals) >= least[name])
            larger[name] = int(counts[-1])
            if larger[name] >= ENOUGH:
                found[name] = ENOUGH / (dealt + int(np.argmax(counts >= ENOUGH)) + 1)
        if len(found) == len(statistics):
            break
    return {name: found.get(name, (larger[name] + 1) / (dealt + _AT_ONCE + 1)) for name in statistics}


def _seen(window: int, others: int) -> Floats:
    found = np.zeros((1, window + others), dtype=np.float32)
    found[0, others:] = 1
    return found


@lru_cache(maxsize=8)
def _deals(window: int, others: int, number: int) -> Floats:
    """The same for every window of a size: they know nothing of what is dealt, and dealing takes longer than looking."""
    random = np.random.default_rng([window, others, number])
    return random.permuted(np.repeat(_seen(window, others), _AT_ONCE, axis=0), axis=1)


def _nearly(value: Any) -> float:
    """A little less, so that the same deal counts as large whatever the order of adding up."""
    return float(value) - 1e-6 * abs(float(value)) - 1e-12
