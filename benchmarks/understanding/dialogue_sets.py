"""The sets of task dialogues by name."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from benchmarks.understanding import crosswoz, sgd
from benchmarks.understanding.dialogue_parts import DialogueSet

READERS: Mapping[str, Callable[[Path], DialogueSet]] = {"sgd": sgd.read, "crosswoz": crosswoz.read}


@cache
def read(name: str, data: Path) -> DialogueSet:
    return READERS[name](data)
