"""Whether a candidate that is asked must go back: its answers beside the champion's. Pure.

Looked at again and again, so a difference counts only when it is larger than the policy allows and hardly chance (CHANCE).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from zhuli.learning.retuning.sentences import percent
from zhuli.store.learning.served import Served, Votes
from zhuli.types.learning.comparison import Said
from zhuli.types.learning.retuning import Watch

CHANCE = 0.001
"""How probable a difference may be, if there is none, that sends a candidate back: ten looks at each of four make 1 in 25."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a candidate goes back: which metric, the champion's and the candidate's, and that in words."""

    metric: str
    champion: float
    candidate: float
    sentence: Said


def faults(
    champion: Sequence[Served], candidate: Sequence[Served], votes: tuple[Votes, Votes], terms: Watch
) -> list[Fault]:
    """What is worse, of (champion's, candidate's); nothing is said of fewer than `least` answers or votes."""
    found: list[Fault | None] = []
    if len(candidate) >= terms.least and champion:
        found.append(_errors(champion, candidate, terms))
        found.append(_confidence(champion, candidate, terms))
        found.append(_slower(champion, candidate, terms))
    found.append(_votes(*votes, terms))
    return [each for each in found if each is not None]


def summary(answers: Sequence[Served], votes: Votes) -> dict[str, Any]:
    """The numbers of one model, for the decision's row. agreed: of a shadow, how often it said what was heard."""
    sure = [each.confidence for each in answers if each.confidence is not None]
    agreed = [each.agreed for each in answers if each.agreed is not None]
    return {
        "requests": len(answers),
        "errors": _share(sum(each.error for each in answers), len(answers)),
        "confidence": sum(sure) / len(sure) if sure else None,
        "seconds": _median([each.seconds for each in answers]),
        "agreed": sum(agreed) / len(agreed) if agreed else None,
        "up": votes.up,
        "down": votes.down,
    }


def _errors(champion: Sequence[Served], candidate: Sequence[Served], terms: Watch) -> Fault | None:
    before = _share(sum(each.error for each in champion), len(champion))
    after = _share(sum(each.error for each in candidate), len(candidate))
    p = more(sum(each.error for each in candidate), len(candidate), sum(each.error for each in champion), len(champion))
    if after - before <= terms.errors or p > CHANCE:
        return None
    en = f"It fails in {percent(after)} of its answers, the champion in {percent(before)}."
    return Fault(
        "errors", before, after, Said(en=en, zh=f"其回答有 {percent(after)} 出错，现用模型为 {percent(before)}。")
    )


def _votes(champion: Votes, candidate: Votes, terms: Watch) -> Fault | None:
    given, before_given = candidate.up + candidate.down, champion.up + champion.down
    if given < max(10, terms.least // 3) or not before_given:
        return None
    before, after = _share(champion.down, before_given), _share(candidate.down, given)
    if after - before <= terms.down_votes or more(candidate.down, given, champion.down, before_given) > CHANCE:
        return None
    en = f"{percent(after)} of the votes on it are thumbs down, on the champion {percent(before)}."
    return Fault(
        "down_votes", before, after, Said(en=en, zh=f"差评占 {percent(after)}，现用模型为 {percent(before)}。")
    )


def _confidence(champion: Sequence[Served], candidate: Sequence[Served], terms: Watch) -> Fault | None:
    old = [each.confidence for each in champion if each.confidence is not None]
    new = [each.confidence for each in candidate if each.confidence is not None]
    if len(old) < 2 or len(new) < terms.least:
        return None
    before, after = sum(old) / len(old), sum(new) / len(new)
    error = math.sqrt(_variance(old) / len(old) + _variance(new) / len(new))
    if before - after <= terms.confidence or _normal_tail((before - after) / max(error, 1e-9)) > CHANCE:
        return None
    en = f"Its confidence is {percent(after)} on average, the champion's {percent(before)}."
    return Fault(
        "confidence", before, after, Said(en=en, zh=f"平均置信度为 {percent(after)}，现用模型为 {percent(before)}。")
    )


def _slower(champion: Sequence[Served], candidate: Sequence[Served], terms: Watch) -> Fault | None:
    """By the median, which a machine that was busy for a moment does not move."""
    before, after = _median([each.seconds for each in champion]), _median([each.seconds for each in candidate])
    if after <= terms.slower * before or after - before < 0.02:
        return None
    en = f"It takes {after * 1000:.0f} ms, the champion {before * 1000:.0f} ms."
    return Fault(
        "slower", before, after, Said(en=en, zh=f"耗时 {after * 1000:.0f} 毫秒，现用模型 {before * 1000:.0f} 毫秒。")
    )


def more(some: int, of: int, others: int, of_others: int) -> float:
    """How probable `some` of `of` or more are if they come as often as among the others: Fisher's exact test, one-sided."""
    every, both = of + of_others, some + others
    most = min(of, both)
    if not some or every == 0:
        return 1.0
    whole = _log_choose(every, both)
    terms = (_log_choose(of, k) + _log_choose(of_others, both - k) - whole for k in range(some, most + 1))
    return min(1.0, sum(math.exp(term) for term in terms))


def _log_choose(number: int, chosen: int) -> float:
    if not 0 <= chosen <= number:
        return -math.inf
    return math.lgamma(number + 1) - math.lgamma(chosen + 1) - math.lgamma(number - chosen + 1)


def _share(some: int, of: int) -> float:
    return some / of if of else 0.0


def _variance(values: Sequence[float]) -> float:
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values) / max(1, len(values) - 1)


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2] if ordered else 0.0


def _normal_tail(z: float) -> float:
    return 0.5 * math.erfc(z / math.sqrt(2))
