"""A tuning's report as text, in the manner of scikit-learn's classification_report, for every task.

Takes report.json's content; what is missing there is left out here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len

from zhuli.types.learning.tuning import Spec

_MOST = 20
"""Confusions and trials that are listed; report.json has all of them."""

_PERCENTS = frozenset({"bleu", "chrf"})
"""Numbers that are 0 to 100, of which two digits behind the point say enough."""


def written(spec: Spec, report: Mapping[str, Any]) -> str:
    """All of it, with a line break at the end."""
    parts = [
        _title(spec, report),
        _data(report.get("data")),
        _training(report),
        table(report) if "after" in report else "",
        _classes(report.get("after", {}).get("per_class")),
        _confused(report.get("after", {}).get("confusion")),
        _calibration(report.get("calibration")),
        _trials(report.get("trials")),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def table(report: Mapping[str, Any]) -> str:
    """Each number before and after, with 95 % intervals, and how probable it is that the second is higher."""
    before, after, intervals = report["before"], report["after"], report.get("intervals", {})
    names = [name for name, value in after.items() if _is_number(value)]
    rows = [["", "before", "after", "95 % of after", "difference", "95 % of difference", "P(after > before)"]]
    for name in names:
        found = intervals.get(name, {})
        first = before.get(name)
        rows.append(
            [
                name,
                number(name, first),
                number(name, after[name]),
                _interval(name, found.get("after")),
                number(name, after[name] - first, sign=True) if _is_number(first) else "",
                _interval(name, found.get("difference"), sign=True),
                f"{found['probability']:.3f}" if "probability" in found else "",
            ]
        )
    return f"On {report['examples']} held-out examples; models are compared by {report['metric']}.\n\n{_aligned(rows)}"


def number(name: str, value: Any, *, sign: bool = False) -> str:
    """A metric's value as it is printed; nothing for what is no number."""
    if not _is_number(value):
        return ""
    return f"{value:{'+' if sign else ''}.{2 if name in _PERCENTS else 4}f}"


def most_confused(labels: Sequence[str], matrix: Sequence[Sequence[int]]) -> list[tuple[int, str, str]]:
    """(how often, the class that it was, the class that was said), most often first."""
    pairs = [
        (count, labels[row], labels[column])
        for row, counts in enumerate(matrix)
        for column, count in enumerate(counts)
        if count and row != column
    ]
    return sorted(pairs, key=lambda pair: -pair[0])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _interval(name: str, edges: Sequence[float] | None, *, sign: bool = False) -> str:
    return "" if edges is None else f"{number(name, edges[0], sign=sign)} … {number(name, edges[1], sign=sign)}"


def _title(spec: Spec, report: Mapping[str, Any]) -> str:
    who = {"majority": "the answer that is right most often", "model": "the base as it is"}
    lines = [f"{spec.task} on {spec.base.name}" + (f": {spec.name}" if spec.name else "")]
    if "untrained" in report:
        lines.append(f"Before: {who.get(report['untrained'], report['untrained'])}. After: the tuned model.")
    return "\n".join(lines)


def _data(data: Mapping[str, Any] | None) -> str:
    """The counts of examples, whatever else the data report says."""
    counts = (data or {}).get("counts") or {}
    return "Examples: " + ", ".join(f"{name} {count}" for name, count in counts.items()) if counts else ""


def _training(report: Mapping[str, Any]) -> str:
    facts = report.get("training") or {}
    rows = [
        [name, _short(value)] for name, value in facts.items() if _is_number(value) or isinstance(value, str | bool)
    ]
    options = _set(report.get("hyperparameters") or {})
    return "\n\n".join(part for part in (_aligned(rows), f"Hyperparameters: {options}" if options else "") if part)


def _set(options: Mapping[str, Any]) -> str:
    """Those that are plain values, as name=value."""
    return ", ".join(
        f"{name}={_short(value)}" for name, value in options.items() if isinstance(value, int | float | str)
    )


def _short(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _classes(classes: Mapping[str, Mapping[str, float]] | None) -> str:
    if not classes:
        return ""
    rows = [["after, by class", "precision", "recall", "f1", "support"]]
    for label, rates in classes.items():
        rows.append([label, *(f"{rates[name]:.4f}" for name in ("precision", "recall", "f1")), str(rates["support"])])
    return _aligned(rows)


def _confused(confusion: Mapping[str, Any] | None) -> str:
    pairs = most_confused(confusion["labels"], confusion["matrix"])[:_MOST] if confusion else []
    if not pairs:
        return ""
    return _aligned([["was", "taken for", "times"], *([true, said, str(count)] for count, true, said in pairs)])


def _calibration(found: Mapping[str, Any] | None) -> str:
    if not found:
        return ""
    return (
        f"Calibrated with temperature {found['temperature']:.3f} on {found['examples']} validation examples: "
        f"expected calibration error {found['ece_before']:.4f} before, {found['ece_after']:.4f} after."
    )


def _trials(trials: Sequence[Mapping[str, Any]] | None) -> str:
    if not trials:
        return ""
    rows = [["trial", "state", "value", "parameters"]]
    for trial in trials[:_MOST]:
        chosen = trial.get("params", {})
        rows.append(
            [str(trial.get("number", "")), str(trial.get("state", "")), _short(trial.get("value")), _set(chosen)]
        )
    return _aligned(rows)


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """The first column to the left, the others to the right."""
    if not rows:
        return ""
    widths = [max(cell_len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = ("  ".join(_padded(text, widths[at], left=at == 0) for at, text in enumerate(row)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _padded(text: str, width: int, *, left: bool) -> str:
    """Chinese characters are two wide in a terminal."""
    spaces = " " * (width - cell_len(text))
    return text + spaces if left else spaces + text
