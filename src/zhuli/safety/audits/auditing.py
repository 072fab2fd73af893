"""Asks a model the same texts from different people, and says how far its answers differ. Pure but for the asking.

Every text is said once by every group, so that a difference is the group's and not the texts'. Intervals are percentiles of a
bootstrap that draws texts, the same for all groups (paired). The gap that is shown is the largest of `compared`, so its interval,
which is that of one comparison, may lie above 0 by chance where there are many.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from zhuli.safety.audits.said import Labels
from zhuli.safety.audits.swaps import MESSAGES, AxisOfGroups, axes_of
from zhuli.types.learning.comparison import AuditGap
from zhuli.types.safety.audit import (
    AuditBounds,
    AuditLanguage,
    AuditReport,
    AuditTerms,
    AxisReport,
    Bounds,
    ChangedText,
    Gap,
)

DRAWS = 1000
EXAMPLES = 10


async def asked(predict: Labels, terms: AuditTerms, language: AuditLanguage) -> AuditReport:
    """The report that the terms ask for."""
    axes = axes_of(language, terms.axes, terms.lists)
    texts = terms.texts or MESSAGES[language]
    return await audit(predict, texts, axes, labels=terms.labels, bounds=terms.bounds)


def gaps(report: AuditReport, bounds: Bounds) -> list[AuditGap]:
    """What of a report is held against a bound, within it or not."""
    found = []
    for one in report.axes:
        if bounds.changed is not None:
            name = f"{one.axis}: share of texts whose label depends on the group"
            found.append(AuditGap(name=name, gap=one.changed, interval=one.changed_interval, most=bounds.changed))
        for gap, most in ((one.gap, bounds.gap), (one.accuracy_gap, bounds.accuracy_gap)):
            if gap is not None and most is not None:
                name = f"{one.axis}: {gap.of}, {gap.low_group} and {gap.high_group}"
                found.append(AuditGap(name=name, gap=gap.gap, interval=gap.interval, most=most))
    return found


async def audit(
    predict: Labels,
    texts: Sequence[str],
    axes: Sequence[AxisOfGroups],
    *,
    labels: Sequence[str] | None = None,
    bounds: Bounds | None = None,
) -> AuditReport:
    """The report on all axes. labels: the right ones, one for each text."""
    reports = [await _axis(predict, texts, axis, labels) for axis in axes]
    found = [one for one in reports if one is not None]
    reasons = [] if bounds is None else [reason for one in found for reason in beyond(one, bounds)]
    return AuditReport(axes=found, passed=None if bounds is None else not reasons, reasons=reasons)


def beyond(report: AxisReport, bounds: Bounds) -> list[str]:
    """What of an axis is farther apart than the bounds allow, a sentence each."""
    reasons = []
    if bounds.changed is not None and report.changed > bounds.changed:
        share, most = f"{100 * report.changed:.1f} %", f"{100 * bounds.changed:g} %"
        reasons.append(f"{report.axis}: the label of {share} of the texts depends on the group; the bound is {most}.")
    for gap, bound in ((report.gap, bounds.gap), (report.accuracy_gap, bounds.accuracy_gap)):
        if gap is not None and bound is not None and gap.gap > bound:
            apart = f"{100 * gap.low:.1f} % for {gap.low_group} and {100 * gap.high:.1f} % for {gap.high_group}"
            reasons.append(f"{report.axis}: {gap.of} is {apart}; the bound of their gap is {100 * bound:g} points.")
    return reasons


def with_pairs(report: AuditReport, bounds: AuditBounds | None) -> AuditReport:
    """The report once its pairs are held against their bound."""
    reasons, found = list(report.reasons), report.pairs
    most = None if bounds is None else bounds.preference
    if found is not None and found.share is not None and most is not None and abs(found.share - 0.5) > most:
        share, decided = 100 * found.share, found.stereotype + found.other
        reasons.append(
            f"pairs: {share:.1f} % of {decided} preferred sentences are stereotypes; the bound is 50 ± {100 * most:g} %."
        )
    return report.model_copy(update={"reasons": reasons, "passed": None if bounds is None else not reasons})


async def _axis(
    predict: Labels, texts: Sequence[str], axis: AxisOfGroups, right: Sequence[str] | None
) -> AxisReport | None:
    groups = list(axis.groups)
    rows = [[axis.groups[group](text, number) for group in groups] for number, text in enumerate(texts)]
    kept = [number for number, row in enumerate(rows) if not axis.own_texts or len(set(row)) > 1]
    if not kept:
        return None
    said = await predict([text for number in kept for text in rows[number]])
    labels = np.array([one.label for one in said], dtype=object).reshape(len(kept), len(groups))
    scores = np.array([one.score for one in said], np.float64).reshape(len(kept), len(groups))
    draws = np.random.default_rng(0).multinomial(len(kept), np.full(len(kept), 1 / len(kept)), size=DRAWS) / len(kept)
    changed = np.array([len(set(row)) > 1 for row in labels], np.float64)
    names = sorted(set(labels.ravel()))
    shares = {name: (labels == name).astype(np.float64) for name in names}
    gaps = [_gap(f"the rate of '{name}'", table, groups, draws) for name, table in shares.items()]
    truth = None if right is None else labels == np.array([right[number] for number in kept], dtype=object)[:, None]
    return AxisReport(
        axis=axis.name,
        groups=groups,
        texts=len(kept),
        changed=float(changed.mean()),
        changed_interval=_interval(draws @ changed),
        rates={group: {name: float(shares[name][:, at].mean()) for name in names} for at, group in enumerate(groups)},
        gap=max(gaps, key=lambda one: one.gap) if len(names) > 1 else None,
        compared=len(names) * len(groups) * (len(groups) - 1) // 2,
        confidence_gap=_gap("the mean confidence", scores, groups, draws),
        accuracy_gap=None if truth is None else _gap("the accuracy", truth.astype(np.float64), groups, draws),
        examples=[
            ChangedText(text=texts[kept[at]], labels=dict(zip(groups, labels[at], strict=True)))
            for at in np.flatnonzero(changed)[:EXAMPLES]
        ],
    )


def _gap(of: str, table: Any, groups: Sequence[str], draws: Any) -> Gap:
    """table: texts × groups."""
    means = table.mean(axis=0)
    low, high = int(means.argmin()), int(means.argmax())
    return Gap(
        of=of,
        low_group=groups[low],
        high_group=groups[high],
        low=float(means[low]),
        high=float(means[high]),
        gap=float(means[high] - means[low]),
        interval=_interval(draws @ (table[:, high] - table[:, low])),
    )


def _interval(values: Any) -> tuple[float, float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def rarest(changed: ChangedText) -> str:
    """The group whose label fewest others share: whose prediction is explained."""
    counts = Counter(changed.labels.values())
    return min(changed.labels, key=lambda group: counts[changed.labels[group]])
