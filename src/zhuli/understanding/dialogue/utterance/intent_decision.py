"""The intent decision: by threshold and ambiguity one intent, none of the domain's, or one of several about as likely."""

from dataclasses import dataclass

from zhuli.types.understanding.domain import OUT_OF_SCOPE, Fallback
from zhuli.types.understanding.understanding import IntentScore, Reading


@dataclass(frozen=True, slots=True)
class IntentDecision:
    """intent: OUT_OF_SCOPE where none reaches the threshold. score: how likely it is that this is meant.

    unclear: another is about as likely; candidates: the two. threshold: what the score had to reach. best: the likeliest
    intent, whether it was decided for or not.
    """

    intent: str
    score: float
    threshold: float
    unclear: bool = False
    candidates: tuple[str, ...] = ()
    best: str | None = None

    @property
    def known(self) -> bool:
        """Whether it is for an intent of the domain."""
        return self.intent != OUT_OF_SCOPE and not self.unclear


def decide_intent(reading: Reading, fallback: Fallback) -> IntentDecision:
    """The best intent must reach the threshold by itself, and be ahead of the second by the margin.

    Where the two best reach it only together, the message is unclear rather than out of scope: it is about one of them.
    """
    threshold = fallback.threshold if fallback.threshold is not None else reading.threshold
    ranking = [one for one in reading.ranking if one.name != OUT_OF_SCOPE]
    if not ranking or reading.ranking[0].name == OUT_OF_SCOPE:
        return IntentDecision(OUT_OF_SCOPE, _bounded(1 - reading.in_scope), threshold)
    best, second = ranking[0], ranking[1].confidence if len(ranking) > 1 else 0.0
    close = len(ranking) > 1 and best.confidence - second < fallback.margin
    reached = reading.in_scope * (best.confidence + (second if close else 0.0)) >= threshold
    if reached and best.confidence > 0:
        candidates = (best.name, ranking[1].name) if close else (best.name,)
        return IntentDecision(
            best.name, _bounded(reading.in_scope * best.confidence), threshold, close, candidates, best.name
        )
    return IntentDecision(OUT_OF_SCOPE, _bounded(1 - reading.in_scope * best.confidence), threshold, best=best.name)


def scored(decision: IntentDecision, start: int, end: int) -> IntentScore:
    """The decision as a score of the clause from `start` to `end`, in characters of the message."""
    return IntentScore(name=decision.intent, confidence=decision.score, start=start, end=end)


def _bounded(score: float) -> float:
    return min(1.0, max(0.0, score))
