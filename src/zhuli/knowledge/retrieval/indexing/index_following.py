"""Has indexes follow stores as their files are done, so that the next search need not.

It is a convenience: a search catches up by itself, and what is missed here costs it time only.
"""

import asyncio
import logging
from collections.abc import Sequence

from zhuli.knowledge.retrieval.indexing.index_follower import Follower
from zhuli.store.database import Database
from zhuli.store.knowledge import changes

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.5
"""Between two rounds for a store, so that many small files are taken in together."""


class IndexFollowing:
    """Of one process. notice() says that a store has changed; the first round begins at once."""

    def __init__(self, database: Database, followers: Sequence[Follower]) -> None:
        self._database = database
        self._followers = followers
        self._changed: set[str] = set()
        self._rounds: dict[str, asyncio.Task[None]] = {}

    def notice(self, store: str) -> None:
        """Take in what the store has that is new, now or right after the round that is going on."""
        self._changed.add(store)
        if store not in self._rounds:
            self._rounds[store] = asyncio.create_task(self._follow(store))

    async def _follow(self, store: str) -> None:
        try:
            while store in self._changed:
                self._changed.discard(store)
                await self._catch_up(store)
                await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            del self._rounds[store]

    async def _catch_up(self, store: str) -> None:
        try:
            number = await self._database.run(changes.latest, store)
            await asyncio.gather(*(follower.catch_up(store, number) for follower in self._followers))
        except Exception:
            log.exception("The indexes of %s can't be brought up to date; its next search tries again", store)

    async def aclose(self) -> None:
        """Stop; what has not been taken in will be by a search."""
        rounds = list(self._rounds.values())
        for task in rounds:
            task.cancel()
        await asyncio.gather(*rounds, return_exceptions=True)
