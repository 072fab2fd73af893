"""The contract's OpenAPI document, with what must be corrected in it before answers can be held against it.

The document itself stays as published (tests/openapi); every departure from it is one function of CORRECTIONS, and
every path that it does not know is one line of ADDITIONS. It does not validate anything: that is contract.py.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Schema = dict[str, Any]

PREFIX = "/v1"
DOCUMENT = Path(__file__).parent.parent / "openapi" / "openapi.json"


def load() -> Schema:
    """The corrected document."""
    document: Schema = json.loads(DOCUMENT.read_text())
    for correct in CORRECTIONS:
        document = correct(document)
    return document


def nullable_is_meant(node: Any) -> Any:
    """`nullable: true` is OpenAPI 3.0; in a 3.1 document it means nothing, though the examples do show null there."""
    if isinstance(node, list):
        return [nullable_is_meant(item) for item in node]
    if not isinstance(node, dict):
        return node
    corrected = {key: nullable_is_meant(value) for key, value in node.items() if key != "nullable"}
    if node.get("nullable") is True or any(_only_says_nullable(member) for member in node.get("allOf", ())):
        return {"anyOf": [corrected, {"type": "null"}]}
    return corrected


def exclusive_bounds_are_numbers(node: Any) -> Any:
    """`exclusiveMinimum: true` beside a minimum is OpenAPI 3.0 as well; in 3.1 it is the bound itself."""
    if isinstance(node, list):
        return [exclusive_bounds_are_numbers(item) for item in node]
    if not isinstance(node, dict):
        return node
    corrected = {key: exclusive_bounds_are_numbers(value) for key, value in node.items()}
    if corrected.get("exclusiveMinimum") is True:
        corrected["exclusiveMinimum"] = corrected.pop("minimum")
    return corrected


def _only_says_nullable(member: Schema) -> bool:
    return member.get("nullable") is True and not ({"$ref", "properties", "type"} & set(member))


def runs_inherit_every_tool(document: Schema) -> Schema:
    """A run object may carry 128 tools: 20 limits what a run request may send, not what a run inherits (§1.5)."""
    del _property(document, "RunObject", "tools")["maxItems"]
    return document


def empty_lists_have_null_ends(document: Schema) -> Schema:
    """first_id and last_id are null when there is nothing on the page (§1.1), where the schemas say string."""
    for schema in document["components"]["schemas"].values():
        properties = schema.get("properties", {})
        if {"data", "first_id", "last_id", "has_more"} <= set(properties):
            for name in ("first_id", "last_id"):
                properties[name] = {"type": ["string", "null"]}
    return document


def errors_are_wrapped_in_streams(document: Schema) -> Schema:
    """SDKs swallow the bare error that ErrorEvent describes and raise the wrapped one (§3.1)."""
    document["components"]["schemas"]["ErrorEvent"]["properties"]["data"] = {
        "$ref": "#/components/schemas/ErrorResponse"
    }
    return document


def evals_is_a_purpose(document: Schema) -> Schema:
    """Files may be uploaded for evals (§5), which the object's own enum forgets."""
    _property(document, "OpenAIFile", "purpose")["enum"].append("evals")
    return document


def file_content_is_bytes(document: Schema) -> Schema:
    """The content of a file is what was uploaded, not a JSON string."""
    document["paths"]["/files/{file_id}/content"]["get"]["responses"]["200"]["content"] = {"*/*": {}}
    return document


def embeddings_may_be_base64(document: Schema) -> Schema:
    """A vector is a string where encoding_format says so, and the SDK does by default (§3.1)."""
    numbers = _property(document, "Embedding", "embedding")
    document["components"]["schemas"]["Embedding"]["properties"]["embedding"] = {"anyOf": [numbers, {"type": "string"}]}
    return document


def runs_may_be_streamed(document: Schema) -> Schema:
    """Three operations answer with events when the body says `stream`; the document knows only their JSON."""
    events = {"schema": {"$ref": "#/components/schemas/AssistantStreamEvent"}}
    for path in (
        "/threads/runs",
        "/threads/{thread_id}/runs",
        "/threads/{thread_id}/runs/{run_id}/submit_tool_outputs",
    ):
        document["paths"][path]["post"]["responses"]["200"]["content"]["text/event-stream"] = events
    return document


