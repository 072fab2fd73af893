"""Inputs of test_schemathesis that were made before: making them takes longer than answering them.

    python -m tests.api.edge.recorded        (make fuzz-corpus)

One file an operation in inputs/. What was recorded is used as long as what the operation takes is described in the same way; an
operation that is new, or takes something else, has inputs made for it in each run until they are recorded.
"""

import base64
import hashlib
import json
import lzma
import re
import tempfile
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis import GenerationMode
from schemathesis.core import NOT_SET

PLACE = Path(__file__).parent / "inputs"
PARTS = ("path_parameters", "headers", "cookies", "query", "body", "media_type", "multipart_content_types")
BYTES = "$bytes"

Case = schemathesis.Case[Any]
Operation = schemathesis.APIOperation[Any, Any, Any, Any]
Inputs = list[tuple[Case, bool]]
"""Cases, and whether the objects that they name are to exist."""


def recorded(operation: Operation, mode: GenerationMode) -> Inputs | None:
    """None where there are none, or those there are for what the operation took once."""
    try:
        found = json.loads(lzma.decompress(_file(operation).read_bytes()), object_hook=_read)
    except FileNotFoundError:
        return None
    if found["takes"] != fingerprint(operation) or mode.value not in found:
        return None
    return [(operation.Case(method=operation.method.upper(), **parts), real) for parts, real in found[mode.value]]


def record(operation: Operation, inputs: dict[GenerationMode, Inputs]) -> None:
    """What is read again sends the same; AssertionError where it does not."""
    document: dict[str, Any] = {"takes": fingerprint(operation)}
    for mode, cases in inputs.items():
        document[mode.value] = [(_parts(case), real) for case, real in cases]
    PLACE.mkdir(exist_ok=True)
    _file(operation).write_bytes(lzma.compress(json.dumps(document, default=_write).encode(), preset=9))
    for mode, cases in inputs.items():
        again = recorded(operation, mode)
        assert again is not None
        for (case, real), (read, still) in zip(cases, again, strict=True):
            assert (_parts(case), real) == (_parts(read), still) or "nan" in repr(_parts(case)), operation.label


def fingerprint(operation: Operation) -> str:
    """Of what the operation takes, with all that it refers to; how it is explained does not matter."""
    document = operation.schema.raw_schema
    texts = [_bare({name: operation.definition.raw.get(name) for name in ("parameters", "requestBody")})]
    seen: set[str] = set()
    while new := sorted(set(re.findall(r'"\$ref": "#/([^"]+)"', texts[-1])) - seen):
        seen |= set(new)
        texts.append("\n".join(f"{name}: {_bare(_at(document, name))}" for name in new))
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def _at(document: Any, pointer: str) -> Any:
    for part in pointer.split("/"):
        document = document[part.replace("~1", "/").replace("~0", "~")]
    return document


def _bare(node: Any) -> str:
    return json.dumps(_without_explanations(node), sort_keys=True)


def _without_explanations(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_explanations(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _without_explanations(value)
        for key, value in node.items()
        if not (key in ("description", "title", "summary") and isinstance(value, str))
    }


def _parts(case: Case) -> dict[str, Any]:
    values = {name: getattr(case, name) for name in PARTS}
    given = {name: value for name, value in values.items() if value is not NOT_SET and value is not None}
    if case.body is None:
        given["body"] = None  # which is sent, as null
    return {name: dict(value) if name == "headers" else value for name, value in given.items()}


def _write(value: Any) -> Any:
    if isinstance(value, bytes):
        return {BYTES: base64.b64encode(value).decode()}
    raise TypeError(f"An input has a {type(value).__name__}.")


def _read(found: dict[str, Any]) -> Any:
    return base64.b64decode(found[BYTES]) if list(found) == [BYTES] else found


def _file(operation: Operation) -> Path:
    name = re.sub(r"[^a-z0-9]+", "-", operation.label.lower()).strip("-")
    return PLACE / f"{name}.json.xz"


def main() -> None:
    from tests.api.edge.searching import can_be_wrong, made, operations
    from tests.harness import tunings
    from tests.harness.farm import Farm

    with tempfile.TemporaryDirectory() as folder:
        farm = Farm(Path(folder))
        for operation in operations(farm.fresh("sqlite", tuning_command=tunings.command())):
            modes = [mode for mode in GenerationMode if mode is GenerationMode.POSITIVE or can_be_wrong(operation)]
            if any(recorded(operation, mode) is None for mode in modes):
                record(operation, {mode: made(operation, mode) for mode in modes})
                print(operation.label, flush=True)
        farm.close()


if __name__ == "__main__":
    main()
