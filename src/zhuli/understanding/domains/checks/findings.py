"""How a check of a domain says what it found, and that it does not say the same a hundred times."""

from collections import Counter
from collections.abc import Iterable

from zhuli.types.understanding.domain import Finding

MOST_OF_A_CODE = 20
"""Findings of one kind that are told one by one."""


def error(code: str, where: str, message: str) -> Finding:
    """What a domain can't be saved with."""
    return Finding(level="error", code=code, where=where, message=message)


def warning(code: str, where: str, message: str) -> Finding:
    """What is probably not meant."""
    return Finding(level="warning", code=code, where=where, message=message)


def told(findings: Iterable[Finding], *, most: int = MOST_OF_A_CODE) -> list[Finding]:
    """Errors first; of each code the first `most`, and how many more there are."""
    first: dict[tuple[str, str], list[Finding]] = {}
    count: Counter[tuple[str, str]] = Counter()
    for finding in findings:  # there may be a million: those that are not told are not kept either
        kind = (finding.level, finding.code)
        count[kind] += 1
        if count[kind] <= most:
            first.setdefault(kind, []).append(finding)
    kept: list[Finding] = []
    for (level, code), same in sorted(first.items(), key=lambda item: item[0][0] != "error"):
        kept += same
        if (more := count[level, code] - most) > 0:
            text = f"{same[-1].message} ({more} more {level}s like this.)"
            kept[-1] = same[-1].model_copy(update={"message": text})
    return kept


def summed_up(findings: Iterable[Finding]) -> list[str]:
    """A line for each code, the most frequent first: how often, and the first of it."""
    by_code: dict[str, list[Finding]] = {}
    for finding in findings:
        by_code.setdefault(finding.code, []).append(finding)
    ordered = sorted(by_code.items(), key=lambda item: -len(item[1]))
    return [f"{len(same):5} {code}, first {same[0].where}: {same[0].message}" for code, same in ordered]
