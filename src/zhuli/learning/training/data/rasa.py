"""Rasa NLU YAML: intents with example sentences, in which entities are marked: [Berlin](city), [NYC]{"entity": "city"}.

Synonyms, patterns and lookup tables are rules, which nothing is learned from: they are passed by with a warning, and so are
responses and stories.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from zhuli.core.errors import Unreadable
from zhuli.learning.training.data.finding import Entry, Finding
from zhuli.learning.training.data.text_file import opened
from zhuli.types.learning.example import Record

_MARKED = re.compile(r"\[([^\]\[]+)\](?:\(([^)]*)\)|\{([^}]*)\}|\[(\{.*?\})\])")
"""After the pattern of Rasa's own reader (rasa/shared/nlu/training_data/entities_parser.py)."""

RULES = {"synonym": "Synonyms", "regex": "Patterns", "lookup": "Lookup tables"}


def read(path: Path) -> Iterator[Entry]:
    """Unreadable when the file is no YAML, or has no list `nlu`."""
    with opened(path) as file:
        text = file.read()
    for section in _sections(text):
        fields = _fields(section)
        line = section.start_mark.line + 1
        if rule := next((rule for rule in RULES if rule in fields), None):
            yield Finding(line, f"{RULES[rule]} ({fields[rule].value}) are not learned from.", level="warning")
        elif "intent" not in fields or "examples" not in fields:
            yield Finding(line, "An entry of `nlu` must have an `intent` and `examples`.")
        else:
            yield from _examples(str(fields["intent"].value), fields["examples"])


def _sections(text: str) -> list[Any]:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise Unreadable(
            f"{f'Line {mark.line + 1}: t' if mark else 'T'}he file is not YAML: {_problem(error)}."
        ) from error
    sections = _fields(root).get("nlu")
    if not isinstance(sections, yaml.SequenceNode):
        raise Unreadable("The file has no list `nlu:` of intents, as Rasa's nlu.yml has.")
    return list(sections.value)


def _fields(node: Any) -> dict[str, Any]:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return {key.value: value for key, value in pairs if isinstance(key, yaml.ScalarNode)}


def _problem(error: yaml.YAMLError) -> str:
    return str(getattr(error, "problem", None) or "unknown problem")


def _examples(intent: str, node: Any) -> Iterator[Entry]:
    for line, text in _lines(node):
        try:
            sentence, entities = unmarked(text)
        except ValueError as error:
            yield Finding(line, str(error))
            continue
        yield Record(line=line, fields={"text": sentence, "label": intent, "entities": entities})


def _lines(node: Any) -> Iterator[tuple[int, str]]:
    """The sentences of a block of `- …` lines, or of a list of texts or of {text: …}."""
    if isinstance(node, yaml.ScalarNode):
        first = node.start_mark.line + 1 + (node.style == "|")
        for number, line in enumerate(node.value.split("\n")):
            if sentence := line.strip().removeprefix("-").strip():
                yield first + number, sentence
        return
    for item in node.value if isinstance(node, yaml.SequenceNode) else []:
        text = _fields(item).get("text", item)
        if isinstance(text, yaml.ScalarNode):
            yield text.start_mark.line + 1, text.value.strip().removeprefix("- ").strip()


def unmarked(text: str) -> tuple[str, list[dict[str, Any]]]:
    """The sentence without marks, and its entities with their places in it; ValueError for a mark without a name."""
    sentence, entities, at = "", [], 0
    for mark in _MARKED.finditer(text):
        sentence += text[at : mark.start()]
        words = mark.group(1)
        entities.append({"start": len(sentence), "end": len(sentence) + len(words), "label": _label(mark)})
        sentence += words
        at = mark.end()
    return sentence + text[at:], entities


def _label(mark: re.Match[str]) -> str:
    """Of [text](label), [text](label:value), [text]{"entity": label, …}, or the first of a list of those."""
    _, short, fields, several = mark.groups()
    label = (short or "").split(":")[0].strip()
    if fields is not None or several is not None:
        try:
            label = json.loads(f"[{{{fields}}}]" if several is None else f"[{several}]")[0].get("entity", "")
        except (ValueError, RecursionError):
            label = ""
    if not isinstance(label, str) or not label:
        raise ValueError(
            f'The mark {mark.group()!r} names no entity; write [Berlin](city) or [Berlin]{{"entity": "city"}}.'
        )
    return label
