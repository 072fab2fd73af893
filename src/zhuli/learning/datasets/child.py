"""The program that works on data sets beside the server: `child FOLDER`. request.json says what, result.json what came of it.

It knows no database: what it reads and what it makes are files of the folder. One that is killed has done nothing.
"""

import resource
import sys
from pathlib import Path
from typing import Any

import orjson

from zhuli.core.errors import ZhuliError
from zhuli.learning.datasets.examples import Mask
from zhuli.safety import personal_data

REQUEST, RESULT = "request.json", "result.json"


def main() -> None:
    """Do what the folder asks."""
    folder = Path(sys.argv[1])
    request = orjson.loads((folder / REQUEST).read_bytes())
    try:
        result = {"result": _done(folder, request)}
    except ZhuliError as error:
        result = {"error": error.message}
    result["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    (folder / RESULT).write_bytes(orjson.dumps(result))


def _done(folder: Path, request: dict[str, Any]) -> Any:
    mask = _mask(request.get("language")) if request.get("mask") else None
    match request["do"]:
        case "prepare":
            from zhuli.learning.datasets.preparing import prepare

            return prepare(folder, request, task=request["task"], mask=mask)
        case "build":
            from zhuli.learning.datasets.building import build

            return build(folder, request, task=request["task"], mask=mask)
        case "diff":
            from zhuli.learning.datasets.differing import diff

            return diff(folder / "before.jsonl", folder / "after.jsonl")
        case "redact":
            from zhuli.learning.datasets.redacting import redact

            return redact(folder, request)
        case "noise":
            from zhuli.learning.datasets.noise import look

            return look(folder, request)
        case "suggest":
            from zhuli.learning.datasets.suggesting import look as suggest

            return suggest(folder, request)
        case _:
            from zhuli.learning.datasets.weak import look as vote

            return vote(folder, request)


def _mask(language: str | None) -> Mask:
    def mask(text: str) -> tuple[str, list[tuple[int, int, int]]]:
        found = personal_data.mask(text, language)
        places = [(one.start, one.end, len(personal_data.WORDS[one.kind])) for one in found.found]
        return found.text, places

    return mask


if __name__ == "__main__":
    main()