def jobs_may_be_paused(document: Schema) -> Schema:
    """The example of pausing a job shows a status that the enum forgets."""
    _property(document, "FineTuningJob", "status")["enum"].append("paused")
    return document


def stored_messages_have_any_role(document: Schema) -> Schema:
    """What was stored is the request's messages; the list's items are described as if they were the answer's."""
    items = document["components"]["schemas"]["ChatCompletionMessageList"]["properties"]["data"]["items"]
    answer = document["components"]["schemas"]["ChatCompletionResponseMessage"]
    properties = {**answer["properties"], "role": {"type": "string"}}
    items["allOf"][0] = {**answer, "properties": properties}
    return document


def custom_calls_are_streamed_too(document: Schema) -> Schema:
    """The chunk of a call knows only functions, where the whole call may be a custom tool's."""
    _property(document, "ChatCompletionMessageToolCallChunk", "type")["enum"].append("custom")
    return document


def tools_may_be_the_server_s(document: Schema) -> Schema:
    """What an operator adds has a type of its own, in lists of tools and in calls (docs/decisions/0009)."""
    for schema, field in (
        ("AssistantObject", "tools"),
        ("RunObject", "tools"),
        ("RunStepDetailsToolCallsObject", "tool_calls"),
        ("RunStepDeltaStepDetailsToolCallsObject", "tool_calls"),
    ):
        call = field == "tool_calls"
        known = {"enum": ["code_interpreter", "file_search", "function"]}
        properties: Schema = {"type": {"type": "string", "not": known}, **({"id": {"type": "string"}} if call else {})}
        added = {"type": "object", "properties": properties, "required": ["type"]}
        _property(document, schema, field)["items"]["oneOf"].append(added)
    choice = document["components"]["schemas"]["AssistantsNamedToolChoice"]["properties"]["type"]
    del choice["enum"]
    return document


def evals_may_be_without_fault(document: Schema) -> Schema:
    """`error` is null where there is none, as all the examples show it; the schemas require an error always."""
    for properties in (
        document["components"]["schemas"]["EvalRun"]["properties"],
        _property(document, "EvalRunOutputItem", "sample")["properties"],
    ):
        properties["error"] = {"anyOf": [properties["error"], {"type": "null"}]}
    return document


def messages_of_evals_are_of_either_kind(document: Schema) -> Schema:
    """A message with a role and a text is both of the kinds of which it must be one."""
    source = document["components"]["schemas"]["CreateEvalCompletionsRunDataSource"]["properties"]
    template = source["input_messages"]["oneOf"][0]["properties"]["template"]["items"]
    template["anyOf"] = template.pop("oneOf")
    message = document["components"]["schemas"]["CreateEvalItem"]
    message["anyOf"] = message.pop("oneOf")
    return document


def evals_may_stand_on_data_sets(document: Schema) -> Schema:
    """Items from a part of a data set's version, and from threads, are our additions."""
    threads = {"type": "object", "properties": {"type": {"const": "threads"}}, "required": ["type"]}
    version = {"type": "object", "properties": {"type": {"const": "dataset_version"}}, "required": ["type", "version"]}
    for name in ("CreateEvalJsonlRunDataSource", "CreateEvalCompletionsRunDataSource"):
        _property(document, name, "source")["oneOf"] += [version, threads]
    return document


def responses_may_be_joined_and_deleted(document: Schema) -> Schema:
    """A response is followed by GET with `stream`; what a deletion answers is not said at all."""
    paths = document["paths"]["/responses/{response_id}"]
    events = document["paths"]["/responses"]["post"]["responses"]["200"]["content"]["text/event-stream"]
    paths["get"]["responses"]["200"]["content"]["text/event-stream"] = events
    deleted = {"properties": {"object": {"const": "response.deleted"}}, "required": ["id", "object", "deleted"]}
    paths["delete"]["responses"]["200"] = {"content": {"application/json": {"schema": deleted}}}
    return document


def responses_have_no_usage_before_their_end(document: Schema) -> Schema:
    """`usage` is null in the events that begin a stream, as the examples have it."""
    for member in document["components"]["schemas"]["Response"]["allOf"]:
        properties = member.get("properties", {})
        if "usage" in properties:
            properties["usage"] = {"anyOf": [properties["usage"], {"type": "null"}]}
    return document


def _property(document: Schema, schema: str, name: str) -> Schema:
    found: Schema = document["components"]["schemas"][schema]["properties"][name]
    return found


