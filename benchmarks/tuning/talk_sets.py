"""Dialogues and preferences: CrossWOZ and Schema-Guided Dialogue, as chats of the first messages."""

import json
import random
from pathlib import Path
from zipfile import ZipFile

from benchmarks.tuning.drawing import Fields, Parts, drawn

MESSAGES = 8
"""Of a dialogue that are used: what a small model on two cores can learn from in minutes."""

FILES = {
    "train": ("train_dialogues_001", "train_dialogues_002", "train_dialogues_043"),
    "validation": ("dev_dialogues_001",),
    "test": ("test_dialogues_001",),
}


def crosswoz(data: Path, seed: int) -> Parts:
    """The published dev set is trained on, one in ten held out, for the training set is not in the data."""
    train, test = (_crosswoz(data / f"crosswoz_zh/{name}.json.zip", f"{name}.json") for name in ("val", "test"))
    return {**drawn(train, {"validation": 0.1}, text=_first, seed=seed), "test": test}


def _crosswoz(archive: Path, name: str) -> list[Fields]:
    with ZipFile(archive) as packed:
        dialogues = json.loads(packed.read(name))
    roles = {"usr": "user", "sys": "assistant"}
    return [
        {
            "messages": [
                {"role": roles[said["role"]], "content": said["content"]} for said in dialogue["messages"][:MESSAGES]
            ]
        }
        for dialogue in dialogues.values()
    ]


def sgd(data: Path, seed: int) -> Parts:
    """Published parts, of which the data has some files."""
    return {part: [{"messages": _chat(dialogue)} for dialogue in dialogues] for part, dialogues in _sgd(data).items()}


def preference(data: Path, seed: int) -> Parts:
    """The system's answer is preferred to one that it gave in a dialogue about something else, which is drawn."""
    return {part: _pairs(dialogues, random.Random(seed)) for part, dialogues in _sgd(data).items()}


def _sgd(data: Path) -> dict[str, list[Fields]]:
    place = data / "sgd_dialogues"
    return {
        part: [dialogue for name in names for dialogue in json.loads((place / f"{name}.json").read_bytes())]
        for part, names in FILES.items()
    }


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
