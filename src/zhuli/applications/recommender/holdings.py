"""What recommenders have of an end user: events, and lists that were shown to them."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from zhuli.assistants.end_users.holdings import Held
from zhuli.store.applications import recommender as store


class RecommenderHoldings:
    """Implements assistants.end_users.Holdings."""

    def named(self, connection: Connection, project: str, user: str) -> list[str]:
        """Places of their lists that feedback is on."""
        return store.spoken_of(connection, project, user)

    def held(
        self, connection: Connection, project: str, user: str, threads: Sequence[str], *, after: Any
    ) -> tuple[list[Held], Any]:
        found, place = store.of_user(connection, project, user, after=after)
        return [Held(*one) for one in found], place

    def forget(self, connection: Connection, project: str, user: str, threads: Sequence[str]) -> Mapping[str, int]:
        return store.forget_some(connection, project, user)
