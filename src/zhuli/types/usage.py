"""What was used, as /v1/organization/usage shows it: a page of buckets of time with a result a group."""

from typing import Any, Literal

from zhuli.types.wire import Wire, optional


class UsageResult(Wire):
    """Of a bucket and a group. What it was not grouped by is null, as are numbers of what is not done here."""

    object: str
    input_tokens: int
    num_model_requests: int
    output_tokens: int | None = optional()
    input_cached_tokens: int | None = optional()
    input_audio_tokens: int | None = optional()
    output_audio_tokens: int | None = optional()
    project_id: str | None = None
    user_id: str | None = None
    api_key_id: str | None = None
    model: str | None = None
    batch: bool | None = None


class UsageBucket(Wire):
    """From start_time to before end_time, in seconds since 1970."""

    object: Literal["bucket"] = "bucket"
    start_time: int
    end_time: int
    results: list[UsageResult]


class UsagePage(Wire):
    """Buckets, oldest first; next_page: what to ask with for those after them."""

    object: Literal["page"] = "page"
    data: list[UsageBucket]
    has_more: bool
    next_page: str | None


def result_of(kind: str, counts: Any, group: dict[str, Any]) -> UsageResult:
    """Of the counts of a kind. Completions have more numbers than the others."""
    numbers: dict[str, Any] = {"input_tokens": counts.input_tokens, "num_model_requests": counts.requests}
    if kind == "completions":
        numbers |= {"output_tokens": counts.output_tokens, "input_cached_tokens": counts.cached_tokens}
        numbers |= {"input_audio_tokens": 0, "output_audio_tokens": 0}
    return UsageResult(object=f"organization.usage.{kind}.result", **numbers, **group)
