"""What is known of some messages that a model has answered: vectors, labels, confidence, whether they are outside. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zhuli.learning.drift.permutations import Floats, Places


@dataclass(frozen=True)
class Sample:
    """vectors: messages × width, or None where the model has none. confidence: 0 to 1. outside: what it takes for no task of
    its own.
    """

    vectors: Floats | None
    labels: Sequence[str]
    confidence: Floats
    outside: Floats

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, places: Places) -> "Sample":
        """The messages at these places."""
        return Sample(
            None if self.vectors is None else self.vectors[places],
            [self.labels[place] for place in places],
            self.confidence[places],
            self.outside[places],
        )

    def thinned(self, most: int, random: np.random.Generator) -> "Sample":
        """At most so many of them, drawn."""
        if len(self) <= most:
            return self
        return self.part(np.sort(random.choice(len(self), most, replace=False)))


def joined(samples: Sequence[Sample]) -> Sample:
    """One after the other; without vectors unless all have some of the same width."""
    widths = {None if each.vectors is None else each.vectors.shape[1] for each in samples}
    alike = len(widths) == 1 and None not in widths
    return Sample(
        np.concatenate([each.vectors for each in samples if each.vectors is not None]) if alike else None,
        [label for each in samples for label in each.labels],
        np.concatenate([each.confidence for each in samples]),
        np.concatenate([each.outside for each in samples]),
    )
