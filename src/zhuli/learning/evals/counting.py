"""A run's counts as the fold of its outputs. Pure."""

from collections.abc import Sequence

from zhuli.learning.evals.targets import Answered
from zhuli.types.learning.eval_runs import CriterionCounts, EvalRunRecord, ModelUsage, OutputItem


def counted(run: EvalRunRecord, output: OutputItem, asked: Sequence[Answered]) -> EvalRunRecord:
    """The run with one output more. asked: every call of a model that it took."""
    counts = run.result_counts
    name = {"pass": "passed", "fail": "failed", "error": "errored"}[output.status]
    return run.model_copy(
        update={
            "result_counts": counts.model_copy(update={name: getattr(counts, name) + 1}),
            "per_testing_criteria_results": [_criterion(each, output) for each in run.per_testing_criteria_results],
            "per_model_usage": _usage(run.per_model_usage, asked),
        }
    )


def _criterion(known: CriterionCounts, output: OutputItem) -> CriterionCounts:
    found = next((result for result in output.results if result.name == known.testing_criteria), None)
    if found is None:
        return known
    number = known.passed + known.failed
    return known.model_copy(
        update={
            "passed": known.passed + found.passed,
            "failed": known.failed + (not found.passed),
            "mean_score": (known.mean_score * number + found.score) / (number + 1),
        }
    )


def _usage(known: Sequence[ModelUsage], asked: Sequence[Answered]) -> list[ModelUsage]:
    usages = {usage.model_name: usage for usage in known}
    for each in asked:
        before = usages.get(each.model, ModelUsage(model_name=each.model))
        usages[each.model] = ModelUsage(
            model_name=each.model,
            invocation_count=before.invocation_count + 1,
            prompt_tokens=before.prompt_tokens + each.usage.prompt_tokens,
            completion_tokens=before.completion_tokens + each.usage.completion_tokens,
            total_tokens=before.total_tokens + each.usage.total_tokens,
            cached_tokens=before.cached_tokens + each.usage.cached_tokens,
        )
    return list(usages.values())
