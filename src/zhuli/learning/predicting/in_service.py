"""Models in service under an alias: who answers, what is noted of it, and who is asked beside without being heard.

While a candidate has a share of the traffic it answers its part, and where it fails the champion does. In its shadow it is asked
the same after the champion has answered, never instead, and not while others of its shadows wait.
"""

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from time import perf_counter
from typing import Any, Protocol

import orjson

from zhuli.core import sticky
from zhuli.core.clock import Clock
from zhuli.core.errors import InvalidRequest, ZhuliError
from zhuli.learning.predicting import asking
from zhuli.learning.predicting.predictor import Answer, Predictor
from zhuli.models.catalog import Catalog
from zhuli.models.tuned import not_here
from zhuli.store.learning.served import Served
from zhuli.store.learning.tuned_models import TunedModel
from zhuli.types.learning.prediction import PredictionCreate

MOST_SHADOWS = 4
"""Requests that a candidate in its shadow is asked at once; others go by without it."""

LONGEST_TEXT = 4_000
"""Characters of an input that are kept."""


class Notes(Protocol):
    """Where it is noted what was served."""

    def note(self, answered: Served) -> None: ...

    def keeps_texts(self, project: str, alias: str) -> bool: ...


@contextmanager
def served_to(body: PredictionCreate, *, shared: bool) -> Iterator[None]:
    """Who asks: the thread that is being served, the request's user, or else whoever asks for just this.

    shared: whether two models share the alias; where they do not, nobody need know who asks.
    """
    if not shared or sticky.who.get() is not None:
        yield
        return
    asked = body.user or hashlib.blake2b(orjson.dumps(body.input, default=str), digest_size=8).hexdigest()
    token = sticky.who.set(asked)
    try:
        yield
    finally:
        sticky.who.reset(token)


class InService:
    """Made once, by the wing."""

    def __init__(self, catalog: Catalog, predictor: Predictor, notes: Notes, clock: Clock) -> None:
        self._catalog = catalog
        self._predictor = predictor
        self._notes = notes
        self._clock = clock
        self._shadows: set[asyncio.Task[None]] = set()

    async def answers(
        self, project: str, model: TunedModel, inputs: dict[str, Any], ids: Sequence[str], body: PredictionCreate
    ) -> tuple[TunedModel, list[Answer]]:
        """What `model`, to which body.model led, says to the inputs, and who said it. ids: of the predictions.

        Errors are the Predictor's.
        """
        tuned = self._catalog.tuned
        champion = tuned.models.get(tuned.aliases.get((project, body.model), ""))
        stage = tuned.stages.get((project, body.model))
        if champion is None:
            return model, await self._ask(model, inputs, body)
        if stage is not None and model.name == stage.model:
            try:
                return model, await self._noted(project, model, "candidate", inputs, ids, body)
            except InvalidRequest:
                raise
            except ZhuliError:
                model = champion
        answers = await self._noted(project, model, "champion", inputs, ids, body)
        candidate = tuned.models.get(stage.model) if stage is not None and not stage.share else None
        if candidate is not None and len(self._shadows) < MOST_SHADOWS:
            heard = [_said(answer.output)[0] for answer in answers]
            task = asyncio.create_task(self._shadow(project, candidate, inputs, ids, body, heard))
            self._shadows.add(task)
            task.add_done_callback(self._shadows.discard)
        return model, answers

    async def aclose(self) -> None:
        """Wait for nobody."""
        for task in self._shadows:
            task.cancel()
        await asyncio.gather(*self._shadows, return_exceptions=True)

    async def _shadow(
        self,
        project: str,
        model: TunedModel,
        inputs: dict[str, Any],
        ids: Sequence[str],
        body: PredictionCreate,
        heard: Sequence[str | None],
    ) -> None:
        with suppress(ZhuliError):  # it is noted
            await self._noted(project, model, "shadow", inputs, ids, body, heard)

    async def _noted(
        self,
        project: str,
        model: TunedModel,
        role: str,
        inputs: dict[str, Any],
        ids: Sequence[str],
        body: PredictionCreate,
        heard: Sequence[str | None] = (),
    ) -> list[Answer]:
        began, asked_by = perf_counter(), sticky.who.get() or body.user
        try:
            answers = await self._ask(model, inputs, body)
        except InvalidRequest:
            raise  # the client's, whatever the model
        except ZhuliError:
            for id_ in ids:
                self._note(project, body.model, model, role, began, len(ids), id_, asked_by, error=True)
            raise
        texts = self._notes.keeps_texts(project, body.model)
        for place, (answer, given, id_) in enumerate(zip(answers, inputs.values(), ids, strict=True)):
            label, confidence = _said(answer.output)
            self._note(
                project,
                body.model,
                model,
                role,
                began,
                len(ids),
                id_,
                asked_by,
                label=label,
                confidence=confidence,
                agreed=heard[place] == label if heard else None,
                text=_text(given) if texts and role != "shadow" else None,
                vector=answer.vector if role != "shadow" else None,
            )
        return answers

    def _note(
        self,
        project: str,
        alias: str,
        model: TunedModel,
        role: str,
        began: float,
        inputs: int,
        id_: str,
        asked_by: str | None,
        **said: Any,
    ) -> None:
        """A request of many inputs is as long for each as its share of it."""
        seconds = (perf_counter() - began) / inputs
        noted = Served(
            project,
            alias,
            model.name,
            role,
            self._clock.now(),
            seconds,
            prediction_id=id_,
            asked_by=asked_by,
            **said,
        )
        self._notes.note(noted)

    async def _ask(self, model: TunedModel, inputs: dict[str, Any], body: PredictionCreate) -> list[Answer]:
        folder = self._catalog.tuned.data_dir / model.folder
        if not folder.is_dir():
            raise not_here(model.name)
        slow = model.task in asking.WRITING
        return await self._predictor.predict(body.model, folder, inputs, explain=body.explain, slow=slow)


def _said(output: Any) -> tuple[str | None, float | None]:
    """The label that was given and how surely, of whatever a task says; the kinds of entities, where there are some."""
    first = output[0] if isinstance(output, list) and output else output
    if not isinstance(first, dict):
        return None, None
    score = first.get("score")
    label = first.get("label") or first.get("entity_group")
    if "entity_group" in first:
        label = " ".join(sorted({entity["entity_group"] for entity in output}))
        score = min(entity["score"] for entity in output)
    return (label[:512] if isinstance(label, str) else None), (float(score) if score is not None else None)


def _text(given: Any) -> str | None:
    text = given.get("text") if isinstance(given, dict) else given
    return text[:LONGEST_TEXT].replace("\0", "") if isinstance(text, str) else None
