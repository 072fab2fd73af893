"""How well a language model foretells texts that it has not seen.

perplexity = exp(sum of the negative log likelihoods / number of tokens), over the tokens that are to be learned.
"""

from collections.abc import Sequence

import numpy as np

from zhuli.learning.metrics.measured import Floats, Measured, Sums, ratio

_LARGEST = 50.0
"""Nats a token: beyond, e to it means nothing any more, and would not fit into JSON."""


def scores(losses: Sequence[float], tokens: Sequence[int], right: Sequence[int] | None = None) -> Measured:
    """loss (nats a token) and perplexity; with `right` token_accuracy. One number of each an example, summed over its tokens."""
    hits = list(right) if right is not None else [0] * len(losses)
    rows = np.array(list(zip(losses, tokens, hits, strict=True)), dtype=np.float64).reshape(-1, 3)

    def score(sums: Floats) -> dict[str, Floats]:
        loss = ratio(sums[:, 0], sums[:, 1])
        found = {"loss": loss, "perplexity": np.exp(np.minimum(loss, _LARGEST))}
        return found if right is None else {**found, "token_accuracy": ratio(sums[:, 2], sums[:, 1])}

    return Measured([Sums(rows, score)])
