"""Whether a candidate may take a champion's place: better on the whole, no worse anywhere that counts. Pure.

A slice stops a candidate when it falls by more than its margin and the fall is more than chance: small slices move by
points for nothing, and with a hundred of them one always does. More than chance is said with Holm's correction (1979, A
simple sequentially rejective multiple test procedure) over the slices of a dimension: a candidate that is worse in none of
them is stopped by one with a probability of `alpha` at most.
"""

from collections.abc import Iterable, Mapping, Sequence

from zhuli.learning.comparing import sentences
from zhuli.types.learning.comparison import AuditGap, Comparison, Reason, Said, Verdict

ALPHA = 0.05
MARGIN = 0.02
"""By how much a slice may fall, if nobody says."""


def gate(
    comparison: Comparison,
    slices: Sequence[Comparison] = (),
    margins: Mapping[str, float] | None = None,
    audits: Iterable[AuditGap] = (),
    *,
    regression: Comparison | None = None,
    alpha: float = ALPHA,
) -> Verdict:
    """The verdict on a candidate (after) against a champion (before), with a reason for each condition.

    margins: by how much a slice may fall, by its name ("language=zh"), its dimension ("language"), or "default";
    "regression" for the fixed set, which may not fall at all if nothing is said. alpha: of the paired test, one for the
    whole, and one for the slices of each dimension.
    """
    allowed = margins or {}
    reasons = [_better(comparison, alpha)]
    if regression is not None:
        reasons.append(_regression(regression, allowed.get("regression", 0.0)))
    falling = _falling(slices, alpha)
    reasons += [_slice(each, _margin(allowed, each.name), each.name in falling) for each in slices]
    reasons += [_audit(each) for each in audits]
    refused = sum(not reason.passed for reason in reasons)
    return Verdict(passed=not refused, reasons=reasons, sentence=sentences.of_verdict(refused, len(reasons)))


def _margin(margins: Mapping[str, float], name: str) -> float:
    dimension = name.partition("=")[0]
    found = (margins[key] for key in (name, dimension, "default") if key in margins)
    return next(found, MARGIN)


def _falling(slices: Sequence[Comparison], alpha: float) -> set[str]:
    """Slices whose fall is more than chance, by Holm's procedure within each dimension."""
    dimensions: dict[str, list[Comparison]] = {}
    for each in slices:
        dimensions.setdefault(each.name.partition("=")[0], []).append(each)
    found: set[str] = set()
    for members in dimensions.values():
        for place, each in enumerate(sorted(members, key=lambda member: member.worse_p)):
            if each.worse_p > alpha / (len(members) - place):
                break
            found.add(each.name)
    return found


def _better(comparison: Comparison, alpha: float) -> Reason:
    passed = comparison.difference > 0 and comparison.p <= alpha
    en, zh = ("It is better", "更好") if passed else ("It is not shown to be better", "未显示更好")
    return Reason(
        passed=passed,
        code="better",
        name=comparison.name,
        value=comparison.p,
        limit=alpha,
        sentence=Said(en=f"{en}: {comparison.sentence.en}", zh=f"{zh}：{comparison.sentence.zh}"),
    )


def _regression(comparison: Comparison, margin: float) -> Reason:
    passed = comparison.difference >= -margin - 1e-12
    en, zh = ("The fixed set holds", "固定回归集未退步") if passed else ("The fixed set falls", "固定回归集退步")
    return _fall("regression", comparison, margin, passed, en, zh)


def _slice(comparison: Comparison, margin: float, falls: bool) -> Reason:
    passed = comparison.difference >= -margin - 1e-12 or not falls
    en, zh = ("The slice holds", "该切片未退步") if passed else ("The slice falls", "该切片退步")
    return _fall("slice", comparison, margin, passed, en, zh)


def _fall(code: str, comparison: Comparison, margin: float, passed: bool, en: str, zh: str) -> Reason:
    return Reason.model_validate(
        {
            "passed": passed,
            "code": code,
            "name": comparison.name,
            "value": comparison.difference,
            "limit": -margin,
            "sentence": Said(
                en=f"{en} (it may fall by {margin:.3f}): {comparison.sentence.en}",
                zh=f"{zh}（允许下降 {margin:.3f}）：{comparison.sentence.zh}",
            ),
        }
    )


def _audit(audit: AuditGap) -> Reason:
    passed = abs(audit.gap) <= audit.most
    en, zh = ("within its bound", "在界限内") if passed else ("over its bound", "超出界限")
    low, high = audit.interval
    return Reason(
        passed=passed,
        code="audit",
        name=audit.name,
        value=audit.gap,
        limit=audit.most,
        sentence=Said(
            en=f"The gap '{audit.name}' is {audit.gap:.3f} ({low:.3f} to {high:.3f}), {en} of {audit.most:.3f}.",
            zh=f"差距“{audit.name}”为 {audit.gap:.3f}（{low:.3f} 至 {high:.3f}），{zh}（{audit.most:.3f}）。",
        ),
    )
