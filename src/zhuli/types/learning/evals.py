"""The Eval: what is evaluated by which criteria. Its runs are in eval_runs."""

from typing import Annotated, Any, Literal

from pydantic import Field, Tag

from zhuli.types.learning.graders import Grader
from zhuli.types.wire import Metadata, Request, Wire, by_type

EvalName = Annotated[str, Field(max_length=512)]


class CustomConfigCreate(Request):
    """item_schema: a JSON Schema that every item satisfies. include_sample_schema: whether a model is asked."""

    type: Literal["custom"]
    item_schema: dict[str, Any]
    include_sample_schema: bool = False


class LogsConfigCreate(Request):
    """Items are stored chat completions with this metadata; the older name is stored_completions."""

    type: Literal["logs", "stored_completions"]
    metadata: Metadata | None = None


DataSourceConfigCreate = Annotated[
    Annotated[CustomConfigCreate, Tag("~custom")]
    | Annotated[LogsConfigCreate, Tag("~logs")]
    | Annotated[LogsConfigCreate, Tag("~stored_completions")],
    by_type(),
]


class EvalCreate(Request):
    """A new eval."""

    name: EvalName | None = None
    metadata: Metadata | None = None
    data_source_config: DataSourceConfigCreate
    testing_criteria: Annotated[list[Grader], Field(min_length=1, max_length=32)]


class EvalModify(Request):
    """New values; what is left out stays."""

    name: EvalName | None = None
    metadata: Metadata | None = None


class DataSourceConfig(Wire):
    """The configuration as it is shown. schema_: of {"item": …, "sample": …}."""

    type: Literal["custom", "logs", "stored_completions"]
    metadata: dict[str, str] | None = Field(default=None, exclude_if=lambda value: value is None)
    schema_: dict[str, Any] = Field(alias="schema", serialization_alias="schema")

    model_config = {"populate_by_name": True, "serialize_by_alias": True}


class Eval(Wire):
    """updated_at is our addition: lists can be ordered by it."""

    object: Literal["eval"] = "eval"
    id: str
    name: str
    data_source_config: DataSourceConfig
    testing_criteria: list[Grader]
    created_at: int
    updated_at: int
    metadata: dict[str, str]


class EvalDeleted(Wire):
    """The answer to deleting an eval."""

    object: Literal["eval.deleted"] = "eval.deleted"
    deleted: Literal[True] = True
    eval_id: str


_SAMPLE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "model": {"type": "string"},
        "output_text": {"type": "string"},
        "output_json": {},
        "output_tools": {"type": "array", "items": {"type": "object"}},
        "choices": {"type": "array", "items": {"type": "object"}},
        "finish_reason": {"type": "string"},
    },
    "required": ["model", "choices"],
}

_LOGGED: dict[str, Any] = {
    "type": "object",
    "properties": {
        "input": {"type": "array", "items": {"type": "object"}},
        "id": {"type": "string"},
        "metadata": {"type": "object"},
    },
    "required": ["input"],
}


def shown_config(asked: CustomConfigCreate | LogsConfigCreate) -> DataSourceConfig:
    """The configuration with the schema of what templates may refer to."""
    if isinstance(asked, LogsConfigCreate):
        schema = _schema(_LOGGED, sampled=True)
        return DataSourceConfig(type=asked.type, metadata=dict(asked.metadata or {}), schema_=schema)
    return DataSourceConfig(type="custom", schema_=_schema(asked.item_schema, sampled=asked.include_sample_schema))


def _schema(item: dict[str, Any], *, sampled: bool) -> dict[str, Any]:
    properties = {"item": item, **({"sample": _SAMPLE} if sampled else {})}
    return {"type": "object", "properties": properties, "required": list(properties)}
