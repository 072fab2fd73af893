"""Moderation of texts: embeds their pieces, asks heads and rules, holds scores against the project's thresholds."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from zhuli.core.errors import InvalidRequest, NotFound, Unavailable
from zhuli.core.ids import new_id
from zhuli.models.catalog import Catalog
from zhuli.ports import Embedder
from zhuli.store.database import Database
from zhuli.store.safety import thresholds
from zhuli.types.safety.moderation import (
    CATEGORIES,
    MODEL,
    MOST_CHARACTERS,
    NAMES,
    ImageInput,
    Moderation,
    ModerationCreate,
    ModerationResult,
    ModerationThresholds,
    Part,
    ThresholdsPut,
)

if TYPE_CHECKING:
    from zhuli.safety.moderation.judging import Scores

NOT_JUDGED: Final = ("illicit", "illicit/violent", "violence/graphic")
"""What neither a head nor a rule tells: the score is always 0, which speaks for nothing."""


class Moderations:
    """Answers POST /v1/moderations, and judges for guards. Made once; nothing is loaded before the first text."""

    def __init__(self, database: Database, catalog: Catalog) -> None:
        self._database = database
        self._catalog = catalog

    async def moderate(self, project: str, body: ModerationCreate) -> Moderation:
        """A result for each input; InvalidRequest and NotFound say what is wrong with it."""
        if body.model not in NAMES:
            known = ", ".join(sorted(NAMES))
            raise NotFound(f"No moderation model is called '{body.model}'. There are: {known}.", param="model")
        texts = texts_of(body)
        own = await self._database.run(thresholds.read, project)
        judged = await self.scores(texts, explain=body.explain)
        results = [result_of(scores, own, explain=body.explain) for scores in judged]
        return Moderation(id=new_id("modr"), model=MODEL, results=results)

    async def scores(self, texts: Sequence[str], *, explain: bool = False) -> "list[Scores]":
        """Scores of each text, in their order. Raises Unavailable where the packaged embedder is not there."""
        from zhuli.safety.moderation import judging  # numpy, which a server starts without

        parts = [judging.pieces(text) for text in texts]
        flat = [piece for one in parts for piece in one]
        made = (await self._embedder().embed(flat, "query")).data if flat else b""
        return await asyncio.to_thread(_judged, parts, made, explain)

    async def flagged(self, project: str, text: str) -> dict[str, float]:
        """The categories of one text that the project flags, with their scores."""
        own = await self._database.run(thresholds.read, project)
        result = result_of((await self.scores([text]))[0], own)
        return {name: score for name, score in result.category_scores.items() if result.categories[name]}

    async def thresholds(self, project: str) -> ModerationThresholds:
        """The project's thresholds as clients see them."""
        own = await self._database.run(thresholds.read, project)
        return ModerationThresholds(own=own, defaults=await asyncio.to_thread(_defaults), not_judged=list(NOT_JUDGED))

    async def set_thresholds(self, project: str, body: ThresholdsPut) -> ModerationThresholds:
        """Replace the project's own thresholds."""
        await self._database.run(
            thresholds.write, project, {str(name): score for name, score in body.thresholds.items()}
        )
        return await self.thresholds(project)

    def _embedder(self) -> Embedder:
        from zhuli.safety.moderation.heads import EMBEDDER

        entry = self._catalog.embedders.get(EMBEDDER)
        if entry is None or entry.plugin != "e5_small":
            raise Unavailable(
                f"Moderation reads the vectors of the packaged embedder: the name '{EMBEDDER}' in the models file must be its."
            )
        return entry.embedder


def _defaults() -> dict[str, dict[str, float]]:
    from zhuli.safety.moderation.judging import default_threshold

    judged = [category for category in CATEGORIES if category not in NOT_JUDGED]
    return {name: {"en": default_threshold("en", name), "zh": default_threshold("zh", name)} for name in judged}


def _judged(parts: Sequence[Sequence[str]], data: bytes, explain: bool) -> "list[Scores]":
    import numpy as np

    from zhuli.safety.moderation import judging

    count = sum(map(len, parts))
    rows = np.frombuffer(data, "<f4").reshape(count, -1) if count else np.zeros((0, 1), np.float32)
    made, start = [], 0
    for one in parts:
        made.append(judging.scores_of(one, rows[start : start + len(one)], explain=explain))
        start += len(one)
    return made


def texts_of(body: ModerationCreate) -> list[str]:
    """What is judged each by itself: a text, each of several, or the texts of one input of parts. Images are passed over."""
    given = body.input
    if isinstance(given, str):
        texts = [given]
    elif isinstance(given[0], str):
        texts = [text for text in given if isinstance(text, str)]
    else:
        texts = [_of_parts([part for part in given if not isinstance(part, str)])]
    length = sum(map(len, texts))
    if length > MOST_CHARACTERS:
        raise InvalidRequest(
            f"Invalid 'input': {length} characters in all, where a request may have {MOST_CHARACTERS}. "
            "Send the texts in several.",
            param="input",
            code="string_above_max_length",
        )
    return texts


def _of_parts(parts: Sequence[Part]) -> str:
    if all(isinstance(part, ImageInput) for part in parts):
        raise InvalidRequest(
            "Invalid 'input': only images, which this server does not judge. Add the text that goes with them.",
            param="input",
            code="unsupported_image",
        )
    return "\n".join(part.text for part in parts if not isinstance(part, ImageInput))


def result_of(scores: "Scores", own: Mapping[str, float], *, explain: bool = False) -> ModerationResult:
    """Scores held against the project's own thresholds, or else the defaults; what is not judged is never flagged."""
    said = scores.by_category
    flags = {name: said[name] >= own[name] if name in own else name in scores.over for name in CATEGORIES}
    flags |= dict.fromkeys(NOT_JUDGED, False)
    return ModerationResult(
        flagged=any(flags.values()),
        categories=flags,
        category_scores=said,
        category_applied_input_types={name: [] if name in NOT_JUDGED else ["text"] for name in CATEGORIES},
        not_judged=list(NOT_JUDGED),
        explanation=scores.words if explain else None,
    )
