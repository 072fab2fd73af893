"""Delivers alerts: an attempt a job, again after a growing while where it fails, until it is given up. The handler of its jobs.

A process may die between an attempt and its record: then the same is delivered again, under the same webhook-id.
"""

from contextlib import suppress

import orjson

from zhuli.applications.opinion import letters, webhooks
from zhuli.core.clock import Clock
from zhuli.core.errors import LeaseLost
from zhuli.settings import Settings
from zhuli.store.applications import opinion, opinion_alerts
from zhuli.store.applications.opinion_alerts import Delivery
from zhuli.store.database import Database
from zhuli.store.jobs import Job
from zhuli.types.applications.opinion import Webhook

WAITS = (5.0, 30.0, 120.0, 600.0, 1_800.0, 7_200.0, 21_600.0, 43_200.0)
"""Seconds before the attempts behind the first, as Standard Webhooks suggests; after the last one it is given up."""


class Delivering:
    """Made once for a process."""

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock

    async def handle(self, job: Job) -> None:
        """One attempt."""
        to = await self._database.run(opinion_alerts.delivery, job.key)
        error = None if to is None else await self._attempt(to)
        now = self._clock.now()
        again = now + WAITS[to.attempts] if to is not None and error and to.attempts < len(WAITS) else None
        with suppress(LeaseLost):
            await self._database.run(opinion_alerts.delivered, job, to, error=error, again_at=again, now=now)

    async def give_up(self, job: Job, message: str) -> None:
        """It broke: there is no other attempt."""
        to = await self._database.run(opinion_alerts.delivery, job.key)
        now = self._clock.now()
        with suppress(LeaseLost):
            await self._database.run(opinion_alerts.delivered, job, to, error=message, again_at=None, now=now)

    async def stopped(self, keys: list[str]) -> list[str]:
        """None: an attempt is short."""
        return []

    def interrupt(self, key: str) -> None:
        """Nothing: an attempt is short."""

    async def _attempt(self, to: Delivery) -> str | None:
        destination = to.destination
        if isinstance(destination, Webhook):
            body = orjson.dumps({"type": f"opinion_alert.{to.kind}", "data": to.alert.model_dump(mode="json")})
            return await webhooks.post(
                destination.url,
                body,
                id_=to.id,
                secret=destination.secret,
                now=int(self._clock.now()),
                private=self._settings.private_webhooks,
            )
        if self._settings.smtp_url is None:
            return "There is no mail server: the setting smtp_url names one."
        stored = await self._database.run(opinion.stored, to.monitor)
        name = stored.monitor.name if stored else to.monitor
        title, text = letters.subject(to.alert, name), letters.letter(to.alert, name)
        return await letters.send(
            self._settings.smtp_url, self._settings.smtp_from, destination.to, title=title, text=text
        )
