"""Where the items of an evaluation's run come from, and what is asked about each."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, Tag

from zhuli.types.assistants.assistant import Temperature, TopP
from zhuli.types.assistants.tools import (
    FunctionTool,
    JsonObjectFormat,
    JsonSchemaFormat,
    ReasoningEffort,
    TextFormat,
)
from zhuli.types.learning.eval_messages import EvalMessages
from zhuli.types.wire import Integer, Metadata, Request, by_type, most, optional


class GivenItem(Request):
    """An item, perhaps with an answer that is there already."""

    item: dict[str, Any]
    sample: dict[str, Any] | None = optional()


class FileContent(Request):
    """Items in the request itself."""

    type: Literal["file_content"]
    content: Annotated[list[GivenItem], most(10_000, least=1)]


class FileId(Request):
    """Items in a file of purpose evals: JSON Lines, each {"item": …, "sample"?: …}."""

    type: Literal["file_id"]
    id: str


class StoredCompletions(Request):
    """Stored chat completions, the newest `limit` of those that fit. created_after and created_before: Unix seconds."""

    type: Literal["stored_completions"]
    metadata: Metadata | None = None
    model: str | None = None
    created_after: Integer | None = None
    created_before: Integer | None = None
    limit: Annotated[Integer, Field(ge=1)] | None = None


class DatasetVersion(Request):
    """Our addition: a part of a data set's version; each item is an example as the task's files have it."""

    type: Literal["dataset_version"]
    version: Annotated[str, Field(max_length=64)]
    part: Literal["training", "validation"] = "validation"


class StoredThreads(Request):
    """Our addition: conversations of threads, each answer of an assistant an item. With neither ids nor metadata: all.

    turns: every answer of a thread, or the last one. history: what stands before the message that is to be answered: the
    stored answers, or (only of assistants) what the assistant itself answers now to each message before it. limit: threads,
    the newest.
    """

    type: Literal["threads"]
    ids: Annotated[list[Annotated[str, Field(max_length=64)]], most(1_000, least=1)] | None = None
    metadata: Metadata | None = None
    limit: Annotated[Integer, Field(ge=1, le=10_000)] = 100
    turns: Literal["all", "last"] = "all"
    history: Literal["stored", "replayed"] = "stored"


_CONTENT = Annotated[FileContent, Tag("~file_content")]
_FILE = Annotated[FileId, Tag("~file_id")]
_DATASET = Annotated[DatasetVersion, Tag("~dataset_version")]
_THREADS = Annotated[StoredThreads, Tag("~threads")]
_STORED = Annotated[StoredCompletions, Tag("~stored_completions")]

ItemSource = FileContent | FileId | StoredCompletions | DatasetVersion | StoredThreads


class JsonlSource(Request):
    """Items that are graded as they are: nobody is asked."""

    type: Literal["jsonl"]
    source: Annotated[_CONTENT | _FILE | _DATASET, by_type()]


class TemplateMessages(Request):
    """Messages with references to the item."""

    type: Literal["template"]
    template: EvalMessages


class ItemReference(Request):
    """Messages, or any input of a tuned model, that stand in the item; item_reference: like item.input."""

    type: Literal["item_reference"]
    item_reference: Annotated[str, Field(max_length=1000)]


class EvalSampling(Request):
    """How the model is asked; what is left out is as published: temperature 1, top_p 1, seed 42."""

    reasoning_effort: ReasoningEffort | None = optional()
    temperature: Temperature | None = optional()
    max_completion_tokens: Annotated[Integer, Field(ge=1)] | None = optional()
    top_p: TopP | None = optional()
    seed: Integer | None = optional()
    response_format: (
        Annotated[
            Annotated[TextFormat, Tag("~text")]
            | Annotated[JsonObjectFormat, Tag("~json_object")]
            | Annotated[JsonSchemaFormat, Tag("~json_schema")],
            by_type(),
        ]
        | None
    ) = optional()
    tools: Annotated[list[FunctionTool], Field(max_length=128)] | None = optional()


class CompletionsSource(Request):
    """Items that somebody is asked about. model: a chat model, a tuned model of a task, or an assistant by its id.

    Without a model, stored completions are graded as they are.
    """

    type: Literal["completions"]
    source: Annotated[_CONTENT | _FILE | _STORED | _DATASET | _THREADS, by_type()]
    model: str | None = optional()
    input_messages: (
        Annotated[
            Annotated[TemplateMessages, Tag("~template")] | Annotated[ItemReference, Tag("~item_reference")], by_type()
        ]
        | None
    ) = optional()
    sampling_params: EvalSampling | None = optional()


class ResponsesSource(Request):
    """Of the Responses API, which this server does not have; whatever is in it is refused by one sentence."""

    model_config = ConfigDict(extra="allow", strict=True)

    type: Literal["responses"]


DataSource = Annotated[
    Annotated[JsonlSource, Tag("~jsonl")]
    | Annotated[CompletionsSource, Tag("~completions")]
    | Annotated[ResponsesSource, Tag("~responses")],
    by_type(),
]
