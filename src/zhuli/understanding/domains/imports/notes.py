"""What an import tells: what of another format's files is not in the domain, where and why. And names as a domain has them."""

import re
from typing import Protocol

from zhuli.types.understanding.domain import Finding
from zhuli.understanding.domains.checks.findings import warning

_NO_NAME = re.compile(r"[\s{}\[\]()]+")

MOST_CHARACTERS = 128
"""Of a name."""


class Placed(Protocol):
    """Something that stands in a line of a file."""

    @property
    def line(self) -> int: ...


class Notes(list[Finding]):
    """What is told about the import, each once."""

    def __init__(self) -> None:
        super().__init__()
        self._told: set[tuple[str, str]] = set()

    def add(self, code: str, file: str, node: Placed | None, message: str) -> None:
        """file: or what else the note is about, if there is no node to name the line of."""
        found = warning(code, file if node is None else f"{file}:{node.line}", message)
        key = (found.where, message)
        if key not in self._told:
            self._told.add(key)
            self.append(found)


class Names:
    """Names as a domain may have them, each of another for another: what becomes the same gets a number."""

    def __init__(self, *reserved: str) -> None:
        self._by_given: dict[str, str] = {}
        self._taken = set(reserved)

    def __call__(self, given: str) -> str:
        if given not in self._by_given:
            name, number = clean(given), 2
            while name in self._taken:
                name, number = f"{clean(given)[: MOST_CHARACTERS - 6]}_{number}", number + 1
            self._by_given[given] = name
            self._taken.add(name)
        return self._by_given[given]


def clean(name: str) -> str:
    """The name without what no name of a domain has."""
    return _NO_NAME.sub("_", name.strip())[:MOST_CHARACTERS] or "_"


def markable(name: str) -> str:
    """The name of an entity or role, as it can be marked in examples."""
    return re.sub(r"[:#]", "_", clean(name))


def function_name(action: str) -> str:
    """The action's name as a function may have it."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", action)[:64] or "_"
