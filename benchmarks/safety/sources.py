"""The labelled texts that the heads of moderation learn from and are measured on, as their sources split them.

t-davidson/hate-speech-and-offensive-language (Davidson et al. 2017, MIT): English tweets; it has no split of its own, so a fifth
is tested on and a tenth calibrates, by a hash of the text. thu-coai/COLDataset (Deng et al. 2022, Apache 2.0): Chinese comments
about race, gender and region, split by its authors. Ordinary messages beside them: PolyAI's banking77 (CC BY 4.0) and CrossWOZ
(Apache 2.0), and everyday sentences of Tatoeba (CC BY 2.0 FR). None of these texts is in this repository.
"""

import csv
import json
import random
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from zhuli.safety.moderation.features import Language, cleaned

Part = Literal["train", "dev", "test"]


@dataclass(frozen=True, slots=True)
class Labelled:
    """text: cleaned. offensive: for "harassment". hate: against a group; None where the source does not say."""

    text: str
    language: Language
    part: Part
    offensive: bool
    hate: bool | None
    topic: str = ""


def read_all(data: Path) -> list[Labelled]:
    """Both sources; a text that is there twice, once, in the part that is learned from least."""
    order: dict[Part, int] = {"test": 0, "dev": 1, "train": 2}
    found: dict[tuple[Language, str], Labelled] = {}
    for one in sorted([*_english(data), *_chinese(data)], key=lambda one: order[one.part]):
        if one.text:
            found.setdefault((one.language, one.text), one)
    return list(found.values())


ORDINARY = 1_000
"""Ordinary messages to learn from, and half as many to be tested on."""


EVERYDAY = 2_000
"""Everyday Chinese sentences to learn from."""


def ordinary(data: Path, language: Language) -> tuple[list[str], list[str]]:
    """Messages of people who want something and offend nobody, to learn from and to be tested on: banking77, CrossWOZ."""
    read = _banking if language == "en" else _crosswoz
    learn, test = (list(dict.fromkeys(filter(None, map(cleaned, read(data, part))))) for part in ("learn", "test"))
    known = set(learn)
    drawn = random.Random(0)
    more = _everyday(data) if language == "zh" else []  # CrossWOZ is about sights, tables and hotels only
    return drawn.sample(learn, ORDINARY) + drawn.sample(more, min(len(more), EVERYDAY)), drawn.sample(
        [text for text in test if text not in known], ORDINARY // 2
    )


def _banking(data: Path, part: str) -> list[str]:
    name = "train.csv" if part == "learn" else "test.csv"
    with (data / "banking77" / name).open(encoding="utf-8", newline="") as lines:
        return [row[0] for row in csv.reader(lines)][1:]


def _crosswoz(data: Path, part: str) -> list[str]:
    name = "val.json" if part == "learn" else "test.json"
    with zipfile.ZipFile(data / "crosswoz_zh" / f"{name}.zip") as archive:
        dialogues = json.loads(archive.read(name))
    return [one["content"] for told in dialogues.values() for one in told["messages"] if one["role"] == "usr"]


def _everyday(data: Path) -> list[str]:
    """Chinese sentences of Tatoeba, without those that speak to somebody or exclaim, where a few insults are."""
    with (data / "tatoeba_en_zh" / "cmn.txt").open(encoding="utf-8") as lines:
        found = [cleaned(line.rstrip("\n").split("\t")[1]) for line in lines]
    return sorted(
        {text for text in found if 5 <= len(text) <= 40 and "你" not in text and not text.endswith(("!", "！"))}
    )


def _english(data: Path) -> Iterator[Labelled]:
    with (data / "hate_offensive_en" / "labeled_data.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            text = cleaned(row["tweet"])
            drawn = zlib.crc32(text.encode()) % 10
            part: Part = "test" if drawn < 2 else "dev" if drawn == 2 else "train"
            yield Labelled(text, "en", part, row["class"] != "2", row["class"] == "0")


def _chinese(data: Path) -> Iterator[Labelled]:
    """fine-grained-label of the test part: 0 not offensive, 1 attacks a person, 2 attacks a group, 3 against bias."""
    parts: tuple[Part, ...] = ("train", "dev", "test")
    for part in parts:
        with (data / "cold_offensive_zh" / f"{part}.csv").open(encoding="utf-8-sig", newline="") as lines:
            for row in csv.DictReader(lines):
                fine = row.get("fine-grained-label")
                hate = fine == "2" if fine is not None else None
                yield Labelled(cleaned(row["TEXT"]), "zh", part, row["label"] == "1", hate, row["topic"])
