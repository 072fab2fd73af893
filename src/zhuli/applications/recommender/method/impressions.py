"""What was shown teaches the ranker: clicks are weighed by one over how likely their places were looked at. Pure.

Who is shown a list looks at its first places more often than at its last, so that what stood high was clicked for standing
high. How much more is estimated from the places that were drawn by lot, where what stands there is no reason. Then each click
counts one over its place's chance of being looked at (Joachims, Swaminathan & Schnabel 2017, "Unbiased Learning-to-Rank with
Biased Feedback").
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

DRAWN = 0.5
"""A place with a smaller propensity was drawn by lot: the first in order is there with more, as at most half are drawn."""

LEAST_CLICKS = 50
"""On places drawn by lot, below which nothing is known of how places are looked at."""

MOST_WEIGHT = 10.0
"""Of a click; rare clicks far below would else be all that is learned of."""

_STRONGEST = 3.0


@dataclass(frozen=True, slots=True)
class Shown:
    """A list that was shown. rows: of items; positions: where each stood, from 0; taken: 1 of those taken, else 0."""

    user: int
    at: float
    rows: Ints
    positions: Ints
    propensities: Floats
    taken: Ints


def position_bias(lists: Sequence[Shown]) -> float | None:
    """The η with which place k (from 1) is looked at k ** -η as often as the first; None where too little was drawn by lot.

    The most likely one if clicks on drawn places are Poisson counts with rates in that proportion.
    """
    longest = max((int(one.positions.max(initial=-1)) + 1 for one in lists), default=0)
    shown, clicked = np.zeros(longest), np.zeros(longest)
    for one in lists:
        drawn = one.propensities < DRAWN
        shown[one.positions[drawn]] += 1
        clicked[one.positions[drawn]] += one.taken[drawn]
    if clicked.sum() < LEAST_CLICKS:
        return None
    etas = np.linspace(0, _STRONGEST, 301)
    looked = np.arange(1, longest + 1) ** -etas[:, None]
    rates = (clicked.sum() / (looked @ shown))[:, None] * looked
    likely = (clicked * np.log(rates)).sum(axis=1) - rates @ shown
    return float(etas[np.argmax(likely)])


def weights(places: Ints, eta: float) -> Floats:
    """Of clicks on these places, from 0."""
    found: Floats = np.minimum((places + 1.0) ** eta, MOST_WEIGHT).astype(np.float32)
    return found


def clicks(one: Shown, eta: float) -> list[tuple[Ints, float]]:
    """Of each click: which place of the list it was, 1 of that and else 0, and what its comparison with all others weighs.

    Others that were clicked are among these: with its weight, a pair of them then pulls as much one way as the other.
    """
    places = np.flatnonzero(one.taken)
    return [
        ((np.arange(len(one.rows)) == place).astype(np.int64), float(weight))
        for place, weight in zip(places, weights(one.positions[places], eta), strict=True)
    ]
