"""What support desks have of an end user: dialogues, and handoffs of their threads."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from zhuli.assistants.end_users.holdings import Held
from zhuli.store.applications import support as store


class SupportHoldings:
    """Implements assistants.end_users.Holdings."""

    def named(self, connection: Connection, project: str, user: str) -> list[str]:
        """Nothing: no feedback is on any of it."""
        return []

    def held(
        self, connection: Connection, project: str, user: str, threads: Sequence[str], *, after: Any
    ) -> tuple[list[Held], Any]:
        found, place = store.of_user(connection, project, user, threads, after=after)
        return [Held(*one) for one in found], place

    def forget(self, connection: Connection, project: str, user: str, threads: Sequence[str]) -> Mapping[str, int]:
        """Their words go from proposals, too. What is published stays until it is published again."""
        return store.forget(connection, project, user, threads)
