"""Held-out examples whose text the training data has too: what is measured on them says too much good."""

from collections.abc import Iterator, Sequence

from zhuli.learning.training.data.checking import NAMED, Labelled, quoted
from zhuli.learning.training.data.duplicates import NearTexts, key
from zhuli.learning.training.data.finding import Finding
from zhuli.learning.training.data.report import Leakage

MOST = 30_000
"""Training examples up to which texts that are nearly the same are looked for, which takes some 0.1 ms each."""


class Overlap:
    """Of the training data with any held-out part."""

    def __init__(self, training: Sequence[Labelled]) -> None:
        self._training = training
        self._lines = {key(one.text): one.line for one in reversed(training)}
        self._near = NearTexts([one.text for one in training]) if len(training) <= MOST else None

    def leakage(self, held_out: Sequence[Labelled]) -> tuple[Leakage, list[Finding]]:
        """How many, and a warning for each kind."""
        same = [(one, self._lines[key(one.text)]) for one in held_out if key(one.text) in self._lines]
        known = {id(one) for one, _ in same}
        near = list(self._nearly([one for one in held_out if id(one) not in known]))
        kinds = ((same, "has"), (near, "nearly has"))
        found = [_warning(pairs, what) for pairs, what in kinds if pairs]
        return Leakage(same=len(same), near=len(near)), found

    def _nearly(self, held_out: Sequence[Labelled]) -> Iterator[tuple[Labelled, int]]:
        for one in held_out:
            index = self._near.near(one.text) if self._near else None
            if index is not None:
                yield one, self._training[index].line


def _warning(pairs: Sequence[tuple[Labelled, int]], what: str) -> Finding:
    lines = ", ".join(f"{one.line} (“{quoted(one.text)}”, training line {line})" for one, line in pairs[:NAMED])
    more = f" and {len(pairs) - NAMED} more" if len(pairs) > NAMED else ""
    return Finding(
        0, f"Training {what} the text of {len(pairs)} of these examples: lines {lines}{more}.", level="warning"
    )
