"""Who waits for predictions, and what the child is given next. Pure: it knows neither processes nor models.

Inputs for one model that wait together go together, whoever sent them. Models take turns, and so do those who ask of one
model, so that a long list does not keep others waiting for longer than a batch.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

MOST_INPUTS = 32
"""In a batch. On a processor more at once is hardly faster, and the next in turn waits for as long as it takes."""
MOST_SLOW_INPUTS = 4
"""Of answers that take long each: texts that are written, and explanations."""


class Lane(NamedTuple):
    """What can go into one batch. judge: the inputs are labelled records, and answers are judged by their labels."""

    folder: Path
    explain: bool
    slow: bool
    judge: bool = False


@dataclass(eq=False)
class Ask:
    """One request. `answers` fill up as its inputs are answered; `done` has them when all are."""

    lane: Lane
    inputs: list[Any]
    done: asyncio.Future[list[Any]]
    answers: list[Any] = field(init=False)
    unanswered: int = field(init=False)
    waiting: deque[int] = field(init=False)
    died: bool = False
    """Whether a child has died over it: then it is sent alone, and not a third time."""

    def __post_init__(self) -> None:
        self.answers = [None] * len(self.inputs)
        self.unanswered = len(self.inputs)
        self.waiting = deque(range(len(self.inputs)))

    def answer(self, index: int, answer: Any) -> None:
        """Keep it; the last one completes the request."""
        self.answers[index] = answer
        self.unanswered -= 1
        if not self.unanswered and not self.done.done():
            self.done.set_result(self.answers)

    def fail(self, error: Exception) -> None:
        """Tell who waits; once is enough."""
        if not self.done.done():
            self.done.set_exception(error)


class Batch(NamedTuple):
    """Inputs of one lane: the requests and where in them each stands."""

    lane: Lane
    places: list[tuple[Ask, int]]

    @property
    def inputs(self) -> list[Any]:
        """What the child is given, in order."""
        return [ask.inputs[index] for ask, index in self.places]

    @property
    def asks(self) -> list[Ask]:
        """The requests that have inputs in it, each once."""
        return list(dict.fromkeys(ask for ask, _ in self.places))


class Waiting:
    """The requests that have inputs left to send, by lane, the next lane first."""

    def __init__(self) -> None:
        self._lanes: dict[Lane, list[Ask]] = {}
        self._last: Lane | None = None

    def add(self, ask: Ask) -> None:
        """Wait behind what waits in the same lane already."""
        self._lanes.setdefault(ask.lane, []).append(ask)

    def drop(self, ask: Ask) -> None:
        """Nobody waits for it any more; what is with the child already is answered in vain."""
        asks = self._lanes.get(ask.lane, [])
        if ask in asks:
            asks.remove(ask)
        if not asks:
            self._lanes.pop(ask.lane, None)

    def take(self) -> Batch | None:
        """The next batch, or None when nobody waits. What is left of the last one's lane goes behind the others."""
        if self._last is not None and self._last in self._lanes:
            self._lanes[self._last] = self._lanes.pop(self._last)
        if not self._lanes:
            return None
        lane, asks = next(iter(self._lanes.items()))
        places = _places(asks, MOST_SLOW_INPUTS if lane.explain or lane.slow else MOST_INPUTS)
        self._lanes[lane] = [ask for ask in asks if ask.waiting]
        if not self._lanes[lane]:
            del self._lanes[lane]
        self._last = lane
        return Batch(lane, places)

    def put_back(self, batch: Batch) -> None:
        """The child died over it: its lane is the next, and each of its requests goes alone."""
        for ask, index in reversed(batch.places):
            ask.waiting.appendleft(index)
            ask.died = True
        asks = [*batch.asks, *(ask for ask in self._lanes.pop(batch.lane, []) if ask not in batch.asks)]
        if left := [ask for ask in asks if not ask.done.done()]:
            self._lanes = {batch.lane: left, **self._lanes}
            self._last = None


def _places(asks: list[Ask], most: int) -> list[tuple[Ask, int]]:
    """An input of each request in turn, until there are enough."""
    suspect = next((ask for ask in asks if ask.died), None)
    turns = deque([suspect] if suspect else asks)
    places: list[tuple[Ask, int]] = []
    while turns and len(places) < most:
        ask = turns.popleft()
        places.append((ask, ask.waiting.popleft()))
        if ask.waiting:
            turns.append(ask)
    return places
