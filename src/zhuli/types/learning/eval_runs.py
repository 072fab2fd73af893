"""Runs of evaluations: what is asked for, how far one has come, and what came of each item."""

from typing import Annotated, Any, Literal

from pydantic import Field

from zhuli.types.learning.comparison import Comparison
from zhuli.types.learning.eval_sources import DataSource
from zhuli.types.learning.graders import GraderResult
from zhuli.types.wire import Integer, Metadata, Request, Wire

RunStatus = Literal["queued", "in_progress", "completed", "canceled", "failed"]
ENDED: tuple[RunStatus, ...] = ("completed", "canceled", "failed")


class EvalRunCreate(Request):
    """A new run of an eval."""

    name: Annotated[str, Field(max_length=512)] | None = None
    metadata: Metadata | None = None
    data_source: DataSource


class EvalError(Wire):
    """Why a run failed, or an item has no grade."""

    code: str
    message: str


class ResultCounts(Wire):
    """total: items that there are, as far as they have been read."""

    total: int = 0
    errored: int = 0
    failed: int = 0
    passed: int = 0


class ModelUsage(Wire):
    """What a model was asked in a run, as target or as judge."""

    model_name: str
    invocation_count: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    cached_tokens: int = 0


class CriterionCounts(Wire):
    """testing_criteria: the criterion's name. mean_score is our addition: of the items that have a score."""

    testing_criteria: str
    passed: int = 0
    failed: int = 0
    mean_score: float = 0.0


class EvalRunRecord(Wire):
    """A run as it is kept, without its data source, which is large and never changes.

    report_url: a path until somebody asks. loaded: whether all items have been read.
    """

    object: Literal["eval.run"] = "eval.run"
    id: str
    eval_id: str
    status: RunStatus
    model: str
    name: str
    created_at: int
    started_at: int | None = None
    finished_at: int | None = None
    report_url: str
    result_counts: ResultCounts
    per_model_usage: list[ModelUsage]
    per_testing_criteria_results: list[CriterionCounts]
    metadata: dict[str, str]
    error: EvalError | None = None
    loaded: bool = False


class EvalRun(EvalRunRecord):
    """A run as clients see it. started_at, finished_at and loaded are our additions."""

    data_source: DataSource


class EvalRunDeleted(Wire):
    """The answer to deleting a run."""

    object: Literal["eval.run.deleted"] = "eval.run.deleted"
    deleted: Literal[True] = True
    run_id: str


class SampleUsage(Wire):
    """Tokens of one answer."""

    total_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0


class Sample(Wire):
    """What was asked and answered about an item. max_completion_tokens is 0 where no limit was asked for."""

    input: list[dict[str, Any]] = []
    output: list[dict[str, Any]] = []
    finish_reason: str = "stop"
    model: str = ""
    usage: SampleUsage = SampleUsage()
    error: EvalError | None = None
    temperature: float = 1.0
    max_completion_tokens: int = 0
    top_p: float = 1.0
    seed: int = 42


class OutputItem(Wire):
    """What came of one item. status: pass, fail, or error where it has no grade. datasource_item_id: from 0."""

    object: Literal["eval.run.output_item"] = "eval.run.output_item"
    id: str
    run_id: str
    eval_id: str
    created_at: int
    status: Literal["pass", "fail", "error"]
    datasource_item_id: int
    datasource_item: dict[str, Any]
    results: list[GraderResult]
    sample: Sample


class EvalComparisonCreate(Request):
    """Two runs of an eval beside each other. before, after: ids of runs.

    criterion: the name of the one that is compared; None: whether the item passed all. score: compare scores instead of
    passing. slices: references into the item, by the dimension's name, such as {"topic": "item.topic"}. text: the reference
    to the text whose language and length are slices.
    """

    before: str
    after: str
    criterion: str | None = None
    score: bool = False
    slices: dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=1000)]] = {}
    text: Annotated[str, Field(max_length=1000)] | None = None
    seed: Integer = 0


class EvalComparison(Wire):
    """unpaired: items that only one of the runs has graded."""

    object: Literal["eval.comparison"] = "eval.comparison"
    eval_id: str
    before: str
    after: str
    criterion: str | None
    comparison: Comparison
    slices: list[Comparison]
    unpaired: int