def passages_say_where_they_are_from(document: Schema) -> Schema:
    """Section, page and the header of a table are our additions to a result of a search."""
    properties = document["components"]["schemas"]["VectorStoreSearchResultItem"]["properties"]
    properties |= {"section": {"type": "string"}, "page": {"type": "integer"}, "table_header": {"type": "string"}}
    return document


CORRECTIONS: tuple[Callable[[Schema], Schema], ...] = (
    nullable_is_meant,
    exclusive_bounds_are_numbers,
    runs_inherit_every_tool,
    empty_lists_have_null_ends,
    errors_are_wrapped_in_streams,
    evals_is_a_purpose,
    file_content_is_bytes,
    embeddings_may_be_base64,
    runs_may_be_streamed,
    jobs_may_be_paused,
    stored_messages_have_any_role,
    custom_calls_are_streamed_too,
    tools_may_be_the_server_s,
    evals_may_be_without_fault,
    messages_of_evals_are_of_either_kind,
    evals_may_stand_on_data_sets,
    responses_may_be_joined_and_deleted,
    responses_have_no_usage_before_their_end,
    passages_say_where_they_are_from,
)

_THREADS: Schema = {
    "type": "object",
    "properties": {
        "object": {"const": "list"},
        "data": {"type": "array", "items": {"$ref": "#/components/schemas/ThreadObject"}},
        "first_id": {"type": ["string", "null"]},
        "last_id": {"type": ["string", "null"]},
        "has_more": {"type": "boolean"},
    },
    "required": ["object", "data", "first_id", "last_id", "has_more"],
}

_ALIAS: Schema = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "object": {"const": "model_alias"}, "model": {"type": "string"}},
    "required": ["id", "object", "model", "moves"],
}

_PREDICTIONS: Schema = {
    "type": "object",
    "properties": {
        "object": {"const": "list"},
        "model": {"type": "string"},
        "task": {"type": "string"},
        "data": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"index": {"type": "integer"}, "explanation": {"type": "object"}},
                "required": ["index", "output"],
            },
        },
        "usage": {
            "type": "object",
            "properties": {"prompt_tokens": {"type": "integer"}, "total_tokens": {"type": "integer"}},
            "required": ["prompt_tokens", "total_tokens"],
        },
    },
    "required": ["object", "model", "task", "data", "usage"],
}

_STATE: Schema = {
    "type": "object",
    "properties": {
        "object": {"const": "thread.state"},
        "thread_id": {"type": "string"},
        "turn": {"type": "integer"},
        "slots": {"type": "object"},
        "topics": {"type": "array"},
        "handed_over": {"type": "boolean"},
    },
    "required": ["object", "thread_id", "domain", "turn", "intent", "slots", "topics", "asked", "handed_over"],
}

_SCORE: Schema = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "confidence": {"type": "number", "minimum": 0, "maximum": 1}},
    "required": ["name", "confidence"],
}

_ANSWERED_UNDERSTANDING: Schema = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": "^und_"},
        "object": {"const": "understanding"},
        "intent": {"anyOf": [_SCORE, {"type": "null"}]},
        "ranking": {"type": "array", "items": _SCORE},
        "entities": {"type": "array", "items": {"required": ["entity", "text", "value", "start", "end", "source"]}},
        "slots": {"type": "object"},
        "reasons": {"type": "array", "items": {"type": "string"}},
        "decision": {"required": ["act", "why"]},
        "state": {"properties": {"object": {"const": "thread.state"}}, "required": ["turn", "slots", "topics"]},
    },
    "required": ["id", "object", "domain", "version", "intent", "ranking", "entities", "slots", "decision", "state"],
}

_UNDERSTANDING_LIST: Schema = {
    "type": "object",
    "properties": {
        "object": {"const": "list"},
        "data": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"id": {"type": "string"}, "object": {"const": "understanding"}},
                "required": ["id", "object", "domain", "message_id", "intent", "slots", "changes"],
            },
        },
    },
    "required": ["object", "data", "first_id", "last_id", "has_more"],
}

_DOMAIN_REPORT: Schema = {
    "type": "object",
    "properties": {
        "object": {"const": "domain.report"},
        "findings": {"type": "array", "items": {"required": ["level", "code", "where", "message"]}},
        "learned": {"type": "boolean"},
    },
    "required": ["object", "findings", "learned", "examples", "accuracy", "threshold"],
}

