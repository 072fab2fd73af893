"""Holds an answer of the server against the contract: path, status and media type choose the schema.

Schemas are compiled once, when they are first needed. What a stream may say in which order is stream_rules.py.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError

from tests.harness import spec
from tests.harness.spec import Schema

JSON = "application/json"
EVENTS = "text/event-stream"
ERROR: Schema = {"$ref": "#/components/schemas/ErrorResponse"}


@dataclass(frozen=True, slots=True)
class Violation:
    """`pointer` is the JSON pointer of the offending value, empty for the whole."""

    where: str
    pointer: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: at '{self.pointer}': {self.message}"


@dataclass(frozen=True, slots=True)
class Operation:
    """`content` has the schema by media type of the status of success, which is 201 for what is made by some."""

    name: str
    pattern: re.Pattern[str]
    content: dict[str, Schema]
    success: int = 200


class Contract:
    """What the API promises."""

    def __init__(self, document: Schema) -> None:
        self._components = document["components"]
        self._operations = _operations(document)
        self._events = _events(document)
        self._compiled: dict[str, Draft202012Validator] = {}

    def check(self, method: str, path: str, status: int, media_type: str, body: bytes) -> list[Violation]:
        """What is wrong with an answer that is not a stream."""
        where = f"{method} {path} → {status}"
        if status >= 400:
            return self._check_json(where, ERROR, media_type, body)
        operation = self._operation(method, path)
        if operation is None:
            return [Violation(where, "", "the contract knows no such operation, so it must be an error")]
        if status != operation.success:
            return [Violation(where, "", f"{operation.name} answers with {operation.success}, or with an error")]
        content = next((c for kind, c in operation.content.items() if kind in (media_type, "*/*")), None)
        if content is None:
            return [Violation(where, "", f"{operation.name} does not answer with {media_type!r}")]
        if "schema" not in content:
            return []
        return self._check_json(where, content["schema"], media_type, body)

    def check_event(self, method: str, path: str, name: str | None, data: str) -> list[Violation]:
        """What is wrong with one event of a stream; chat completions send theirs without a name."""
        where = f"{method} {path} → event {name}"
        operation = self._operation(method, path)
        if operation is None or EVENTS not in operation.content:
            return [Violation(where, "", "the contract knows no stream here")]
        if data == "[DONE]":
            return [] if name in (None, "done") else [Violation(where, "", "[DONE] belongs to the event 'done'")]
        schema = operation.content[EVENTS]["schema"]
        if schema.get("$ref", "").endswith("/AssistantStreamEvent"):
            if name not in self._events:
                return [Violation(where, "", "the contract knows no event of this name")]
            schema = self._events[name]
        elif '"error"' in data[:10]:
            schema = ERROR
        return self._check_json(where, schema, JSON, data.encode())

    def _operation(self, method: str, path: str) -> Operation | None:
        return next((o for o in self._operations if o.pattern.fullmatch(f"{method} {path}")), None)

    def _check_json(self, where: str, schema: Schema, media_type: str, body: bytes) -> list[Violation]:
        if media_type != JSON:
            return [Violation(where, "", f"the media type is {media_type!r}, not {JSON!r}")]
        try:
            value = json.loads(body)
        except ValueError:
            return [Violation(where, "", f"the body is not JSON: {body[:200]!r}")]
        return [_violation(where, error) for error in self._validator(schema).iter_errors(value)]

    def _validator(self, schema: Schema) -> Draft202012Validator:
        key = json.dumps(schema)
        if key not in self._compiled:
            self._compiled[key] = Draft202012Validator({**schema, "components": self._components})
        return self._compiled[key]


def _operations(document: Schema) -> list[Operation]:
    """Literal paths come before templates, so that /threads/runs is not the thread "runs"."""
    found = [
        _operation(method.upper(), f"{spec.PREFIX}{path}", operation["responses"])
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    found += [
        _operation(method, path, {"200": {"content": content}}) for (method, path), content in spec.ADDITIONS.items()
    ]
    return sorted(found, key=lambda operation: operation.name.count("{"))


def _operation(method: str, path: str, responses: dict[str, Schema]) -> Operation:
    # A client's own id of a person may have a slash in it.
    pattern = re.sub(r"\\\{user_id\\\}", ".+", re.escape(f"{method} {path}"))
    pattern = re.sub(r"\\\{[^/]+?\\\}", "[^/]+", pattern)
    success = next((code for code in ("200", "201") if code in responses), "200")
    content = responses.get(success, {}).get("content", {})
    return Operation(f"{method} {path}", re.compile(pattern), content, int(success))


def _events(document: Schema) -> dict[str, Schema]:
    """The schema of the data of every event that AssistantStreamEvent has, by the event's name."""
    found: dict[str, Schema] = {}
    pending: list[Schema] = [document["components"]["schemas"]["AssistantStreamEvent"]]
    while pending:
        schema = pending.pop()
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        pending += schema.get("oneOf", [])
        if "event" in schema.get("properties", {}):
            found[schema["properties"]["event"]["enum"][0]] = schema["properties"]["data"]
    return found


def _violation(where: str, error: ValidationError) -> Violation:
    return Violation(where, "".join(f"/{part}" for part in error.instance_path), _explain(error))


def _explain(error: ValidationError) -> str:
    """The message; for a union what each member had against the value, which the message alone leaves out."""
    members: list[list[Any]] = error.kind.as_dict().get("context", []) if error.kind.name in ("oneOf", "anyOf") else []
    reasons = "; or ".join(", ".join(inner.message[:120] for inner in member) for member in members)
    return f"{error.message[:300]} ({reasons})" if reasons else error.message[:300]
