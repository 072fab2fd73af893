"""YAML as a tree whose nodes know their line. Plain data only: no tags, no anchors, no merge keys, no key twice.

Of plain scalars true, false, null, whole and decimal numbers are what they look like, as in YAML 1.2; everything else is
text, also yes, no, on, 12:30 and 2026-11-22, which YAML 1.1 makes something else of.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from zhuli.core.errors import InvalidRequest

MOST_CHARACTERS = 4_000_000
MOST_VALUES = 60_000
"""Texts, lists and mappings. Larger domains come as JSON, which is read at a hundredth of the cost."""

_DEPTH = 24

_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,19})")
_DECIMAL = re.compile(r"[-+]?[0-9]{1,300}\.[0-9]{0,300}(?:[eE][-+][0-9]{1,3})?")
_MARKED = re.compile(r"\][({]")
_QUOTED = (
    " A text that begins with a bracket, and one with brackets in a list in brackets, needs quotes: "
    '"[50](amount) for Ann".'
)
"""What is said where a marked example was taken for a list."""

_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True, slots=True)
class Node:
    """value: a scalar's text, the items of a sequence, or a mapping's values by key. line: from 1, of a value its key's.

    plain: a scalar without quotes, which may be no text. block: a scalar after `|` or `>`, whose text begins on the next line.
    """

    line: int
    value: "str | list[Node] | dict[str, Node]"
    plain: bool = False
    block: bool = False

    @property
    def fields(self) -> "dict[str, Node]":
        """Of a mapping; of anything else none."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def items(self) -> "list[Node]":
        """Of a sequence; of anything else none."""
        return self.value if isinstance(self.value, list) else []


def tree_of(text: str) -> Node:
    """The one document of the text; InvalidRequest names the line of what is wrong."""
    import yaml

    if len(text) > MOST_CHARACTERS:
        raise wrong(None, f"At most {MOST_CHARACTERS} characters of YAML are taken; there are {len(text)}.")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        events = _counted(event for event in yaml.parse(text, Loader=loader) if not _is_frame(event))
        first = next(events, None)
        root = Node(1, {}) if first is None else _node(first, events, 0)
        if (more := next(events, None)) is not None:
            raise wrong(_line(more), "A second document begins here. Only one is taken: leave out `---`.")
    except UnicodeError as error:
        raise wrong(None, "This is not YAML: it has characters that UTF-8 can't say.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or getattr(error, "reason", None) or "it can't be read"
        hint = _QUOTED if mark and _MARKED.search(_lines(text, mark.line)) else ""
        raise wrong(mark.line + 1 if mark else None, f"This is not YAML: {what}.{hint}") from error
    return root


def _lines(text: str, number: int) -> str:
    """The line of this number, from 0, and the one before it."""
    return "\n".join(text.splitlines()[max(0, number - 1) : number + 1])


def lines_of(node: Node) -> list[tuple[int, str]]:
    """The texts of a block with one on each line, with or without a dash before it, and their lines; empty ones are left out."""
    text = node.value if isinstance(node.value, str) else ""
    numbered = [(node.line + node.block + number, line.strip()) for number, line in enumerate(text.split("\n"))]
    return [(number, line.removeprefix("- ").lstrip()) for number, line in numbered if line not in ("", "-")]


def data_of(node: Node) -> Any:
    """The node as JSON has it."""
    if isinstance(node.value, dict):
        return {key: data_of(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [data_of(child) for child in node.value]
    return _scalar(node.value) if node.plain else node.value


def wrong(line: int | None, message: str, param: str | None = None) -> InvalidRequest:
    """The error for what stands in this line."""
    return InvalidRequest(message if line is None else f"Line {line}: {message}", param=param, code="invalid_yaml")


def _scalar(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    number = float(text) if _DECIMAL.fullmatch(text) else math.inf
    return number if math.isfinite(number) else text


def _counted(events: Iterator[Any]) -> Iterator[Any]:
    """The events, unless they are of too many values."""
    for number, event in enumerate(events):
        if number > 2 * MOST_VALUES:  # a list or mapping has one for its end
            raise wrong(_line(event), f"This is too much: at most {MOST_VALUES} texts, lists and mappings are taken.")
        yield event


def _is_frame(event: Any) -> bool:
    """The begin or end of a stream or document."""
    return type(event).__name__.startswith(("Stream", "Document"))


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _node(event: Any, events: Iterator[Any], depth: int) -> Node:
    """The node that the event begins, read to its end."""
    line, kind = _line(event), type(event).__name__
    if kind == "AliasEvent" or event.anchor is not None:
        raise wrong(line, "Anchors (&) and aliases (*) are not taken. Write out what is meant, or quote the text.")
    if event.tag is not None:
        raise wrong(line, f"The tag {event.tag!r} is not taken. Leave it out, or quote the text.")
    if depth > _DEPTH:
        raise wrong(line, f"This is nested more than {_DEPTH} levels deep.")
    if kind == "ScalarEvent":
        return Node(line, event.value, plain=not event.style, block=event.style in ("|", ">"))
    if kind == "SequenceStartEvent":
        return Node(line, [_node(item, events, depth + 1) for item in _until(events, "SequenceEndEvent")])
    return Node(line, _mapping(events, depth))


def _until(events: Iterator[Any], end: str) -> Iterator[Any]:
    for event in events:
        if type(event).__name__ == end:
            return
        yield event


def _mapping(events: Iterator[Any], depth: int) -> dict[str, Node]:
    fields: dict[str, Node] = {}
    for event in _until(events, "MappingEndEvent"):
        key, child = _node(event, events, depth + 1), _node(next(events), events, depth + 1)
        if not isinstance(key.value, str):
            raise wrong(key.line, "A key must be a text. Quote it if it has brackets.")
        if key.value in fields:
            raise wrong(key.line, f"'{key.value}' is there twice; first in line {fields[key.value].line}.")
        fields[key.value] = replace(child, line=key.line)
    return fields
