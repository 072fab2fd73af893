"""Wake-up hints between the parts of one process. A hint may be lost or late; the truth is in the store.

A hint may carry what was just committed, so that a follower in the same process need not read it again.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Hints:
    """Topics are strings like "jobs" or "run:run_…"."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[Callable[[Any], None]]] = defaultdict(list)
        self.closed = False

    def publish(self, topic: str, payload: Any = None) -> None:
        """Wake everybody who listens to `topic`."""
        for listener in tuple(self._listeners.get(topic, ())):
            listener(payload)

    @contextmanager
    def call(self, topic: str, listener: Callable[[Any], None]) -> Iterator[None]:
        """Call `listener` with what is published on `topic` from now on; it must not block or raise."""
        self._listeners[topic].append(listener)
        try:
            yield
        finally:
            listeners = self._listeners[topic]
            listeners.remove(listener)
            if not listeners:
                del self._listeners[topic]

    @contextmanager
    def listen(self, topic: str) -> Iterator[asyncio.Queue[Any]]:
        """A queue that gets what is published on `topic` from now on."""
        queue: asyncio.Queue[Any] = asyncio.Queue()
        with self.call(topic, queue.put_nowait):
            yield queue

    def listened_to(self, prefix: str) -> bool:
        """Whether anybody listens to a topic that begins so."""
        return any(topic.startswith(prefix) for topic in self._listeners)

    def close(self) -> None:
        """Wake everybody for the last time; listeners look at `closed`."""
        self.closed = True
        for topic in tuple(self._listeners):
            self.publish(topic)
