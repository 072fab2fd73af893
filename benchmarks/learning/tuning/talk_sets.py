"""Dialogues and preferences: CrossWOZ and Schema-Guided Dialogue, as chats of the first messages."""

import json
import random
from pathlib import Path
from zipfile import ZipFile

from benchmarks.learning.tuning.drawing import Fields, Parts, drawn
from zhuli.learning.training.data.report import Part

Chat = list[Fields]
"""Messages with role and content."""

MESSAGES = 8
"""Of a dialogue that are used: what a small model on two cores can learn from in minutes."""

FILES: dict[Part, tuple[str, ...]] = {
    "train": ("train_dialogues_001", "train_dialogues_002", "train_dialogues_043"),
    "validation": ("dev_dialogues_001",),
    "test": ("test_dialogues_001",),
}


def crosswoz(data: Path, seed: int) -> Parts:
    """The published dev set is trained on, one in ten held out, for the training set is not in the data."""
    train, test = ([{"messages": chat} for chat in _crosswoz(data, name)] for name in ("val", "test"))
    return {**drawn(train, {"validation": 0.1}, text=_first, seed=seed), "test": test}


def crosswoz_preference(data: Path, seed: int) -> Parts:
    """As preference(), of the same dialogues as crosswoz(); the other dialogue may be about the same."""
    train, test = (_pairs([(frozenset(), chat) for chat in _crosswoz(data, name)], seed) for name in ("val", "test"))
    return {**drawn(train, {"validation": 0.1}, text=_asked, seed=seed), "test": test}


def crosswoz_messages(data: Path, name: str) -> list[list[Fields]]:
    """The messages of each dialogue of a published part, with all annotations. name: val or test."""
    with ZipFile(data / f"crosswoz_zh/{name}.json.zip") as packed:
        return [dialogue["messages"] for dialogue in json.loads(packed.read(f"{name}.json")).values()]


def _crosswoz(data: Path, name: str) -> list[Chat]:
    roles = {"usr": "user", "sys": "assistant"}
    return [
        [{"role": roles[said["role"]], "content": said["content"]} for said in messages[:MESSAGES]]
        for messages in crosswoz_messages(data, name)
    ]


def sgd(data: Path, seed: int) -> Parts:
    """Published parts, of which the data has some files."""
    return {part: [{"messages": _chat(dialogue)} for dialogue in sgd_dialogues(data, part)] for part in FILES}


def preference(data: Path, seed: int) -> Parts:
    """The system's answer is preferred to one that it gave in a dialogue about something else, which is drawn."""
    return {
        part: _pairs([(frozenset(one["services"]), _chat(one)) for one in sgd_dialogues(data, part)], seed)
        for part in FILES
    }


def sgd_dialogues(data: Path, part: Part) -> list[Fields]:
    """The dialogues of a published part, of those files that the data has, with all annotations."""
    files = (data / "sgd_dialogues" / f"{name}.json" for name in FILES[part])
    return [dialogue for file in files for dialogue in json.loads(file.read_bytes())]


def _chat(dialogue: Fields) -> Chat:
    roles = {"USER": "user", "SYSTEM": "assistant"}
    turns = dialogue["turns"][:MESSAGES]
    return [{"role": roles[turn["speaker"]], "content": turn["utterance"]} for turn in turns]


def _pairs(dialogues: list[tuple[frozenset[str], Chat]], seed: int) -> list[Fields]:
    """dialogues: what each is about, and its messages. Another dialogue is about nothing of that."""
    order, pairs = random.Random(seed), []
    for about, chat in dialogues:
        other = order.choice([one for topics, one in dialogues if one is not chat and not topics & about])
        pairs.append(
            {
                "input": {"messages": chat[:3]},
                "preferred_output": [chat[3]],
                "non_preferred_output": [order.choice(other[1::2])],
            }
        )
    return pairs


def _first(one: Fields) -> str:
    return str(one["messages"][0]["content"])


def _asked(one: Fields) -> str:
    return str(one["input"]["messages"][0]["content"])
