"""Predictions of tuned models: requests wait here, and a child process answers them in batches, one after the other.

Cheap until the first request, which starts the child. What a request may ask for, and whether there is such a model, is
the caller's part; how a model answers is predicting.opened's.
"""

import asyncio
from base64 import b64decode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from zhuli.core.errors import BackendError, InvalidRequest, NotFound, Unavailable, ZhuliError
from zhuli.learning.predicting.link import Died, PredictionLink
from zhuli.learning.predicting.waiting import Ask, Batch, Lane, Waiting
from zhuli.types.learning.example import Judged


class Link(Protocol):
    """What is needed of a child; PredictionLink is one."""

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""

    async def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """The child's answer to one batch; Died when it ends instead."""

    async def aclose(self) -> None:
        """End the child."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one input. tokens: what the model read of it, special ones too. vector: what its head read, half floats.

    judged: how right it is, where that was asked.
    """

    output: Any
    tokens: int
    explanation: dict[str, Any] | None = None
    vector: bytes | None = None
    judged: Judged | None = None


class Predictor:
    """seconds: how long a request may take. models: how many are kept in memory. `start` makes a link to a child."""

    def __init__(
        self, *, seconds: float, models: int, start: Callable[..., Awaitable[Link]] = PredictionLink.start
    ) -> None:
        self._seconds = seconds
        self._models = models
        self._start = start
        self._waiting = Waiting()
        self._link: Link | None = None
        self._working: asyncio.Task[None] | None = None

    async def predict(
        self,
        name: str,
        folder: Path,
        inputs: dict[str, Any],
        *,
        explain: bool = False,
        slow: bool = False,
        judge: bool = False,
    ) -> list[Answer]:
        """Answers of the model in `folder` to `inputs`, which have the names that errors call them by: input[3].

        judge: the inputs are records as the task's data files have them, and each answer is judged beside its labels.

        InvalidRequest for an input that the task can't take, NotFound when the model is gone meanwhile, BackendError when
        it can't answer, Unavailable when that takes too long or takes the child down twice.
        """
        lane = Lane(folder, explain, slow, judge)
        ask = Ask(lane, list(inputs.values()), asyncio.get_running_loop().create_future())
        self._waiting.add(ask)
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        try:
            async with asyncio.timeout(self._seconds):
                answers = await ask.done
        except TimeoutError as error:
            raise self._too_long() from error
        finally:
            self._waiting.drop(ask)
        return [_answer(name, place, answer) for place, answer in zip(inputs, answers, strict=True)]

    async def aclose(self) -> None:
        """End the child; who still waits is told that the server stops."""
        if self._working is not None:
            self._working.cancel()
            await asyncio.wait([self._working])
        while batch := self._waiting.take():
            _fail(batch, Unavailable("The server is stopping."))
        await self._end_link()

    async def _work(self) -> None:
        """Serve until nobody waits."""
        while batch := self._waiting.take():
            try:
                await self._serve(batch)
            except ZhuliError as error:
                _fail(batch, error)
            except asyncio.CancelledError:
                _fail(batch, Unavailable("The server is stopping."))
                raise

    async def _serve(self, batch: Batch) -> None:
        lane = batch.lane
        question = {"folder": str(lane.folder), "inputs": batch.inputs, "explain": lane.explain, "judge": lane.judge}
        try:
            async with asyncio.timeout(self._seconds):
                if self._link is None or not self._link.alive:
                    await self._end_link()
                    self._link = await self._start(models=self._models)
                reply = await self._link.ask(question)
        except TimeoutError as error:
            await self._end_link()  # it can't be told to leave off
            raise self._too_long() from error
        except Died as died:
            await self._end_link()
            self._try_again(batch, died)
            return
        _fill(batch, reply)

    def _try_again(self, batch: Batch, died: Died) -> None:
        """Each request of the batch alone, so that the one that takes the child down does not take others with it."""
        for ask in batch.asks:
            if ask.died:
                ask.fail(Unavailable(f"The model can't answer this now: {died}"))
        self._waiting.put_back(batch)

    def _too_long(self) -> Unavailable:
        return Unavailable(
            f"The prediction takes longer than {self._seconds:g} seconds. Send fewer or shorter inputs at once, or set "
            "'prediction_seconds' higher."
        )

    async def _end_link(self) -> None:
        if self._link is not None:
            link, self._link = self._link, None
            await link.aclose()


def _fail(batch: Batch, error: ZhuliError) -> None:
    for ask in batch.asks:
        ask.fail(error)


def _fill(batch: Batch, reply: dict[str, Any]) -> None:
    if "answers" in reply:
        for (ask, index), answer in zip(batch.places, reply["answers"], strict=True):
            ask.answer(index, answer)
    elif "gone" in reply:
        _fail(batch, NotFound("The model has been deleted.", param="model", code="model_not_found"))
    else:
        _fail(batch, BackendError(reply["failed"]))


def _answer(name: str, place: str, answer: dict[str, Any]) -> Answer:
    """What the child said to one input; InvalidRequest when the task can't take it."""
    if "refused" in answer:
        raise InvalidRequest(
            f"Invalid '{place}' for the model '{name}': {answer['refused']}", param=place, code="invalid_value"
        )
    vector = b64decode(answer["vector"]) if "vector" in answer else None
    judged = Judged(**answer["judged"]) if "judged" in answer else None
    return Answer(answer["output"], answer["tokens"], answer.get("explanation"), vector, judged)
