"""What monitors have of an end user: items that they wrote, with what was read in them; their texts in alerts."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from zhuli.assistants.end_users.holdings import Held
from zhuli.store.applications import opinion, opinion_alerts


class OpinionHoldings:
    """Implements assistants.end_users.Holdings."""

    def named(self, connection: Connection, project: str, user: str) -> list[str]:
        return opinion.ids_of(connection, project, user)

    def held(
        self, connection: Connection, project: str, user: str, threads: Sequence[str], *, after: Any
    ) -> tuple[list[Held], Any]:
        items, place = opinion.written(connection, project, user, after=after)
        return [Held("opinion_item", item.model_dump_json()) for item in items], place

    def forget(self, connection: Connection, project: str, user: str, threads: Sequence[str]) -> Mapping[str, int]:
        """Items go with what they were counted as, and out of alerts, in one transaction."""
        monitor_id, keys = opinion.forget(connection, project, user)
        if monitor_id is None:
            return {}
        changed = opinion_alerts.redact(
            connection,
            project,
            monitor_id,
            lambda alert: opinion_alerts.without(alert, {text.id for text in alert.texts} & keys),
        )
        return {"opinion_items": len(keys), "opinion_alerts_changed": changed}
