"""Tuned models in a process of their own: run as a program, it answers what comes in on its standard input, in order.

A process, because torch takes seconds to import and the processor for itself, and because memory that runs out would take
the server along. predicting.predictor is the other end.

Argument: how many models to keep.
In, a line each: {"folder", "inputs": […], "explain", "judge"}; to judge, inputs are labelled records
Out, a line each, the first at the start: {"ready": true} | {"missing": package}; then for every line that came in
{"answers": [{"output", "tokens", "explanation"?, "vector"?, "judged"?} | {"refused": why}, …]} | {"gone": true} | {"failed": why}
It ends when its input does, that is, at the latest with the process that started it.
"""

import os
import sys
import traceback
from importlib.util import find_spec
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, BinaryIO

import orjson

NEEDED = ("numpy", "torch", "transformers", "peft", "safetensors", "sklearn", "onnxruntime")


def main() -> None:
    """Answer one batch after the other, as standard input brings them, until it ends."""
    out = _own_output()
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        _write(out, {"missing": missing[0]})
        return
    questions: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_read, args=(questions,), daemon=True).start()
    _write(out, {"ready": True})
    # Behind the greeting: it takes seconds, and the first question is being written meanwhile.
    from zhuli.learning.predicting.opened import OpenedModels

    models = OpenedModels(most=int(sys.argv[1]))
    while True:
        _write(out, _answer(models, orjson.loads(questions.get())))


def _answer(models: Any, question: dict[str, Any]) -> dict[str, Any]:
    folder = Path(question["folder"])
    try:
        model = models.get(folder)
        return {"answers": model.answer(question["inputs"], explain=question["explain"], judge=question["judge"])}
    except Exception as error:
        if not folder.exists():
            return {"gone": True}
        traceback.print_exc()
        why = str(error).partition("\n")[0].replace(f"{folder}/", "").replace(str(folder), "its folder")
        return {"failed": f"The model could not answer ({type(error).__name__}: {why}). The server's log has more."}


def _read(questions: "SimpleQueue[bytes]") -> None:
    """Also while a question is being answered: an end of the input ends everything at once."""
    for line in sys.stdin.buffer:
        questions.put(line)
    os._exit(0)


def _own_output() -> BinaryIO:
    """Standard output for this program alone; whatever libraries print there goes to standard error."""
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return out


def _write(out: BinaryIO, answer: dict[str, Any]) -> None:
    line = memoryview(orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS) + b"\n")
    while line:
        line = line[out.write(line) :]


if __name__ == "__main__":
    main()
