"""Entities and relations: SNIPS (its intents too), WNUT17, Weibo, SemEval-2010 task 8, FinRE."""

import json
import re
import tarfile
from pathlib import Path
from typing import Any

from benchmarks.learning.tuning.drawing import Fields, Parts, drawn, of_label, of_text, only, read
from zhuli.core.decoding import read_text

_SEMEVAL = re.compile(r'^\d+\t"(.*)"\s*\n(\S+)\s*$', re.MULTILINE)


def snips_intents(data: Path, seed: int) -> Parts:
    """The published validation part is the test; 700 sentences of train are held out."""
    parts = _snips(data, seed)
    return {part: [{"text": " ".join(one["tokens"]), "label": one["label"]} for one in parts[part]] for part in parts}


def snips_slots(data: Path, seed: int) -> Parts:
    """The same split; words are what spaces and the ends of slots separate."""
    parts = _snips(data, seed)
    return {part: only(parts[part], "tokens", "tags") for part in parts}


def _snips(data: Path, seed: int) -> Parts:
    train = _snips_files(data, "train_*_full.json")
    share = 700 / len(train)
    parts = drawn(train, {"validation": share}, text=lambda one: " ".join(one["tokens"]), labels=of_label, seed=seed)
    return {**parts, "test": _snips_files(data, "validate_*.json")}


def _snips_files(data: Path, pattern: str) -> list[Fields]:
    files = [json.loads(read_text(path)) for path in sorted((data / "snips").glob(pattern))]
    return [_sentence(intent, entry["data"]) for file in files for intent, entries in file.items() for entry in entries]


def _sentence(intent: str, pieces: list[dict[str, str]]) -> Fields:
    tokens: list[str] = []
    tags: list[str] = []
    for piece in pieces:
        words = piece["text"].split()
        kind = piece.get("entity")
        tokens += words
        tags += [f"{'I' if number else 'B'}-{kind}" if kind else "O" for number in range(len(words))]
    return {"tokens": tokens, "tags": tags, "label": intent}


def wnut17(data: Path, seed: int) -> Parts:
    """As published."""
    names = {"train": "wnut17train.conll", "validation": "emerging.dev.conll", "test": "emerging.test.annotated"}
    return {part: _conll(data / "wnut17_ner" / names[part]) for part in ("train", "validation", "test")}


def weibo_ner(data: Path, seed: int) -> Parts:
    """As published, in its second edition."""
    names = {"train": "train", "validation": "dev", "test": "test"}
    return {
        part: _conll(data / f"weibo_ner_zh/weiboNER_2nd_conll.{names[part]}")
        for part in ("train", "validation", "test")
    }


def _conll(path: Path) -> list[Fields]:
    return only(read(path, "token_classification", "conll"), "tokens", "tags")


def semeval(data: Path, seed: int) -> Parts:
    """Published train and test; one in ten of train is held out."""
    with tarfile.open(data / "semeval2010_task8/SemEval2010_task8_all_data.tar.gz") as archive:
        train = _semeval(archive, "SemEval2010_task8_training/TRAIN_FILE.TXT")
        test = _semeval(archive, "SemEval2010_task8_testing_keys/TEST_FILE_FULL.TXT")
    return {**drawn(train, {"validation": 0.1}, text=of_text, labels=of_label, seed=seed), "test": test}


def _semeval(archive: tarfile.TarFile, name: str) -> list[Fields]:
    file: Any = archive.extractfile(f"SemEval2010_task8_all_data/{name}")
    text = file.read().decode().replace("\r\n", "\n")
    return [{"text": sentence, "label": relation} for sentence, relation in _SEMEVAL.findall(text)]


def finre(data: Path, seed: int) -> Parts:
    """As published, without sentences in which a side does not stand as it is written, or stands in the other one."""
    names = {"train": "train", "validation": "valid", "test": "test"}
    parts = {part: _finre(data / f"finre_zh/FinRE_{name}.txt") for part, name in names.items()}
    known = {one["label"] for one in parts["train"]}
    return {
        "train": parts["train"],
        "validation": [one for one in parts["validation"] if one["label"] in known],
        "test": [one for one in parts["test"] if one["label"] in known],
    }


def _finre(path: Path) -> list[Fields]:
    entries = only(read(path, "relation_extraction", "tsv"), "text", "head", "tail", "label")
    return [one for one in entries if not _overlapping(one["head"], one["tail"])]


def _overlapping(head: dict[str, int], tail: dict[str, int]) -> bool:
    return head["start"] < tail["end"] and tail["start"] < head["end"]
