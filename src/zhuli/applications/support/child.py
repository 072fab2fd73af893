"""The program that works on a desk beside the server: `child FOLDER`. request.json says what, result.json what came of it.

It knows no database: what it reads and what it makes are files of the folder. One that is killed has done nothing.
"""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from zhuli.applications.support.child_folder import (
    ANSWERS,
    DIALOGUES,
    GATHERED,
    KNOWN,
    PAIRS,
    QUESTIONS,
    TRANSCRIPTS,
)
from zhuli.applications.support.episodes import Ask, Pair, masked, pairs
from zhuli.applications.support.outcome import Outcome
from zhuli.applications.support.transcripts import Dialogue, Fault, Turn, read
from zhuli.core.errors import ZhuliError
from zhuli.safety import personal_data

MOST_FAULTS = 100
"""That are told; the others are counted."""


def main() -> None:
    """Do what the folder asks."""
    folder = Path(sys.argv[1])
    request = orjson.loads((folder / "request.json").read_bytes())
    try:
        done = {"read": _read, "mine": _mine, "replay": _replay}[request["do"]]
        result: dict[str, Any] = {"result": done(folder, request)}
    except ZhuliError as error:
        result = {"error": error.message}
    (folder / "result.json").write_bytes(orjson.dumps(result))


def _read(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Transcripts as dialogues with their pairs, masked."""
    report: dict[str, Any] = {"dialogues": 0, "pairs": 0, "turns": 0, "refused": 0, "masked": 0, "faults": []}
    seen: set[str] = set()
    with (folder / DIALOGUES).open("wb") as out:
        for one in _given(folder, request):
            if isinstance(one, Dialogue) and one.id in seen:
                one = Fault(one.line, f"The dialogue '{one.id[:60]}' is there already.")
            if isinstance(one, Fault):
                report["refused"] += 1
                if len(report["faults"]) < MOST_FAULTS:
                    report["faults"].append(asdict(one))
                continue
            seen.add(one.id)
            out.write(orjson.dumps(_kept(one, request, report), option=orjson.OPT_APPEND_NEWLINE))
    return report


def _given(folder: Path, request: dict[str, Any]) -> Any:
    if request.get("gathered"):
        for number, line in enumerate((folder / GATHERED).read_bytes().splitlines(), 1):
            one = orjson.loads(line)
            turns = tuple(Turn(turn["role"], turn["text"]) for turn in one["turns"])
            yield Dialogue(one["id"], turns, one["user"], number)
        return
    yield from read((folder / TRANSCRIPTS).read_bytes(), format=request["format"])


def _kept(one: Dialogue, request: dict[str, Any], report: dict[str, Any]) -> dict[str, Any]:
    def hidden(text: str) -> str:
        made = personal_data.mask(text, request["language"])
        report["masked"] += len(made.found)
        return made.text

    clean = masked(one, hidden) if request["mask"] else one
    found = pairs(clean)
    report["dialogues"] += 1
    report["turns"] += len(one.turns)
    report["pairs"] += len(found)
    turns = [[turn.role, turn.text] for turn in clean.turns]
    return {"id": one.id, "user": one.user, "body": {"turns": turns, "pairs": [asdict(pair) for pair in found]}}


def _mine(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Proposals from pairs with their vectors."""
    from zhuli.applications.support.mining import Known, mine

    given = orjson.loads((folder / PAIRS).read_bytes())
    questions, answers = (_rows(folder / name)[given[rows]] for name, rows in ((QUESTIONS, "asked"), (ANSWERS, "said")))
    theirs = _rows(folder / KNOWN) if request["known"] else questions[:0]
    known, start = [], 0
    for name, count, labels in request["known"]:
        known.append(Known(name, theirs[start : start + count], tuple(labels)))
        start += count
    mined = mine(
        [pair_of(one) for one in given["pairs"]],
        questions,
        answers,
        least=request["least"],
        known=known,
        taken=request["taken"],
    )
    return asdict(mined)


def _replay(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    """The report on matters that were replayed."""
    from zhuli.applications.support.replay import report

    given = orjson.loads((folder / PAIRS).read_bytes())
    matters = [Outcome(**{**one, "ranked": tuple(one["ranked"])}) for one in given["matters"]]
    questions, references, answers = (_rows(folder / name) for name in (QUESTIONS, ANSWERS, KNOWN))
    return report(
        matters,
        given["templates"],
        given["texts"],
        labelled=given["truths"],
        questions=questions,
        references=references,
        answers=answers,
        cost_of_contact=request["cost_of_contact"],
        seconds=request["seconds"],
    )


def pair_of(one: dict[str, Any]) -> Pair:
    """A pair as it is kept."""
    return Pair(
        one["question"], one["answer"], one["before"], tuple(Ask(**ask) for ask in one["asks"]), one.get("label")
    )


def _rows(path: Path) -> Any:
    return np.fromfile(path, dtype="<f4").reshape(-1, int((path.with_suffix(".width")).read_text()))


if __name__ == "__main__":
    main()
