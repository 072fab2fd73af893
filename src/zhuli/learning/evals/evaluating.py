"""One item of a run: somebody is asked, the answer is graded, and what came of it is an output item."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from zhuli.core.clock import Clock
from zhuli.core.errors import BackendError, Outage, Unavailable, ZhuliError
from zhuli.learning.evals import templates
from zhuli.learning.evals.grading.grading import Grading, Ungraded, json_of
from zhuli.learning.evals.targets import Answered, Targets
from zhuli.learning.evals.templates import TemplateError
from zhuli.store.learning.eval_runs import Waiting
from zhuli.types.learning.eval_runs import EvalError, EvalRunRecord, OutputItem, Sample
from zhuli.types.learning.eval_sources import CompletionsSource, EvalSampling, JsonlSource
from zhuli.types.learning.evals import Eval
from zhuli.types.learning.graders import GraderResult

log = logging.getLogger(__name__)

T = TypeVar("T")

ITEM_SECONDS = 600.0
"""How long one item may take, with all its tries."""

PAUSES = (0.5, 2.0, 8.0)
"""Seconds before a model that failed is asked again; where it names a time itself, that, up to a minute."""
_LONGEST_PAUSE = 60.0

LONGEST_GIVEN = 100_000
"""Characters of what was asked that are kept of an item; what is longer is cut, and says so."""


@dataclass(frozen=True, slots=True)
class Task:
    """What all items of a run have in common."""

    of: Eval
    run: EvalRunRecord
    project: str
    source: JsonlSource | CompletionsSource


@dataclass(frozen=True, slots=True)
class Evaluating:
    """Made once."""

    targets: Targets
    grading: Grading
    clock: Clock

    async def output(self, task: Task, item: Waiting) -> tuple[OutputItem, list[Answered]]:
        """The output of an item, with what is to be counted of it. Only an Outage is raised: all else is the item's."""
        answered: Answered | None = None
        error: EvalError | None = None
        results: list[GraderResult] = []
        asked: list[Answered] = []
        names: dict[str, Any] = {"item": item.given["item"]}
        if sample := item.given.get("sample"):
            names["sample"] = sample
        try:
            async with asyncio.timeout(ITEM_SECONDS):
                if isinstance(task.source, CompletionsSource) and task.source.model is not None:
                    answered = await self._asked(task, task.source, item, names)
                    asked.append(answered)
                    names["sample"] = _sample_names(answered)
                results, judged = await self._graded(task, names)
                asked += judged
        except Outage:
            raise
        except (TemplateError, Ungraded) as found:
            error = EvalError(
                code="invalid_item" if isinstance(found, TemplateError) else "no_verdict", message=str(found)
            )
        except ZhuliError as found:
            error = EvalError(code=found.code or "model_error", message=found.message)
        except TimeoutError:
            error = EvalError(
                code="time_limit_exceeded", message=f"The item took longer than {ITEM_SECONDS:g} seconds."
            )
        return self._made(task, item, names, answered, results, error), asked

    async def _asked(self, task: Task, source: CompletionsSource, item: Waiting, names: Mapping[str, Any]) -> Answered:
        return await _patiently(
            lambda: self.targets.ask(task.project, source, f"{task.run.id}/{item.number}", {"item": names["item"]})
        )

    async def _graded(self, task: Task, names: Mapping[str, Any]) -> tuple[list[GraderResult], list[Answered]]:
        return await _patiently(lambda: self.grading.grade(task.project, task.of.testing_criteria, names))

    def _made(
        self,
        task: Task,
        item: Waiting,
        names: Mapping[str, Any],
        answered: Answered | None,
        results: list[GraderResult],
        error: EvalError | None,
    ) -> OutputItem:
        passed = all(result.passed for result in results)
        return OutputItem(
            id=item.id,
            run_id=task.run.id,
            eval_id=task.of.id,
            created_at=int(self.clock.now()),
            status="error" if error else "pass" if passed else "fail",
            datasource_item_id=item.number,
            datasource_item=item.given["item"],
            results=results,
            sample=_sample(task.source, names, answered, error),
        )


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """What `ask` gives, asked again after a while where a model or its server failed."""
    for pause in (*PAUSES, None):
        try:
            return await ask()
        except (BackendError, Unavailable) as error:
            refused = isinstance(error, Outage) or getattr(error, "run_code", "") == "invalid_prompt"
            if pause is None or refused:
                raise
            named = getattr(error, "retry_after", None)
            log.info("An item of an eval is tried again: %s", error.message)
            await asyncio.sleep(pause if named is None else min(named, _LONGEST_PAUSE))
    raise AssertionError("the last try gives or raises")


def _sample_names(answered: Answered) -> dict[str, Any]:
    """What templates find under `sample`."""
    output = json_of(answered.text) if answered.output is None else answered.output
    message = {"role": "assistant", "content": answered.text, "tool_calls": answered.tool_calls}
    return {
        "model": answered.model,
        "output_text": answered.text,
        **({} if output is None else {"output_json": output}),
        "output_tools": answered.tool_calls,
        "choices": [{"index": 0, "message": message, "finish_reason": answered.finish_reason}],
        "finish_reason": answered.finish_reason,
        "input": answered.input,
        "turns": answered.turns or [*answered.input, {"role": "assistant", "content": answered.text}],
    }


def _sample(
    source: JsonlSource | CompletionsSource,
    names: Mapping[str, Any],
    answered: Answered | None,
    error: EvalError | None,
) -> Sample:
    sampling = (source.sampling_params if isinstance(source, CompletionsSource) else None) or EvalSampling()
    numbers: dict[str, Any] = {
        name: value
        for name in ("temperature", "max_completion_tokens", "top_p", "seed")
        if (value := getattr(sampling, name)) is not None
    }
    if answered is None:
        given = names.get("sample", {})
        text = given.get("output_text")
        output = [{"role": "assistant", "content": text}] if isinstance(text, str) else []
        model = given.get("model")
        return Sample(output=output, model=model if isinstance(model, str) else "", error=error, **numbers)
    said: dict[str, Any] = {"role": "assistant", "content": answered.text}
    if answered.tool_calls:
        said["tool_calls"] = answered.tool_calls
    return Sample(
        input=[{"role": each["role"], "content": _short(each.get("content"))} for each in answered.input],
        output=[said],
        finish_reason=answered.finish_reason,
        model=answered.model,
        usage=answered.usage,
        error=error,
        **numbers,
    )


def _short(content: Any) -> str:
    text = "" if content is None else templates.as_text(content)
    return (
        text if len(text) <= LONGEST_GIVEN else f"{text[:LONGEST_GIVEN]} […{len(text) - LONGEST_GIVEN} more characters]"
    )
