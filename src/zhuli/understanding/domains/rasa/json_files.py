"""Rasa 1.x's NLU data in JSON as the tree that its YAML would be."""

import json
from typing import Any

from zhuli.understanding.domains.yaml.tree import Node, wrong


def tree(text: str) -> Node:
    """Lines are not known, so that every node is of the first; what has no `rasa_nlu_data` is an empty tree."""
    try:
        read = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise wrong(None, f"This is not JSON: {error}.") from error
    data = read.get("rasa_nlu_data") if isinstance(read, dict) else None
    if not isinstance(data, dict):
        return Node(1, {})
    entries = [*_examples(data), *_synonyms(data), *_lists(data)]
    return Node(1, {"nlu": Node(1, entries)})


def _examples(data: dict[str, Any]) -> list[Node]:
    by_intent: dict[str, list[str]] = {}
    for example in _dicts(data.get("common_examples")):
        text, intent = example.get("text"), example.get("intent")
        if isinstance(text, str) and isinstance(intent, str):
            by_intent.setdefault(intent, []).append(_marked(text, _dicts(example.get("entities"))))
    return [_entry("intent", intent, examples) for intent, examples in by_intent.items()]


def _marked(text: str, entities: list[dict[str, Any]]) -> str:
    """The text with Rasa's marks; entities whose places are not in it are left out."""
    places = [one for one in entities if isinstance(one.get("start"), int) and isinstance(one.get("end"), int)]
    for one in sorted(places, key=lambda one: -int(one["start"])):
        start, end = one["start"], one["end"]
        if 0 <= start < end <= len(text) and isinstance(one.get("entity"), str):
            said = {key: one[key] for key in ("entity", "value", "role") if isinstance(one.get(key), str)}
            text = f"{text[:start]}[{text[start:end]}]{json.dumps(said, ensure_ascii=False)}{text[end:]}"
    return text


def _synonyms(data: dict[str, Any]) -> list[Node]:
    found = _dicts(data.get("entity_synonyms"))
    return [_entry("synonym", str(one.get("value")), _texts(one.get("synonyms"))) for one in found]


def _lists(data: dict[str, Any]) -> list[Node]:
    """Lists in files of their own are not read."""
    regexes = [
        _entry("regex", str(one.get("name")), _texts([one.get("pattern")]))
        for one in _dicts(data.get("regex_features"))
    ]
    tables = [
        _entry("lookup", str(one.get("name")), _texts(one.get("elements"))) for one in _dicts(data.get("lookup_tables"))
    ]
    return [*regexes, *tables]


def _entry(kind: str, name: str, texts: list[str]) -> Node:
    return Node(1, {kind: Node(1, name), "examples": Node(1, [Node(1, text) for text in texts])})


def _dicts(found: Any) -> list[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _texts(found: Any) -> list[str]:
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []
