"""What a learner is weak at, by the log of what they did; and which exercise comes next, by the recommender."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

FADING = 0.85
"""How much less an exercise says of its topic than the next one of it: who has learned something is not held to what was."""

LEAST = 3
"""Exercises of a topic, below which nothing is said of it. Of made-up learners other than those of the story, two find nine
tenths of what they are weak at and call a third of the rest weak too; three find three quarters, and call a tenth so."""

WEAK = 0.55
"""An estimate below which a topic is weak."""


@dataclass(frozen=True, slots=True)
class Topic:
    """estimate: of the share that would be right now, between 0 and 1; one half of what is not known."""

    name: str
    tried: int
    right: int
    estimate: float

    @property
    def weak(self) -> bool:
        """Whether enough was tried, and too little of it right."""
        return self.tried >= LEAST and self.estimate < WEAK


def standing(log: Iterable[tuple[str, bool]], topics: Iterable[str]) -> dict[str, Topic]:
    """Of each topic, by what was tried of it, oldest first, and whether it was right.

    The mean of a beta distribution that begins with one of each, in which the newer counts more.
    """
    tried: dict[str, list[bool]] = {topic: [] for topic in topics}
    for topic, right in log:
        tried[topic].append(right)
    found = {}
    for topic, marks in tried.items():
        by = [FADING**back for back in range(len(marks))][::-1]
        good = sum(weight for weight, right in zip(by, marks, strict=True) if right)
        found[topic] = Topic(topic, len(marks), sum(marks), (good + 1) / (sum(by) + 2))
    return found


def order(topics: Mapping[str, Topic]) -> list[Topic]:
    """What to practise first: what too little is known of, then the weakest."""
    return sorted(topics.values(), key=lambda one: (one.tried >= LEAST, one.estimate))


def level(log: Iterable[tuple[str, int, bool]], topic: str) -> int:
    """How hard the next exercise of a topic may be: a level above what was right, and no harder than what was not."""
    found = 1
    for name, hard, right in log:
        if name == topic:
            found = min(3, max(found, hard + 1)) if right else max(1, min(found, hard))
    return found
