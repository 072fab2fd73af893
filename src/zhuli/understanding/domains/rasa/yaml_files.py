"""The YAML files of a Rasa project as one: what a key has in any of them, with the file's name. Knows no key's meaning."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from zhuli.core.errors import InvalidRequest
from zhuli.types.understanding.domain import Finding
from zhuli.understanding.domains.checks.findings import warning
from zhuli.understanding.domains.yaml.tree import Node, tree_of

_NO_NAME = re.compile(r"[\s{}\[\]()]+")


class Notes(list[Finding]):
    """What is told about the import."""

    def add(self, code: str, file: str, node: Node | None, message: str) -> None:
        """file: or what else the note is about, if there is no node to name the line of."""
        self.append(warning(code, file if node is None else f"{file}:{node.line}", message))


class RasaFiles:
    """InvalidRequest names the file and line of what is no YAML."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._roots = {name: _root(name, text) for name, text in files.items()}

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


def clean(name: str) -> str:
    """The name without what no name of a domain has."""
    return _NO_NAME.sub("_", name.strip())[:128] or "_"


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
    try:
        return tree_of(text)
    except InvalidRequest as error:
        raise InvalidRequest(f"{name}: {error.message}", param=f"files.{name}", code=error.code) from error