_DOMAIN: Schema = {
    "type": "object",
    "properties": {
        "object": {"const": "domain"},
        "version": {"type": "integer", "minimum": 1},
        "report": _DOMAIN_REPORT,
        "intents": {"type": "array"},
        "responses": {"type": "object"},
    },
    "required": ["id", "object", "created_at", "version", "report", "intents", "entities", "slots", "forms"],
}

_FEEDBACK: Schema = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": "^fb_"},
        "object": {"const": "feedback"},
        "state": {"enum": ["new", "accepted", "corrected", "rejected"]},
        "weight": {"type": "number", "minimum": 0, "maximum": 1},
        "reviews": {"type": "array", "items": {"required": ["reviewer", "state", "correction", "at"]}},
    },
    "required": ["id", "object", "created_at", "target", "verdict", "grade", "correction", "labels", "source", "state"],
}

_FEEDBACK_LIST: Schema = {
    "type": "object",
    "properties": {"object": {"const": "list"}, "data": {"type": "array", "items": _FEEDBACK}},
    "required": ["object", "data", "first_id", "last_id", "has_more"],
}

_DATASET: Schema = {
    "type": "object",
    "properties": {"id": {"type": "string", "pattern": "^dset_"}, "object": {"const": "dataset"}},
    "required": ["id", "object", "created_at", "name", "task", "language", "metadata"],
}

_DATASET_TASK: Schema = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": "^dst_"},
        "object": {"const": "dataset.task"},
        "kind": {"enum": ["import", "version", "label_noise", "weak_labels"]},
        "status": {"enum": ["queued", "completed", "failed"]},
        "version": {"type": ["string", "null"]},
    },
    "required": ["id", "object", "created_at", "dataset_id", "kind", "status", "request", "result", "error"],
}

_DATASET_VERSION: Schema = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": "^dsv_"},
        "object": {"const": "dataset.version"},
        "digest": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "deleted_users": {"type": "integer", "minimum": 0},
    },
    "required": ["id", "object", "position", "training_file", "validation_file", "manifest_file", "examples", "report"],
}


def _list_of(item: Schema) -> Schema:
    properties: Schema = {"object": {"const": "list"}, "data": {"type": "array", "items": item}}
    return {"type": "object", "properties": properties, "required": ["object", "data", "has_more"]}


def _needs(*names: str) -> Schema:
    return {"application/json": {"schema": {"type": "object", "required": list(names)}}}


_DOMAIN_TEST: Schema = {
    "type": "object",
    "properties": {
        "object": {"const": "domain.test"},
        "conversations": {"type": "integer", "minimum": 0},
        "conversations_right": {"type": "integer", "minimum": 0},
        "turns": {"type": "integer", "minimum": 0},
        "right": {"type": "integer", "minimum": 0},
        "differences": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["conversation", "turn", "user", "what", "expected", "found", "why"],
            },
        },
        "examples": {"type": ["object", "null"]},
    },
    "required": ["object", "conversations", "conversations_right", "turns", "right", "differences", "examples"],
}

_TEXT_COMPLETION: Schema = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": "^cmpl-"},
        "object": {"const": "text_completion"},
        "created": {"type": "integer"},
        "model": {"type": "string"},
        "choices": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "text": {"type": "string"},
                    "index": {"type": "integer"},
                    "logprobs": {
                        "type": ["object", "null"],
                        "required": ["tokens", "token_logprobs", "top_logprobs", "text_offset"],
                    },
                    "finish_reason": {"enum": ["stop", "length", "content_filter", None]},
                },
                "required": ["text", "index", "logprobs", "finish_reason"],
            },
        },
        "usage": {"anyOf": [{"$ref": "#/components/schemas/CompletionUsage"}, {"type": "null"}]},
    },
    "required": ["id", "object", "created", "model", "choices"],
}
"""As the original has it, of whose description only what was served at first was cut out."""

_COMPARISON: Schema = {
    "type": "object",
    "properties": {
        "object": {"const": "eval.comparison"},
        "comparison": {"required": ["number", "before", "after", "difference", "interval", "p", "gained", "lost"]},
        "slices": {"type": "array", "items": {"required": ["name", "number", "difference", "p", "sentence"]}},
        "unpaired": {"type": "integer", "minimum": 0},
    },
    "required": ["object", "eval_id", "before", "after", "criterion", "comparison", "slices", "unpaired"],
}

