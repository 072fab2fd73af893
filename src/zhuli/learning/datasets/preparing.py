"""From a source to entries of a log: read, checked, masked, named. An entry a line: example, source, user, body, with tabs."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from zhuli.core.errors import Unreadable
from zhuli.learning.datasets.beside import GATHERED, PREPARED
from zhuli.learning.datasets.examples import Mask, check, example_id, masked
from zhuli.learning.training.data.finding import Finding
from zhuli.learning.training.data.reading import records
from zhuli.types.learning.example import BadExample

_TOLD = 100


def prepare(folder: Path, request: Mapping[str, Any], *, task: str, mask: Mask | None) -> dict[str, Any]:
    """Write the entries into the folder; gives how many there are, and what is wrong with the others. Unreadable."""
    prepared, refused, repeated, faults = 0, 0, 0, list[dict[str, Any]]()
    seen: set[str] = set()
    found = _of_file(Path(request["path"]), request, task) if "path" in request else _gathered(folder / GATHERED)
    with (folder / PREPARED).open("wb") as out:
        for line, fields, provenance in found:
            try:
                if isinstance(fields, str):
                    raise BadExample(fields)
                record = masked(fields, mask) if mask else fields
                check(task, record)
            except BadExample as error:
                refused += 1
                if len(faults) < _TOLD:
                    faults.append({"line": line, "message": str(error)})
                continue
            id_ = example_id(record)
            if id_ in seen:
                repeated += 1
                continue
            seen.add(id_)
            prepared += 1
            body = orjson.dumps({"record": record, "provenance": provenance})
            cells = (id_, provenance.get("id") or "", provenance.get("user") or "")
            head = "\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in cells)
            out.write(head.encode() + b"\t" + body + b"\n")
    return {"prepared": prepared, "refused": refused, "repeated": repeated, "faults": faults}


def _of_file(
    path: Path, request: Mapping[str, Any], task: str
) -> Iterator[tuple[int, dict[str, Any] | str, dict[str, Any]]]:
    provenance = {"kind": "file", "id": request["file"]}
    for entry in records(path, request["format"], request["columns"], task=task):
        if isinstance(entry, Finding):
            yield entry.line or 0, entry.message, provenance
        else:
            yield entry.line, dict(entry.fields), provenance


def _gathered(path: Path) -> Iterator[tuple[int, dict[str, Any] | str, dict[str, Any]]]:
    if not path.exists():
        raise Unreadable("Nothing was found there.")
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            given = orjson.loads(line)
            yield number, given["record"], given["provenance"]
