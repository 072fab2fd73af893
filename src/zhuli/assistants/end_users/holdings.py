"""What a room above has of end users. The room gives it when it is built: this wing knows no application."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection


class Held(NamedTuple):
    """Something of an end user, as an export has it. body: JSON."""

    kind: str
    body: str


class Holdings(Protocol):
    """Each method is called within a transaction, and looks at a piece of what there is. threads: the user's."""

    def named(self, connection: Connection, project: str, user: str) -> Sequence[str]:
        """Ids of what is theirs, by which feedback on it and copies of it are found."""

    def held(
        self, connection: Connection, project: str, user: str, threads: Sequence[str], *, after: Any
    ) -> tuple[list[Held], Any]:
        """Some of it behind a place, at first None; and the next place, None behind the last one."""

    def forget(self, connection: Connection, project: str, user: str, threads: Sequence[str]) -> Mapping[str, int]:
        """Delete some of it: how many of what. Called again until it is nothing."""