_AGREEMENT: Schema = {
    "type": "object",
    "properties": {"object": {"const": "agreement"}, "kappa": {"type": ["number", "null"], "maximum": 1}},
    "required": ["object", "number", "observed", "expected", "kappa", "interval", "labels", "matrix", "sentence"],
}

_THRESHOLDS: Schema = {
    "type": "object",
    "properties": {
        "object": {"const": "moderation.thresholds"},
        "own": {"type": "object"},
        "defaults": {"type": "object"},
    },
    "required": ["object", "own", "defaults", "not_judged"],
}

_AUDIT: Schema = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": "^audit_"},
        "object": {"const": "audit"},
        "status": {"enum": ["queued", "in_progress", "completed", "failed"]},
        "report": {"type": ["object", "null"], "required": ["axes", "passed", "reasons"]},
    },
    "required": ["id", "object", "created_at", "status", "model", "language", "request", "report", "error"],
}

_ANY = {"application/json": {"schema": {"type": "object"}}}
_DESK = f"{PREFIX}/support_desks/{{desk_id}}"
_SUPPORT: dict[tuple[str, str], Schema] = {
    ("POST", f"{PREFIX}/support_desks"): _ANY,
    ("GET", f"{PREFIX}/support_desks"): _ANY,
    ("GET", _DESK): _ANY,
    ("POST", _DESK): _ANY,
    ("DELETE", _DESK): _ANY,
    ("POST", f"{_DESK}/imports"): _ANY,
    ("POST", f"{_DESK}/publish"): _ANY,
    ("POST", f"{_DESK}/evaluations"): _ANY,
    ("GET", f"{_DESK}/tasks"): _ANY,
    ("GET", f"{_DESK}/tasks/{{work_id}}"): _ANY,
    ("POST", f"{_DESK}/proposals"): _ANY,
    ("GET", f"{_DESK}/proposals"): _ANY,
    ("GET", f"{_DESK}/proposals/{{proposal_id}}"): _ANY,
    ("POST", f"{_DESK}/proposals/{{proposal_id}}"): _ANY,
    ("GET", f"{_DESK}/handoffs"): _ANY,
    ("GET", f"{_DESK}/handoffs/{{handoff_id}}"): _ANY,
    ("POST", f"{_DESK}/handoffs/{{handoff_id}}/claim"): _ANY,
    ("POST", f"{_DESK}/handoffs/{{handoff_id}}/answer"): _ANY,
    ("POST", f"{_DESK}/handoffs/{{handoff_id}}/return"): _ANY,
}

