"""The interest model: a tower on frozen text vectors, tuned with behaviour so that a history's vector meets the next item's.

It is learned beside the server, with torch; a vector it makes of an item is a matrix product, which the server does itself,
also for items that nobody has met yet.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

WIDTH = 64
HISTORY = 20
"""Events before one that the tower sees of a user, while it learns and while it serves."""

RECENT = 0.9
"""How much less an event weighs than the one after it."""

_TEMPERATURE = 0.1
_BATCH = 512
_LEARNING_RATE = 2e-3
_DECAY = 1e-3


@dataclass(frozen=True, slots=True)
class Tower:
    """Two layers. One is for what an item is as part of a history, and one for what it is as the next item."""

    past: Floats
    next: Floats

    def as_past(self, features: Floats) -> Floats:
        """Items' features × numbers to vectors of length 1, items × WIDTH."""
        return unit(features @ self.past)

    def as_next(self, features: Floats) -> Floats:
        """The same of items that may come."""
        return unit(features @ self.next)


def unit(rows: Floats) -> Floats:
    """Rows of length 1; of zeros, zeros."""
    found: Floats = (rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-6)).astype(np.float32)
    return found


def of_history(vectors: Floats, weights: Floats) -> Floats:
    """The vector of a user from those of the items of their history, oldest first: WIDTH numbers."""
    kept = vectors[-HISTORY:]
    by = weights[-HISTORY:] * RECENT ** np.arange(len(kept))[::-1]
    found: Floats = of_histories(kept, by.astype(np.float32)[None])[0]
    return found


def of_histories(vectors: Floats, by: Floats) -> Floats:
    """The same of several histories of the same items. by: histories × items, how much each counts, 0 beyond HISTORY."""
    return unit(by @ vectors)


def learn(features: Floats, users: Ints, items: Ints, *, epochs: int, most: int, seed: int) -> Tower:
    """The tower after so many rounds over the events, of each at most so many. users, items: by user, in the order of time.

    In-batch negatives, of which each has the logarithm of how often it is drawn taken off (Yi et al. 2019, "Sampling-Bias-
    Corrected Neural Modeling for Large Corpus Item Recommendations"), so that popular items are not pushed away for being so.
    """
    rng = np.random.default_rng(seed)
    begun = (rng.standard_normal((features.shape[1], WIDTH)) / features.shape[1] ** 0.5).astype(np.float32)
    windows, targets = windows_of(users, items)
    if not len(targets):
        return Tower(begun, begun)
    import torch
    from torch.nn import functional

    draws = torch.from_numpy(np.log(np.maximum(np.bincount(items, minlength=len(features)), 1) / len(items)))
    table = torch.from_numpy(features)
    past, coming = torch.tensor(begun, requires_grad=True), torch.tensor(begun, requires_grad=True)
    optimizer = torch.optim.AdamW([past, coming], lr=_LEARNING_RATE, weight_decay=_DECAY)
    by = torch.tensor([RECENT**back for back in range(HISTORY)][::-1])
    for _ in range(epochs):
        shuffled = rng.permutation(len(targets))[:most]
        for start in range(0, len(shuffled) - 1, _BATCH):
            chosen = shuffled[start : start + _BATCH]
            window = torch.from_numpy(windows[chosen])
            target = torch.from_numpy(targets[chosen])
            known = (window >= 0).float() * by
            distinct, places = torch.unique(window.clamp(min=0), return_inverse=True)
            vectors = functional.normalize(table[distinct] @ past, dim=-1)[places]
            user = functional.normalize((vectors * known[:, :, None]).sum(dim=1), dim=-1)
            item = functional.normalize(table[target] @ coming, dim=-1)
            scores = user @ item.T / _TEMPERATURE - draws[target][None, :].float()
            same = (target[None, :] == target[:, None]) & ~torch.eye(len(target), dtype=torch.bool)
            loss = functional.cross_entropy(scores.masked_fill(same, -1e9), torch.arange(len(target)))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return Tower(past.detach().numpy(), coming.detach().numpy())


def windows_of(users: Ints, items: Ints) -> tuple[Ints, Ints]:
    """Of each event that is not a user's first: the items before it, events × HISTORY, -1 where there are fewer; and its own."""
    windows = np.full((len(items), HISTORY), -1, np.int64)
    for back in range(1, HISTORY + 1):
        same = users[back:] == users[:-back]
        windows[back:, HISTORY - back] = np.where(same, items[:-back], -1)
    later = windows[:, -1] >= 0
    return windows[later], items[later]
