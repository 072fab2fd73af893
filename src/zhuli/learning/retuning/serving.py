"""What was served under aliases, on its way to the store: noted in memory, written every second or so.

Noting costs microseconds, a row each time would cost more than the watching. What a process that dies had noted is lost: it
is a sample that nothing depends on.
"""

import asyncio
from collections import Counter, deque

from zhuli.models.catalog import Catalog
from zhuli.store.database import Database
from zhuli.store.learning import served
from zhuli.store.learning.served import Served
from zhuli.types.learning.retuning import Policy

MOST = 20_000
"""Notes that wait at most; of more the oldest are dropped."""


class Serving:
    """Made once. Implements predicting.answering.Notes."""

    def __init__(self, database: Database, catalog: Catalog) -> None:
        self._database = database
        self._catalog = catalog
        self._noted: deque[Served] = deque(maxlen=MOST)
        self._writing = asyncio.Lock()
        self.policies: dict[tuple[str, str], Policy] = {}

    def keeps_texts(self, project: str, alias: str) -> bool:
        """Whether the alias's policy wants texts kept."""
        policy = self.policies.get((project, alias))
        return policy is not None and policy.drift.keep_texts

    def note(self, answered: Served) -> None:
        """Keep it with the next flush."""
        self._noted.append(answered)

    async def flush(self) -> Counter[tuple[str, str]]:
        """Write what was noted; how much it was for each alias, by project and alias."""
        async with self._writing:
            waiting = list(self._noted)
            if waiting:
                await self._database.run(served.add, waiting)
            for _ in waiting:
                self._noted.popleft()
        return Counter((each.project, each.alias) for each in waiting)
