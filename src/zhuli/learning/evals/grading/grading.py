"""Grades an item by every criterion: texts in a thread, judges by their models, cosine by the default embedder."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from zhuli.learning.evals import templates
from zhuli.learning.evals.grading import judging, texts
from zhuli.learning.evals.targets import Answered, Targets, generate
from zhuli.models.catalog import Catalog
from zhuli.types.learning.graders import (
    Grader,
    GraderResult,
    Judge,
    LabelModel,
    ScoreModel,
    StringCheck,
    TextSimilarity,
)


class Ungraded(Exception):
    """A criterion has no verdict on the item."""


@dataclass(frozen=True, slots=True)
class Grading:
    """Made once."""

    catalog: Catalog
    targets: Targets

    async def grade(
        self, project: str, criteria: Sequence[Grader], names: Mapping[str, Any]
    ) -> tuple[list[GraderResult], list[Answered]]:
        """A result by each criterion, and what judges were asked. Ungraded, TemplateError, ZhuliError."""
        results: list[GraderResult] = []
        asked: list[Answered] = []
        for grader in criteria:
            if isinstance(grader, LabelModel | ScoreModel):
                result, answered = await self._judge(project, grader, names)
                asked.append(answered)
            else:
                result = await self._compare(grader, names)
            results.append(result)
        return results, asked

    async def _compare(self, grader: Grader, names: Mapping[str, Any]) -> GraderResult:
        assert isinstance(grader, StringCheck | TextSimilarity)
        text, reference = templates.render(grader.input, names), templates.render(grader.reference, names)
        if isinstance(grader, StringCheck):
            score, passed = texts.string_check(grader, text, reference)
        else:
            score = await self._similarity(grader, text, reference)
            passed = score >= grader.pass_threshold
        return GraderResult(name=grader.name, type=grader.type, score=score, passed=passed)

    async def _similarity(self, grader: TextSimilarity, text: str, reference: str) -> float:
        if grader.evaluation_metric == "cosine":
            return await self._cosine(text, reference)
        try:
            return await asyncio.to_thread(texts.similarity, grader.evaluation_metric, text, reference)
        except ValueError as error:
            raise Ungraded(str(error)) from None

    async def _cosine(self, text: str, reference: str) -> float:
        import numpy as np

        embedder = self.catalog.embedders[self.catalog.default_embedder].embedder
        vectors = await embedder.embed([text, reference], "passage")
        one, other = np.frombuffer(vectors.data, dtype="<f4").reshape(2, -1)
        return float(one @ other)

    async def _judge(self, project: str, grader: Judge, names: Mapping[str, Any]) -> tuple[GraderResult, Answered]:
        entry = await self.targets.entry(project, grader.model)
        request = judging.request(grader, templates.messages(grader.input, names))
        try:
            answered = await generate(entry, grader.model, request)
            label = judging.label(grader, answered.text) if isinstance(grader, LabelModel) else None
            score = judging.score(grader, answered.text) if isinstance(grader, ScoreModel) else None
        except judging.NoVerdict as error:
            raise Ungraded(str(error)) from None
        if isinstance(grader, LabelModel):
            passed = label in grader.passing_labels
            score = float(passed)
        else:
            assert score is not None
            passed = score >= judging.threshold(grader)
        sample = {
            "input": answered.input,
            "output": [{"role": "assistant", "content": answered.text}],
            "finish_reason": answered.finish_reason,
            "model": grader.model,
            "usage": answered.usage.model_dump(),
        }
        result = GraderResult(
            name=grader.name, type=grader.type, score=score or 0.0, passed=passed, label=label, sample=sample
        )
        return result, answered


def json_of(text: str) -> Any:
    """sample.output_json: what the answer is as JSON, or None."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
