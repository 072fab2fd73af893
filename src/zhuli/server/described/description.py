"""The API's description, as /openapi.json, /docs and /redoc show it: FastAPI's, with what an app's author looks for beside it."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from fastapi.openapi.utils import get_openapi
from starlette.routing import Route

from zhuli.server.described.examples import BODIES, IDS

_ABOUT = """\
The Assistants API for apps on the official `openai` SDK; over the same state chat completions, embeddings, fine-tuning, evals and
moderations as published; and additions of ours: domains, understandings, predictions, feedback, data sets, audits,
opinion monitors.

Every error has the shape `{"error": {"message", "type", "param", "code"}}`.
Lists are pages with `limit`, `order`, `after` and `before`.
"""

_TAGS = {
    "Assistants": "Who answers: a model, instructions, tools.",
    "Threads": "Conversations.",
    "Messages": "What is said in them.",
    "Runs": "An assistant answers on a thread; streamed, joined and followed from any point.",
    "Run steps": "What a run did: messages and tool calls.",
    "Responses": "Runs, seen by the Responses API: one call, streamed, resumed, chained.",
    "Conversations": "Threads, seen by the Conversations API.",
    "Chat": "Chat completions, stored ones too.",
    "Completions": "A text gone on with.",
    "Files": "What is uploaded.",
    "Uploads": "Large files in parts.",
    "Vector stores": "Files that can be searched by meaning and by words.",
    "Vector store files": "The files of a store, and how far they are read.",
    "Vector store file batches": "Many files at once.",
    "Embeddings": "Texts as vectors.",
    "Domains": "What an assistant understands, and what it does about it.",
    "Understanding": "The dialogue state of a thread.",
    "Understandings": "One message understood.",
    "Fine-tuning": "Models made from labelled data.",
    "Models": "What may be asked for.",
    "Predictions": "Answers of tuned models.",
    "Recommenders": "Items, what users do with them, and lists that count the next event and say why.",
    "Model aliases": "Names that lead to models: candidates, gates, stages, drift.",
    "Feedback": "What people say of answers, and what reviewers say to that.",
    "Support desks": "Past transcripts that become an assistant, and what people go on with.",
    "Data sets": "Examples with where they come from, and versions of them.",
    "Evals": "Models and assistants held against examples.",
    "Moderations": "Texts that harm.",
    "Audits": "How far answers depend on who asks.",
    "Opinion monitors": "News and comments read, counted and watched for surges.",
    "End users": "All of one person.",
    "Organization": "For operators: what was used, and who did what.",
}
"""In the order of the page; others come behind."""

_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}

_REFUSED = {
    "description": "Refused; the message says why and what would be right.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorResponse"}}},
}

_KEYS = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "A key of `zhuli keys create`, where the server has keys.",
    },
    "azure_key": {
        "type": "apiKey",
        "in": "header",
        "name": "api-key",
        "description": "The same, as Azure's SDKs send it.",
    },
}


def description(title: str, version: str, routes: Sequence[Route]) -> dict[str, Any]:
    """OpenAPI of `routes`. An operation's id is its function's name, with its method and path where functions share one."""
    schema = get_openapi(title=title, version=version, description=_ABOUT, routes=routes)
    components = schema.setdefault("components", {})
    components.setdefault("schemas", {})["ErrorResponse"] = _ERROR
    components["securitySchemes"] = _KEYS
    operations = [
        (path, method, operation) for path, methods in schema["paths"].items() for method, operation in methods.items()
    ]
    names = Counter(_function(path, method, operation) for path, method, operation in operations)
    tagged: dict[str, None] = {}
    for path, method, operation in operations:
        name = _function(path, method, operation)
        operation["operationId"] = name if names[name] == 1 else f"{name}_{method}_{_words(path)}"
        operation["responses"].pop("422", None)
        operation["responses"]["4XX"] = _REFUSED
        operation["security"] = [{"key": []}, {"azure_key": []}] if path.startswith("/v1/") else []
        tagged |= dict.fromkeys(operation.get("tags", ()))
        _show_examples(path, method, operation, BODIES.get(name))
    known = [name for name in _TAGS if name in tagged]
    others = [{"name": name} for name in tagged if name not in _TAGS]
    schema["tags"] = [{"name": name, "description": _TAGS[name]} for name in known] + others
    return schema


def _function(path: str, method: str, operation: dict[str, Any]) -> str:
    """FastAPI's id is the function's name, the path in other letters, and the method."""
    end = "".join(letter if letter.isalnum() else "_" for letter in path) + f"_{method}"
    return str(operation["operationId"]).removesuffix(end)


def _words(path: str) -> str:
    words = [part for part in path.split("/")[2:] if not part.startswith("{")]
    return "_".join(words).replace("-", "_")


def _show_examples(path: str, method: str, operation: dict[str, Any], body: Any) -> None:
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path" and (example := IDS.get(parameter["name"])):
            parameter["example"] = example
    content = operation.get("requestBody", {}).get("content", {})
    if body is not None and "application/json" in content:
        content["application/json"]["example"] = body
    operation["x-codeSamples"] = [{"lang": "Shell", "label": "curl", "source": _curl(path, method, content, body)}]


def _curl(path: str, method: str, content: dict[str, Any], body: Any) -> str:
    for name, example in IDS.items():
        path = path.replace(f"{{{name}}}", example).replace(f"{{{name}:path}}", example)
    lines = [f"curl http://127.0.0.1:8000{path}"]
    if method.upper() not in ("GET", "POST") or (method == "post" and not content):
        lines[0] = f"curl -X {method.upper()} http://127.0.0.1:8000{path}"
    lines.append('-H "Authorization: Bearer $OPENAI_API_KEY"')
    if body is not None:
        said = json.dumps(body, ensure_ascii=False).replace("'", "'\\''")
        lines += ["-H 'Content-Type: application/json'", f"-d '{said}'"]
    elif "multipart/form-data" in content:
        lines.append("-F data=@part.bin" if path.endswith("/parts") else "-F purpose=assistants -F file=@manual.pdf")
    return " \\\n    ".join(lines)
