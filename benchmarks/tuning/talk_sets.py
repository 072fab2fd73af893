"""Dialogues and preferences: CrossWOZ and Schema-Guided Dialogue, as chats of the first messages."""

import json
import random
from pathlib import Path
from zipfile import ZipFile

from benchmarks.tuning.drawing import Fields, Parts, drawn
from zhuli.training.data.report import Part

MESSAGES = 8
"""Of a dialogue that are used: what a small model on two cores can learn from in minutes."""

FILES: dict[Part, tuple[str, ...]] = {
    "train": ("train_dialogues_001", "train_dialogues_002", "train_dialogues_043"),
    "validation": ("dev_dialogues_001",),
    "test": ("test_dialogues_001",),
}


def crosswoz(data: Path, seed: int) -> Parts:
    """The published dev set is trained on, one in ten held out, for the training set is not in the data."""
    train, test = (_crosswoz(crosswoz_messages(data, name)) for name in ("val", "test"))
    return {**drawn(train, {"validation": 0.1}, text=_first, seed=seed), "test": test}


def crosswoz_messages(data: Path, name: str) -> list[list[Fields]]:
    """The messages of each dialogue of a published part, with all annotations. name: val or test."""
    with ZipFile(data / f"crosswoz_zh/{name}.json.zip") as packed:
        return [dialogue["messages"] for dialogue in json.loads(packed.read(f"{name}.json")).values()]


def _crosswoz(dialogues: list[list[Fields]]) -> list[Fields]:
    roles = {"usr": "user", "sys": "assistant"}
    return [
        {"messages": [{"role": roles[said["role"]], "content": said["content"]} for said in messages[:MESSAGES]]}
        for messages in dialogues
    ]


def sgd(data: Path, seed: int) -> Parts:
    """Published parts, of which the data has some files."""
    return {part: [{"messages": _chat(dialogue)} for dialogue in sgd_dialogues(data, part)] for part in FILES}


def preference(data: Path, seed: int) -> Parts:
    """The system's answer is preferred to one that it gave in a dialogue about something else, which is drawn."""
    return {part: _pairs(sgd_dialogues(data, part), random.Random(seed)) for part in FILES}


def sgd_dialogues(data: Path, part: Part) -> list[Fields]:
    """The dialogues of a published part, of those files that the data has, with all annotations."""
    files = (data / "sgd_dialogues" / f"{name}.json" for name in FILES[part])
    return [dialogue for file in files for dialogue in json.loads(file.read_bytes())]


def _chat(dialogue: Fields) -> list[Fields]:
    roles = {"USER": "user", "SYSTEM": "assistant"}
    turns = dialogue["turns"][:MESSAGES]
    return [{"role": roles[turn["speaker"]], "content": turn["utterance"]} for turn in turns]


def _pairs(dialogues: list[Fields], order: random.Random) -> list[Fields]:
    pairs = []
    for dialogue in dialogues:
        other = order.choice([one for one in dialogues if not {*one["services"]} & {*dialogue["services"]}])
        asked, answer = _chat(dialogue)[:3], _chat(dialogue)[3]
        pairs.append(
            {
                "input": {"messages": asked},
                "preferred_output": [answer],
                "non_preferred_output": [order.choice(_chat(other)[1::2])],
            }
        )
    return pairs


def _first(one: Fields) -> str:
    return str(one["messages"][0]["content"])
