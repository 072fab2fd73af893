"""Entities as imports make them: lists of values with other words for them, patterns, and kinds that need nothing."""

from collections.abc import Iterable
from typing import Any

from zhuli.understanding.domains.checks.patterns import problem
from zhuli.understanding.domains.imports.draft import MOST_OF_A_PATTERN
from zhuli.understanding.domains.imports.notes import Notes

Data = dict[str, Any]


def value_list(name: str, values: Iterable[tuple[str, Iterable[str]]]) -> Data:
    """A lookup list; values that are there twice are one. Without any value, something to be learned from marks."""
    merged: dict[str, dict[str, None]] = {}
    for value, words in values:
        if value.strip():
            others = merged.setdefault(value.strip(), {})
            others.update((word.strip(), None) for word in words if word.strip() and word.strip() != value.strip())
    listed = [{"value": value, "synonyms": list(words)} for value, words in merged.items()]
    return {"name": name, "kind": "lookup", "values": listed} if listed else {"name": name}


def pattern_entity(name: str, patterns: Iterable[str], notes: Notes) -> Data:
    """A regular expression's entity, of those that can be used here; a note for each other."""
    kept: list[str] = []
    for pattern in dict.fromkeys(patterns):
        found = problem(pattern)
        if len(pattern) > MOST_OF_A_PATTERN or (found is not None and found[0] == "error"):
            why = found[2] if found else f"It is longer than {MOST_OF_A_PATTERN} characters."
            notes.add("pattern_not_taken", name, None, f"A pattern of '{name}' is left out. {why}")
        else:
            kept.append(pattern)
    return {"name": name, "kind": "regex", "patterns": kept} if kept else {"name": name}
