"""How far reviewers agree beyond chance, of every two by Cohen's kappa. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import combinations

from zhuli.learning.comparing.agreement import kappa
from zhuli.types.learning.feedback import Agreement, Feedback, PairAgreement, Review

MOST_REVIEWERS = 50
"""Of whom every two are compared; of more, those who reviewed most."""


class Counting:
    """Feedback is shown to it in any order and in pieces; then agreement() says what it came to."""

    def __init__(self) -> None:
        self._words: dict[str, dict[str, str]] = defaultdict(dict)
        self._disagreements = 0

    def add(self, items: Iterable[Feedback]) -> None:
        """The newest review of each reviewer counts."""
        for item in items:
            self._disagreements += item.disagreement
            for review in item.reviews:
                self._words[review.reviewer][item.id] = word(item, review)

    def agreement(self) -> Agreement:
        """Of every two reviewers who have something in common, those with the most of it first."""
        by_work = sorted(self._words, key=lambda name: (-len(self._words[name]), name))[:MOST_REVIEWERS]
        pairs = (self._pair(*sorted(pair)) for pair in combinations(by_work, 2))
        found = sorted((pair for pair in pairs if pair is not None), key=lambda pair: (-pair.items, pair.reviewers))
        return Agreement(data=found, disagreements=self._disagreements)

    def _pair(self, one: str, other: str) -> PairAgreement | None:
        both = sorted(self._words[one].keys() & self._words[other].keys())
        if not both:
            return None
        first, second = ([self._words[name][item] for item in both] for name in (one, other))
        same = sum(map(str.__eq__, first, second)) / len(both)
        return PairAgreement(reviewers=[one, other], items=len(both), agreement=same, kappa=kappa(first, second))


def word(item: Feedback, review: Review) -> str:
    """What a reviewer says is right: a label or an intent where there is one, else the state that the review gives."""
    correction = review.correction if review.state == "corrected" else item.correction
    if review.state == "rejected" or correction is None:
        return review.state
    said = correction.label or correction.intent or correction.model_dump_json(exclude_none=True)
    return f"= {said}"
