"""Looks at a domain before it is saved: what can't work, and what is probably not meant. No model is asked.

Names are in naming, examples in teaching, everything else in soundness. What learning finds is the understander's report.
"""

from collections.abc import Collection
from itertools import chain

from zhuli.core.errors import InvalidRequest
from zhuli.types.understanding.domain import DomainFields, DomainReport
from zhuli.understanding.domains.checks.findings import told
from zhuli.understanding.domains.checks.naming import check_names
from zhuli.understanding.domains.checks.soundness import check_parts
from zhuli.understanding.domains.checks.teaching import check_examples, count_examples
from zhuli.understanding.language.entity_extraction.patterns import CHECK_SECONDS, SearchTime

_MOST_SAID = 5
"""Errors that a refusal names."""


def check(
    fields: DomainFields, *, plugins: Collection[str] | None = None, search_time: SearchTime | None = None
) -> DomainReport:
    """What was found, errors first; pure. A server calls it in a thread: 10,000 examples take it a second.

    plugins: the understanders "package.module:Class" that the server allows; None where that is not known. search_time: what
    its expressions have, for whoever wants to stop them.
    """
    with (search_time or SearchTime(CHECK_SECONDS)).of_all_here():
        findings = told(chain(check_names(fields), check_examples(fields), check_parts(fields, plugins)))
    return DomainReport(findings=findings, examples=count_examples(fields))


def refuse_errors(report: DomainReport) -> None:
    """InvalidRequest, if a domain can't be saved with what was found; it names the first errors."""
    errors = [finding for finding in report.findings if finding.level == "error"]
    if not errors:
        return
    said = [f"{finding.where}: {finding.message}" for finding in errors[:_MOST_SAID]]
    more = f" And {len(errors) - _MOST_SAID} more." if len(errors) > _MOST_SAID else ""
    raise InvalidRequest(f"{' '.join(said)}{more}", param=errors[0].where, code="invalid_domain")
