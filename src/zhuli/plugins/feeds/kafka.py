"""Items of a Kafka topic, JSON objects each, by aiokafka. What was pushed is committed: nothing is lost, and nothing doubled."""

from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlsplit

from zhuli.core.errors import ConfigurationError
from zhuli.types.applications.feed import FeedFault, item_of


class Plugin:
    """Implements ports.Feed. place: kafka://HOST:PORT,HOST:PORT/TOPIC. settings: group (zhuli), and further ones of the
    consumer. It does not end.
    """

    def __init__(self, place: str, settings: dict[str, Any]) -> None:
        at = urlsplit(place)
        self._topic = at.path.strip("/")
        if at.scheme != "kafka" or not at.netloc or not self._topic:
            raise ConfigurationError(f"A Kafka feed is like kafka://broker:9092/topic, not '{place}'.")
        self._servers = at.netloc
        self._settings = {"group_id": "zhuli", **settings}
        self._consumer: Any = None

    async def items(self) -> AsyncGenerator[dict[str, Any] | FeedFault, None]:
        from aiokafka import AIOKafkaConsumer

        self._consumer = AIOKafkaConsumer(
            self._topic,
            bootstrap_servers=self._servers,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            **self._settings,
        )
        await self._consumer.start()
        try:
            async for message in self._consumer:
                yield _item(message)
        finally:
            await self._consumer.stop()

    async def taken(self) -> None:
        if self._consumer is not None:
            await self._consumer.commit()


def _item(message: Any) -> dict[str, Any] | FeedFault:
    place = f"{message.topic}/{message.partition}/{message.offset}"
    found = item_of(place, message.value or b"null")
    return found if isinstance(found, FeedFault) else {"id": place, "published_at": message.timestamp / 1_000, **found}
