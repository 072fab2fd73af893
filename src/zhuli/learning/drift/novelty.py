"""Which messages of some are new beside a reference, and which of these are alike. Pure.

A message is new when the messages around it are of lately: the density of the traffic there over that of the reference, both
by a narrow kernel. That is the witness of the kernel test (Gretton et al. 2012, section 2), as a ratio.
"""

import numpy as np

from zhuli.learning.drift.kernel import squared_distances
from zhuli.learning.drift.permutations import Floats, Places

NEIGHBOURS = 5
COMPARED = 500
"""Messages of the reference whose likeness to each other says what is alike."""
APART = 0.98
"""Share of pairs of the reference that are less alike than two messages of one group: encoders differ in their cosines."""


def novelty(vectors: Floats, reference: Floats) -> Floats:
    """For each message how much nearer its neighbours of lately are than those of the reference, in distances squared."""
    near_before = _nearest(squared_distances(vectors, reference), 0, len(vectors) / max(1, len(reference)))
    near_lately = _nearest(squared_distances(vectors, vectors), 1, 1.0)
    return np.asarray(near_before - near_lately)


def _nearest(distances: Floats, skipped: int, density: float) -> Floats:
    """The mean of the smallest; as many neighbours as lie in the same share of the traffic, at least one."""
    wanted = max(1, round(NEIGHBOURS / density)) if density > 0 else NEIGHBOURS
    last = min(wanted + skipped, distances.shape[1])
    nearest = np.partition(distances, last - 1, axis=1)[:, :last]
    nearest.sort(axis=1)
    return np.asarray(nearest[:, skipped:].mean(axis=1))


def new_ones(vectors: Floats, reference: Floats, *, seed: int = 0) -> Places:
    """The places of what is new, newest first: what scores higher than nearly all of the reference does by itself."""
    random = np.random.default_rng(seed)
    order = random.permutation(len(reference))
    half = len(order) // 2
    quiet = novelty(reference[order[:half]], reference[order[half:]])
    scores = novelty(vectors, reference)
    places = np.argsort(-scores, kind="stable")
    return np.asarray(places[scores[places] > np.quantile(quiet, 0.95)])


def groups(vectors: Floats, reference: Floats, *, least: int = 3) -> list[Places]:
    """Places of messages that are alike, largest group first: who has most that are alike founds one, and takes these."""
    unit, quiet = _unit(vectors), _unit(reference[:COMPARED])
    near = unit @ unit.T >= np.quantile((quiet @ quiet.T)[np.triu_indices(len(quiet), 1)], APART)
    left = np.ones(len(vectors), dtype=bool)
    found: list[Places] = []
    while left.any():
        counts = (near & left[None]).sum(axis=1) * left
        founder = int(np.argmax(counts))
        if counts[founder] < least:
            break
        members = np.flatnonzero(near[founder] & left)
        found.append(members)
        left[members] = False
    return found


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9))
