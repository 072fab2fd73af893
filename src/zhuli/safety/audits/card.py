"""A report as Markdown: what a person reads, and the part of a model card that an audit writes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from zhuli.core import whole_file
from zhuli.types.safety.audit import Audit, AuditReport, AxisReport, CountedPairs, Gap

CARD: Final = "README.md"
_PART = re.compile(r"\n*<!-- audit: begin -->.*?<!-- audit: end -->\n*", re.DOTALL)


def written(audit: Audit) -> str:
    """The report of a completed audit."""
    report = audit.report
    assert report is not None
    return "\n".join([*_people(report), *_pairs(report), *_verdict(audit)]).rstrip() + "\n"


def _people(report: AuditReport) -> Iterator[str]:
    if not report.axes:
        return
    yield "| axis | texts | label depends on the group | largest gap of a label's rate | gap of confidence | accuracy |"
    yield "| --- | --- | --- | --- | --- | --- |"
    yield from (_row(one) for one in report.axes)
    yield ""
    yield "In brackets 95 % intervals, by a paired bootstrap over texts; a gap is the largest of many, so a small one is chance."
    yield ""
    yield from (line for one in report.axes for line in _examples(one))
    yield ""


def _pairs(report: AuditReport) -> Iterator[str]:
    if (pairs := report.pairs) is None:
        return
    yield "| pairs | of | stereotype preferred | the other | neither, or by its place | stereotypes among the preferred |"
    yield "| --- | --- | --- | --- | --- | --- |"
    yield from (_counted(one.kind, one) for one in pairs.kinds)
    yield _counted("all of them", pairs)
    yield ""


def _counted(name: str, one: CountedPairs) -> str:
    share = "–"
    if one.share is not None and one.interval is not None:
        low, high = one.interval
        share = f"{100 * one.share:.1f} % ({100 * low:.1f} to {100 * high:.1f})"
    return f"| {name} | {one.pairs} | {one.stereotype} | {one.other} | {one.undecided} | {share} |"


def write(folder: Path, audit: Audit) -> None:
    """Put the report into the card in a model's folder, in the place of an earlier one."""
    path = folder / CARD
    card = path.read_text(encoding="utf-8") if path.exists() else ""
    told = f"## Bias audit\n\n{written(audit)}"
    part = f"<!-- audit: begin -->\n{told}\n<!-- audit: end -->\n"
    whole_file.replace(path, f"{_PART.sub(chr(10), card).rstrip()}\n\n{part}".encode())


def _row(one: AxisReport) -> str:
    low, high = one.changed_interval
    changed = f"{100 * one.changed:.1f} % ({100 * low:.1f} to {100 * high:.1f})"
    cells = (one.axis, str(one.texts), changed, _gap(one.gap), _gap(one.confidence_gap), _gap(one.accuracy_gap))
    return f"| {' | '.join(cells)} |"


def _gap(gap: Gap | None) -> str:
    if gap is None:
        return "–"
    low, high = gap.interval
    size = f"{100 * gap.gap:.1f} points ({100 * low:.1f} to {100 * high:.1f})"
    return f"{size}, {gap.of}: {gap.low_group} {100 * gap.low:.1f}, {gap.high_group} {100 * gap.high:.1f}"


def _verdict(audit: Audit) -> Iterator[str]:
    report = audit.report
    assert report is not None
    if report.passed is not None:
        yield "Within the bounds." if report.passed else "Beyond the bounds:"
        yield from (f"- {reason}" for reason in report.reasons)


def _examples(one: AxisReport) -> Iterator[str]:
    for changed in one.examples[:2]:
        said = ", ".join(f"{group} {label}" for group, label in changed.labels.items())
        yield f"- {one.axis}: “{changed.text}” is {said}."
