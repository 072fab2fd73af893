"""A run's report for a person: Markdown, which report_url leads to. Pure."""

from zhuli.types.learning.eval_runs import EvalRunRecord
from zhuli.types.learning.evals import Eval


def report(of: Eval, run: EvalRunRecord) -> str:
    """What was evaluated, what came of it by each criterion, and what it cost."""
    counts = run.result_counts
    done = counts.passed + counts.failed + counts.errored
    lines = [
        f"# {_cell(of.name or of.id)}",
        "",
        f"Run {run.id}{f' ({_cell(run.name)})' if run.name else ''}: {run.status}, "
        f"{done} of {counts.total} items{f', {_cell(run.model)}' if run.model else ''}.",
        "",
        f"{counts.passed} passed ({_share(counts.passed, counts.passed + counts.failed)}), {counts.failed} failed, "
        f"{counts.errored} have no grade.",
    ]
    if run.error is not None:
        lines += ["", f"It failed: {_cell(run.error.message)}"]
    lines += ["", "| criterion | passed | failed | mean score |", "| --- | --- | --- | --- |"]
    for each in run.per_testing_criteria_results:
        share = _share(each.passed, each.passed + each.failed)
        lines.append(
            f"| {_cell(each.testing_criteria)} | {each.passed} ({share}) | {each.failed} | {each.mean_score:.3f} |"
        )
    if run.per_model_usage:
        lines += ["", "| model | calls | prompt tokens | completion tokens |", "| --- | --- | --- | --- |"]
    for usage in run.per_model_usage:
        tokens = f"{usage.prompt_tokens:,} | {usage.completion_tokens:,}"
        lines.append(f"| {_cell(usage.model_name)} | {usage.invocation_count} | {tokens} |")
    return "\n".join([*lines, ""])


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
