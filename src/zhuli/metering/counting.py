"""What models were asked for, counted in memory and written down twice a second: a kill forgets at most what came since."""

from collections.abc import Mapping

from zhuli.core.clock import Clock
from zhuli.core.ids import new_id
from zhuli.core.origin import Origin
from zhuli.store.usage import MINUTE, Counted, Counts, Kind
from zhuli.types.models.generation import Usage


class Counting:
    """Of this process, under a name of its own."""

    def __init__(self, clock: Clock) -> None:
        self.process = new_id("proc")
        self._clock = clock
        self._counts: dict[Counted, Counts] = {}
        self._changed: set[Counted] = set()

    def add(self, asked: Origin | None, kind: Kind, model: str, usage: Usage) -> None:
        """A model was asked once; for nobody's project nothing is counted."""
        if asked is None or asked.project is None:
            return
        minute = int(self._clock.now()) // MINUTE * MINUTE
        of = Counted(minute, kind, asked.project, asked.key or "", model)
        counts = self._counts.setdefault(of, Counts())
        counts.requests += 1
        counts.input_tokens += usage.prompt
        counts.cached_tokens += usage.cached
        counts.output_tokens += usage.completion
        self._changed.add(of)

    def changed(self) -> Mapping[Counted, Counts]:
        """What is not written down yet."""
        return {of: self._counts[of] for of in self._changed}

    def written(self, counted: Mapping[Counted, Counts]) -> None:
        """This was written down; of minutes that are over nothing more is to come."""
        minute = int(self._clock.now()) // MINUTE * MINUTE
        self._changed.difference_update(counted)
        for of in [of for of in self._counts if of.start < minute and of not in self._changed]:
            del self._counts[of]