ADDITIONS: dict[tuple[str, str], Schema] = {
    ("POST", f"{PREFIX}/opinion_monitors"): _needs("id", "name", "companies", "alerts"),
    ("GET", f"{PREFIX}/opinion_monitors"): _needs("object", "data", "has_more"),
    ("GET", f"{PREFIX}/opinion_monitors/{{monitor_id}}"): _needs("id", "name", "companies", "alerts"),
    ("POST", f"{PREFIX}/opinion_monitors/{{monitor_id}}"): _needs("id", "name", "companies", "alerts"),
    ("DELETE", f"{PREFIX}/opinion_monitors/{{monitor_id}}"): _needs("id", "deleted"),
    ("GET", f"{PREFIX}/opinion_monitors/{{monitor_id}}/status"): _needs(
        "received", "waiting", "watermark", "looked_until"
    ),
    ("POST", f"{PREFIX}/opinion_monitors/{{monitor_id}}/items"): _needs("object", "data"),
    ("GET", f"{PREFIX}/opinion_monitors/{{monitor_id}}/items"): _needs("object", "data", "has_more", "next"),
    ("GET", f"{PREFIX}/opinion_monitors/{{monitor_id}}/items/{{item_id}}"): _needs("id", "text", "reading"),
    ("GET", f"{PREFIX}/opinion_monitors/{{monitor_id}}/series"): _needs("object", "data"),
    ("GET", f"{PREFIX}/opinion_monitors/{{monitor_id}}/aggregates"): _needs("series", "hours", "data"),
    ("GET", f"{PREFIX}/opinion_monitors/{{monitor_id}}/chart"): {"image/svg+xml": {}, "image/png": {}},
    ("GET", f"{PREFIX}/opinion_monitors/{{monitor_id}}/alerts"): _needs("object", "data", "has_more"),
    ("GET", f"{PREFIX}/opinion_monitors/{{monitor_id}}/alerts/{{alert_id}}"): _needs("id", "series", "evidence"),
    ("POST", f"{PREFIX}/opinion_monitors/{{monitor_id}}/alerts/{{alert_id}}/acknowledge"): _needs("id", "state"),
    ("POST", f"{PREFIX}/opinion_monitors/{{monitor_id}}/alerts/{{alert_id}}/silence"): _needs("id", "state"),
    **_SUPPORT,
    ("GET", f"{PREFIX}/organization/audit_logs"): _needs("object", "data", "has_more"),
    ("GET", f"{PREFIX}/organization/usage/{{kind}}"): _needs("object", "data", "has_more", "next_page"),
    ("POST", f"{PREFIX}/audits"): {"application/json": {"schema": _AUDIT}},
    ("GET", f"{PREFIX}/audits"): {"application/json": {"schema": {"type": "object"}}},
    ("GET", f"{PREFIX}/audits/{{audit_id}}"): {"application/json": {"schema": _AUDIT}},
    ("DELETE", f"{PREFIX}/audits/{{audit_id}}"): {"application/json": {"schema": {"type": "object"}}},
    ("POST", f"{PREFIX}/evals/{{eval_id}}/comparisons"): {"application/json": {"schema": _COMPARISON}},
    ("GET", f"{PREFIX}/evals/{{eval_id}}/runs/{{run_id}}/agreement"): {"application/json": {"schema": _AGREEMENT}},
    ("POST", f"{PREFIX}/evals/{{eval_id}}/runs/{{run_id}}/cancel"): {
        "application/json": {"schema": {"$ref": "#/components/schemas/EvalRun"}}
    },
    ("GET", f"{PREFIX}/evals/{{eval_id}}/runs/{{run_id}}/report"): {"text/markdown": {}},
    ("GET", f"{PREFIX}/moderations/thresholds"): {"application/json": {"schema": _THRESHOLDS}},
    ("PUT", f"{PREFIX}/moderations/thresholds"): {"application/json": {"schema": _THRESHOLDS}},
    ("GET", f"{PREFIX}/threads"): {"application/json": {"schema": _THREADS}},
    ("GET", f"{PREFIX}/threads/{{thread_id}}/runs/{{run_id}}/events"): {
        "text/event-stream": {"schema": {"$ref": "#/components/schemas/AssistantStreamEvent"}}
    },
    ("POST", f"{PREFIX}/completions"): {
        "application/json": {"schema": _TEXT_COMPLETION},
        "text/event-stream": {"schema": _TEXT_COMPLETION},
    },
    ("GET", f"{PREFIX}/models/{{model}}/export"): {"application/octet-stream": {}},
    ("POST", f"{PREFIX}/predictions"): {"application/json": {"schema": _PREDICTIONS}},
    ("POST", f"{PREFIX}/feedback"): {"application/json": {"schema": _FEEDBACK}},
    ("GET", f"{PREFIX}/feedback"): {"application/json": {"schema": _FEEDBACK_LIST}},
    ("POST", f"{PREFIX}/feedback/batches"): {"application/json": {"schema": _FEEDBACK_LIST}},
    ("POST", f"{PREFIX}/feedback/imports"): {"application/json": {"schema": {"required": ["added", "faults"]}}},
    ("GET", f"{PREFIX}/feedback/agreement"): {"application/json": {"schema": {"required": ["data", "disagreements"]}}},
    ("GET", f"{PREFIX}/feedback/{{feedback_id}}"): {"application/json": {"schema": _FEEDBACK}},
    ("POST", f"{PREFIX}/feedback/{{feedback_id}}/reviews"): {"application/json": {"schema": _FEEDBACK}},
    ("POST", f"{PREFIX}/datasets"): {"application/json": {"schema": _DATASET}},
    ("GET", f"{PREFIX}/datasets"): {"application/json": {"schema": _list_of(_DATASET)}},
    ("GET", f"{PREFIX}/datasets/{{dataset_id}}"): {"application/json": {"schema": _DATASET}},
    ("DELETE", f"{PREFIX}/datasets/{{dataset_id}}"): _needs("id", "object", "deleted"),
    ("DELETE", f"{PREFIX}/datasets/{{dataset_id}}/versions/{{version_id}}"): _needs("id", "object", "deleted"),
    ("POST", f"{PREFIX}/datasets/{{dataset_id}}/entries"): _needs("object", "data", "has_more"),
    ("GET", f"{PREFIX}/datasets/{{dataset_id}}/entries"): _needs("object", "data", "has_more"),
    **{
        ("POST", f"{PREFIX}/datasets/{{dataset_id}}/{work}"): {"application/json": {"schema": _DATASET_TASK}}
        for work in ("imports", "versions", "label_noise", "weak_labels")
    },
    ("GET", f"{PREFIX}/datasets/{{dataset_id}}/suggestions"): _needs("object", "data", "looked_at"),
    ("GET", f"{PREFIX}/datasets/{{dataset_id}}/tasks"): {"application/json": {"schema": _list_of(_DATASET_TASK)}},
    ("GET", f"{PREFIX}/datasets/{{dataset_id}}/tasks/{{task_id}}"): {"application/json": {"schema": _DATASET_TASK}},
    ("GET", f"{PREFIX}/datasets/{{dataset_id}}/versions"): {"application/json": {"schema": _list_of(_DATASET_VERSION)}},
    ("GET", f"{PREFIX}/datasets/{{dataset_id}}/versions/{{version_id}}"): {
        "application/json": {"schema": _DATASET_VERSION}
    },
    ("GET", f"{PREFIX}/datasets/{{dataset_id}}/versions/{{version_id}}/diff"): _needs("version", "against", "counts"),
    ("GET", f"{PREFIX}/datasets/{{dataset_id}}/versions/{{version_id}}/lineage"): _needs("sources", "jobs", "models"),
    ("POST", f"{PREFIX}/recommenders"): _needs("id", "object", "created_at", "name", "embedder", "model"),
    ("GET", f"{PREFIX}/recommenders"): _needs("object", "data", "has_more"),
    ("GET", f"{PREFIX}/recommenders/{{recommender_id}}"): _needs("id", "object", "created_at", "name", "model"),
    ("DELETE", f"{PREFIX}/recommenders/{{recommender_id}}"): _needs("id", "object", "deleted"),
    ("POST", f"{PREFIX}/recommenders/{{recommender_id}}/items"): _needs("object", "added", "known", "faults"),
    ("GET", f"{PREFIX}/recommenders/{{recommender_id}}/items"): _needs("object", "data", "has_more"),
    ("GET", f"{PREFIX}/recommenders/{{recommender_id}}/items/{{item_id}}"): _needs("id", "object", "text"),
    ("DELETE", f"{PREFIX}/recommenders/{{recommender_id}}/items/{{item_id}}"): _needs("id", "object", "deleted"),
    ("POST", f"{PREFIX}/recommenders/{{recommender_id}}/events"): _needs("object", "added", "known", "faults"),
    ("GET", f"{PREFIX}/recommenders/{{recommender_id}}/events"): _needs("object", "data", "has_more"),
    ("POST", f"{PREFIX}/recommenders/{{recommender_id}}/recommendations"): _needs("id", "object", "user", "data"),
    ("POST", f"{PREFIX}/recommenders/{{recommender_id}}/similar"): _needs("object", "by", "data"),
    ("GET", f"{PREFIX}/recommenders/{{recommender_id}}/comparisons"): _needs("a", "b", "lists", "won_by_a", "p"),
    ("POST", f"{PREFIX}/recommenders/{{recommender_id}}/trainings"): _needs("id", "object", "status", "report"),
    ("GET", f"{PREFIX}/recommenders/{{recommender_id}}/trainings"): _needs("object", "data", "has_more"),
    ("GET", f"{PREFIX}/recommenders/{{recommender_id}}/trainings/{{training_id}}"): _needs("id", "status", "report"),
    ("DELETE", f"{PREFIX}/end_users/{{user_id}}"): _needs(
        "id", "deleted", "deletion", "status", "feedback", "examples", "counts", "versions", "models"
    ),
    ("GET", f"{PREFIX}/end_users/{{user_id}}/export"): {"application/jsonl": {}},
    ("GET", f"{PREFIX}/end_user_deletions"): _needs("data", "has_more"),
    ("GET", f"{PREFIX}/end_user_deletions/{{deletion_id}}"): _needs("id", "status", "user_digest", "counts"),
    ("GET", f"{PREFIX}/model_aliases"): {"application/json": {"schema": {"type": "object"}}},
    ("GET", f"{PREFIX}/model_aliases/{{alias}}"): {"application/json": {"schema": _ALIAS}},
    ("PUT", f"{PREFIX}/model_aliases/{{alias}}"): {"application/json": {"schema": _ALIAS}},
    ("POST", f"{PREFIX}/model_aliases/{{alias}}/rollback"): {"application/json": {"schema": _ALIAS}},
    ("DELETE", f"{PREFIX}/model_aliases/{{alias}}"): {"application/json": {"schema": {"type": "object"}}},
    ("GET", f"{PREFIX}/model_aliases/{{alias}}/drift"): {"application/json": {"schema": {"type": "object"}}},
    ("GET", f"{PREFIX}/model_aliases/{{alias}}/policy"): {"application/json": {"schema": {"type": "object"}}},
    ("POST", f"{PREFIX}/model_aliases/{{alias}}/policy"): {"application/json": {"schema": {"type": "object"}}},
    ("GET", f"{PREFIX}/model_aliases/{{alias}}/candidates"): {"application/json": {"schema": {"type": "object"}}},
    ("POST", f"{PREFIX}/model_aliases/{{alias}}/candidates"): {"application/json": {"schema": {"type": "object"}}},
    ("GET", f"{PREFIX}/model_aliases/{{alias}}/candidates/{{candidate_id}}"): {
        "application/json": {"schema": {"type": "object"}}
    },
    ("GET", f"{PREFIX}/model_aliases/{{alias}}/decisions"): {"application/json": {"schema": {"type": "object"}}},
    ("POST", f"{PREFIX}/model_aliases/{{alias}}/decisions/{{decision_id}}/sign"): {
        "application/json": {"schema": {"type": "object"}}
    },
    ("GET", f"{PREFIX}/threads/{{thread_id}}/state"): {"application/json": {"schema": _STATE}},
    ("POST", f"{PREFIX}/threads/{{thread_id}}/state"): {"application/json": {"schema": _STATE}},
    ("GET", f"{PREFIX}/threads/{{thread_id}}/understandings"): {"application/json": {"schema": _UNDERSTANDING_LIST}},
    ("POST", f"{PREFIX}/understandings"): {"application/json": {"schema": _ANSWERED_UNDERSTANDING}},
    ("GET", f"{PREFIX}/domains"): {"application/json": {"schema": {"type": "object"}}},
    ("POST", f"{PREFIX}/domains"): {"application/json": {"schema": _DOMAIN}},
    ("POST", f"{PREFIX}/domains/check"): {"application/json": {"schema": _DOMAIN_REPORT}},
    ("POST", f"{PREFIX}/domains/import"): {"application/json": {"schema": _DOMAIN}},
    ("GET", f"{PREFIX}/domains/{{domain_id}}"): {"application/json": {"schema": _DOMAIN}},
    ("POST", f"{PREFIX}/domains/{{domain_id}}"): {"application/json": {"schema": _DOMAIN}},
    ("DELETE", f"{PREFIX}/domains/{{domain_id}}"): {"application/json": {"schema": {"type": "object"}}},
    ("POST", f"{PREFIX}/domains/{{domain_id}}/test"): {"application/json": {"schema": _DOMAIN_TEST}},
    ("POST", f"{PREFIX}/domains/{{domain_id}}/examples"): {"application/json": {"schema": _DOMAIN}},
    ("GET", f"{PREFIX}/domains/{{domain_id}}/diagram"): {"text/plain": {}},
    ("GET", f"{PREFIX}/domains/{{domain_id}}/export"): {"application/yaml": {}},
    ("GET", f"{PREFIX}/domains/{{domain_id}}/report"): {"application/json": {"schema": _DOMAIN_REPORT}},
    ("GET", "/healthz"): {"text/plain": {}},
    ("GET", "/readyz"): {"text/plain": {}},
    ("GET", "/openapi.json"): {"application/json": {"schema": {"type": "object"}}},
    ("GET", "/docs"): {"text/html": {}},
    ("GET", "/static-offline-docs/{file}"): {"text/css": {}, "text/javascript": {}, "image/png": {}},
    ("GET", "/metrics"): {"text/plain": {}},
}
"""What this server answers beyond the document: the content of status 200, by media type. Editing a message's text is
missing here because its answer is the document's own MessageObject."""
