"""What a model of the story says to messages, asked once, as the prediction child asks it: the rest is told on these answers."""

import json
import sqlite3
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.learning.circle.corpora import Row

AT_ONCE = 32


class Recorded(NamedTuple):
    """label: the right one. said, score, vector: the model's."""

    text: str
    label: str
    said: str
    score: float
    vector: bytes


def recorded(data_dir: Path, model: str, rows: Sequence[Row]) -> list[Recorded]:
    """One for each row. data_dir: of a server that is not running, or rests."""
    from zhuli.learning.predicting.opened import OpenedModel  # torch

    with sqlite3.connect(data_dir / "zhuli.db") as connection:
        (body,) = connection.execute("SELECT body FROM tuned_models WHERE name = ?", (model,)).fetchone()
    opened = OpenedModel(data_dir / json.loads(body)["folder"])
    found: list[Recorded] = []
    for start in range(0, len(rows), AT_ONCE):
        part = rows[start : start + AT_ONCE]
        for row, answer in zip(part, opened.answer([text for text, _ in part], explain=False), strict=True):
            best = answer["output"][0]
            found.append(Recorded(*row, best["label"], best["score"], b64decode(answer["vector"])))
    return found
