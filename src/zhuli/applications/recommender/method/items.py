"""What is known of items beside events, a row an item: vectors of their texts, categories, prices, times."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

MOST_CATEGORIES = 256
"""Categories that are told apart, the most frequent ones."""

_YEAR = 365.25 * 86_400


@dataclass(frozen=True, slots=True)
class Items:
    """texts: items × dimensions; zeros where there is none. categories: items × known categories, rows of sum 1 or 0.

    prices: logarithms of 1 + price; published: years since 1970. Both are nan where unknown.
    """

    texts: Floats
    categories: Floats
    prices: Floats
    published: Floats

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def features(self) -> Floats:
        """What the interest model sees of each item: items × numbers."""
        years = np.nan_to_num((self.published - 2000) / 20)[:, None]
        prices = np.nan_to_num(self.prices / 10)[:, None]
        given = (~np.isnan(self.published))[:, None]
        return np.hstack([self.texts, self.categories, years, years**2, prices, given]).astype(np.float32)


def category_names(categories: list[list[str]]) -> list[str]:
    """Those that are told apart, the most frequent first."""
    counts: dict[str, int] = {}
    for own in categories:
        for name in own:
            counts[name] = counts.get(name, 0) + 1
    return sorted(counts, key=lambda name: (-counts[name], name))[:MOST_CATEGORIES]


def shares(categories: list[list[str]], names: list[str]) -> Floats:
    """Items × names: 1 over how many of them the item has."""
    places = {name: place for place, name in enumerate(names)}
    found = np.zeros((len(categories), len(names)), np.float32)
    for row, own in enumerate(categories):
        known = [places[name] for name in own if name in places]
        if known:
            found[row, known] = 1.0 / len(known)
    return found


def years(moments: list[float | None]) -> Floats:
    """Seconds since 1970 as years, nan for None."""
    return np.array([np.nan if moment is None else 1970 + moment / _YEAR for moment in moments], np.float32)


def logs(prices: list[float | None]) -> Floats:
    """Logarithms of 1 + price, nan for None."""
    return np.array([np.nan if price is None else np.log1p(price) for price in prices], np.float32)
