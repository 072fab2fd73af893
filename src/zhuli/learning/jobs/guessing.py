"""Which task a data file is for, seen from its first record. Pure; only the beginning of the file is looked at.

A guess that is wrong costs nothing: the file is read and checked as the task wants it before anything is trained.
"""

import csv
import json
from collections.abc import Mapping
from pathlib import PurePath

from zhuli.types.learning.hyperparameters import TaskName

PEEKED = 64 * 1024
"""Bytes of a file that are looked at."""

_OF_FORMAT: dict[str, TaskName] = {
    "conll": "token_classification",
    "squad": "question_answering",
    "rasa": "text_classification",
}
_OF_SUFFIX: dict[str, str] = {
    ".jsonl": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".conll": "conll",
    ".bio": "conll",
    ".iob2": "conll",
    ".yml": "rasa",
    ".yaml": "rasa",
}


def guess(beginning: bytes, filename: str, *, format: str, columns: Mapping[str, str], chats: bool) -> TaskName | None:
    """The task, or None if the file does not tell. columns: the task's field → the file's. chats: the base writes text."""
    kind = _OF_SUFFIX.get(PurePath(filename).suffix.lower(), "jsonl") if format == "auto" else format
    if task := _OF_FORMAT.get(kind):
        return task
    text = beginning.decode("utf-8-sig", errors="replace")
    if kind == "json" and '"paragraphs"' in text:
        return "question_answering"
    fields = _columns(text, kind) if kind in ("csv", "tsv") else _keys(text)
    return _of_fields(fields | columns.keys(), chats=chats)


def _of_fields(fields: set[str], *, chats: bool) -> TaskName | None:
    if {"preferred_output", "non_preferred_output"} & fields:
        return "preference"
    if "messages" in fields:
        return "dialogue" if chats else "text_classification"
    if {"question", "context"} <= fields:
        return "question_answering"
    if {"head", "tail"} <= fields:
        return "relation_extraction"
    if {"tags", "entities", "ner_tags"} & fields:
        return "token_classification"
    if {"label", "labels", "intent", "category", "sentiment"} & fields:
        return "text_classification"
    if {"summary", "highlights"} & fields:
        return "summarization"
    return None


def _columns(text: str, kind: str) -> set[str]:
    lines = text.splitlines()
    try:
        header = next(csv.reader(lines[:1], delimiter="\t" if kind == "tsv" else ","), [])
    except csv.Error:
        return set()
    return {name.strip().lower() for name in header}


def _keys(text: str) -> set[str]:
    """Of the first object in JSONL or in a JSON list, which may be cut off behind it."""
    start = text.find("{")
    if start < 0:
        return set()
    try:
        first, _ = json.JSONDecoder().raw_decode(text[start:])
    except (ValueError, RecursionError):
        return set()
    return set(first)
