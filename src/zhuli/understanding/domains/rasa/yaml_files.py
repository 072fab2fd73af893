"""The files of a Rasa project as one: what a key has in any of them, with the file's name. Knows no key's meaning."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from zhuli.core.errors import InvalidRequest
from zhuli.understanding.domains.imports.notes import Notes, clean
from zhuli.understanding.domains.rasa import json_files, markdown_files
from zhuli.understanding.domains.yaml.tree import Node, tree_of

_OF_TESTS = re.compile(r"(?:^|/)(?:tests?|test_stories|results|models|node_modules|\.[^/]+)/|(?:^|/)test_[^/]*$")
"""What Rasa itself trains nothing from: conversations for testing, results, hidden folders."""

KEYS = frozenset(
    "nlu rules stories e2e_tests intents entities slots responses templates forms actions session_config language pipeline"
    " policies recipe".split()
)
"""What a file of a project has one of."""

_LIKELY = re.compile(rf"^(?:{'|'.join(sorted(KEYS))})\s*:", re.MULTILINE)


class RasaFiles:
    """The project without its tests and what is not Rasa's. A file that can't be read is a note, unless it is the only one."""

    def __init__(self, files: Mapping[str, str], notes: Notes) -> None:
        self._roots: dict[str, Node] = {}
        refused: list[InvalidRequest] = []
        for name, text in files.items():
            if is_of_tests(name):
                notes.add("left_alone", name, None, "This is for testing a project, so it is left alone.")
                continue
            try:
                root = _root(name, text)
            except InvalidRequest as error:
                if len(files) > 1 and not _LIKELY.search(text):
                    notes.add("left_alone", name, None, "This is no file of Rasa's, so it is left alone.")
                    continue
                refused.append(error)
                notes.add("unreadable", name, None, f"The file is left out. {error.message}")
                continue
            if KEYS.isdisjoint(root.fields):
                notes.add("left_alone", name, None, "This is no file of Rasa's, so it is left alone.")
            else:
                self._roots[name] = root
        if refused and not self._roots:
            raise refused[0]

    def has(self, key: str) -> bool:
        return any(key in root.fields for root in self._roots.values())

    def all(self, key: str) -> Iterator[tuple[str, Node]]:
        """The key's value in each file that has it."""
        return ((file, root.fields[key]) for file, root in self._roots.items() if key in root.fields)

    def items(self, key: str) -> Iterator[tuple[str, Node]]:
        """The items of the lists of this key."""
        return ((file, item) for file, node in self.all(key) for item in node.items)

    def named(self, key: str) -> Iterator[tuple[str, str, Node]]:
        """File, name and node of the members of the mappings of this key, or of the items of its lists, which may be names."""
        for file, node in self.all(key):
            yield from ((file, name, child) for name, child in node.fields.items())
            for item in node.items:
                if isinstance(item.value, str):
                    yield file, item.value, item
                yield from ((file, name, child) for name, child in item.fields.items())

    def names(self, key: str) -> list[str]:
        """The names of named(), as a domain may have them."""
        return [clean(name) for _, name, _ in self.named(key)]


def is_of_tests(name: str) -> bool:
    """Whether a file of this name is for testing the project, or hidden."""
    return _OF_TESTS.search(name) is not None


def texts(node: Node | None) -> list[str]:
    """Of a list, or of one text."""
    if node is None:
        return []
    found = [node] if isinstance(node.value, str) else node.items
    return [item.value for item in found if isinstance(item.value, str)]


def text_of(node: Node | None) -> str | None:
    """A scalar's text; None for anything else, and for null."""
    value: Any = None if node is None else node.value
    return value if isinstance(value, str) and value not in ("", "null", "~") else None


def _root(name: str, text: str) -> Node:
    """Of YAML; or of Markdown and JSON, as Rasa 1.x has them, what the YAML would be."""
    try:
        if name.lower().endswith(".md"):
            return markdown_files.tree(text)
        return json_files.tree(text) if name.lower().endswith(".json") else tree_of(text)
    except InvalidRequest as error:
        raise InvalidRequest(f"{name}: {error.message}", param=f"files.{name}", code=error.code) from error
