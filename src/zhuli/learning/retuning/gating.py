"""Whether a candidate may go on, from what it and the champion said to the same records. Pure: `comparing` has the statistics.

Beside accuracy it looks at the labels that are new: a batch that teaches one known thing as another known thing is what
poisoning is, and shows before it does harm that a held-out part could see (a model's own confident predictions against
given labels: Northcutt et al. 2021, Confident learning).
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from zhuli.learning.comparing.gate import gate
from zhuli.learning.comparing.pairs import Pair, by_slice, compare_pairs
from zhuli.learning.comparing.sentences import of_verdict
from zhuli.learning.comparing.slicing import slices_of
from zhuli.learning.retuning import sentences
from zhuli.types.learning.comparison import AuditGap, Reason, Verdict
from zhuli.types.learning.retuning import GateTerms

SURE = 0.5
"""The champion's confidence from which on its word is held against a label."""

LEAST = 3
"""Examples that contradict; fewer are nobody's attack."""

CHANCE = 0.001
"""How probable so many may be if the champion errs here as it does elsewhere."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A record, its labels, what a model said to it and how surely. part, whole: how right that is (types.Judgement)."""

    text: str
    labels: tuple[str, ...]
    said: str
    score: float
    part: float
    whole: float = 1.0

    @property
    def label(self) -> str:
        return self.labels[0] if len(self.labels) == 1 else ""

    @property
    def right(self) -> float:
        return self.part / self.whole if self.whole else 1.0


def verdict(
    terms: GateTerms,
    held_out: tuple[Sequence[Answered], Sequence[Answered]],
    regression: tuple[Sequence[Answered], Sequence[Answered]],
    contradictions: Iterable[Reason],
    audits: Iterable[AuditGap] = (),
) -> Verdict:
    """(champion's, candidate's) answers to the records of the held-out part, and of the regression set if there is one."""
    pairs = _pairs(*held_out, terms)
    fixed = _pairs(*regression, terms)
    slices = by_slice([*pairs, *fixed], dimensions=["slice", "label", "language", "length"])
    found = gate(
        compare_pairs(pairs),
        slices,
        terms.margins,
        audits,
        regression=compare_pairs(fixed, name="regression") if fixed else None,
        alpha=terms.alpha,
    )
    reasons = [*found.reasons, *contradictions]
    refused = sum(not reason.passed for reason in reasons)
    return Verdict(passed=not refused, reasons=reasons, sentence=of_verdict(refused, len(reasons)))


def _pairs(champion: Sequence[Answered], candidate: Sequence[Answered], terms: GateTerms) -> list[Pair]:
    return [
        Pair(old.part, new.part, _slices(old, terms), (old.whole, new.whole))
        for old, new in zip(champion, candidate, strict=True)
    ]


def _slices(record: Answered, terms: GateTerms) -> dict[str, str | tuple[str, ...]]:
    """A record with several labels is in the slices of each."""
    named = (name for name, labels in terms.slices.items() if not set(labels).isdisjoint(record.labels))
    return {**slices_of(record.text), "label": record.labels, "slice": tuple(named)}


def changed(
    champion: Sequence[Answered], candidate: Sequence[Answered], *, most: int
) -> list[tuple[Answered, Answered]]:
    """(champion's, candidate's) answers to records that one of them has more right: what was lost first, `most` each way."""
    pairs = list(zip(champion, candidate, strict=True))
    lost = [pair for pair in pairs if pair[1].right < pair[0].right]
    gained = [pair for pair in pairs if pair[1].right > pair[0].right]
    return [*lost[:most], *gained[:most]]


def contradictions(
    new: Sequence[Answered], held_out: Sequence[Answered], known: Iterable[str], terms: GateTerms
) -> list[Reason]:
    """new: what the champion says to examples that it has not learned, one label each. known: its labels.

    A label is named when several of its new examples are surely one other thing to the champion.
    """
    labels = set(known)
    told = [each for each in held_out if each.label in labels]
    errs = max(0.01, sum(_against(each) for each in told) / len(told) if told else 0.0)
    numbers = Counter(each.label for each in new)
    taken = Counter((each.label, each.said) for each in new if each.label in labels and _against(each))
    found = []
    for (label, said), count in sorted(taken.items()):
        share = count / numbers[label]
        passed = share <= terms.contradictions or count < LEAST or _tail(count, numbers[label], errs) > CHANCE
        if count >= LEAST and share > errs:
            found.append(
                Reason(
                    passed=passed,
                    code="contradiction",
                    name=f"{label} for {said}",
                    value=share,
                    limit=terms.contradictions,
                    sentence=sentences.contradicted(label, said, numbers[label], share, passed=passed),
                )
            )
    return found


def _against(answered: Answered) -> bool:
    return answered.said != answered.label and answered.score >= SURE


def _tail(least: int, number: int, share: float) -> float:
    """The probability of `least` or more of `number`, each with `share`."""
    return sum(math.comb(number, k) * share**k * (1 - share) ** (number - k) for k in range(least, number + 1))
