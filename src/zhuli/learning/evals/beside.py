"""Two runs of an eval beside each other, and a judge beside people: paired by item, compared in a thread."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import orjson
from sqlalchemy import Connection

from zhuli.core.errors import InvalidRequest
from zhuli.learning.comparing.agreement import agreement
from zhuli.learning.comparing.pairs import Pair, by_slice, compare_pairs
from zhuli.learning.comparing.slicing import slices_of
from zhuli.learning.evals import templates
from zhuli.learning.evals.templates import TemplateError
from zhuli.store.database import Database
from zhuli.store.learning import eval_items, eval_runs, eval_threads, evals
from zhuli.types.learning.comparison import Agreement
from zhuli.types.learning.eval_runs import EvalComparison, EvalComparisonCreate
from zhuli.types.learning.evals import Eval
from zhuli.types.learning.graders import LabelModel

FEEDBACK = "feedback"

Outputs = dict[str, list[dict[str, Any]]]
"""Outputs as JSON by their item's digest; equal items in their order."""


async def compare_runs(database: Database, project: str, eval_id: str, body: EvalComparisonCreate) -> EvalComparison:
    """The comparison; NotFound for a run of another eval, InvalidRequest where nothing can be paired."""
    of = await database.run(evals.get, project, eval_id)
    _check_criterion(of, body.criterion, "criterion")
    for name, reference in {**body.slices, **({"text": body.text} if body.text else {})}.items():
        param = "text" if body.text == reference and name == "text" else f"slices.{name}"
        templates.check_reference(reference, param, ("item", "sample"))
    before = await _outputs(database, project, eval_id, body.before)
    after = await _outputs(database, project, eval_id, body.after)
    return await asyncio.to_thread(_compared, of, body, before, after)


async def agreement_of(
    database: Database, project: str, eval_id: str, run_id: str, criterion: str, human: str
) -> Agreement:
    """How far a criterion's verdicts agree with people's; human: the reference to theirs in the items, or FEEDBACK.

    FEEDBACK: what people said of the stored answers that items of threads are about.
    People's are labels of a label_model, or true and false (pass, fail) of any criterion. Items without one do not count.
    """
    of = await database.run(evals.get, project, eval_id)
    _check_criterion(of, criterion, "criterion")
    if human != FEEDBACK:
        templates.check_reference(human, "human", ("item",))
    grader = next(each for each in of.testing_criteria if each.name == criterion)
    labels = grader.labels if isinstance(grader, LabelModel) else []
    outputs = await _outputs(database, project, eval_id, run_id)
    told = await _told(database, project, human, outputs)
    pairs = [
        (_verdict(output, criterion, labelled=bool(labels) and not isinstance(given, bool)), _human(given, labels))
        for found in outputs.values()
        for output in found
        if (given := told(output)) is not None
    ]
    if not pairs:
        text = f"Invalid 'human': no graded item of the run has a '{human}'."
        raise InvalidRequest(text, param="human", code="invalid_value")
    return await asyncio.to_thread(agreement, [one for one, _ in pairs], [other for _, other in pairs])


async def _told(database: Database, project: str, human: str, outputs: Outputs) -> Callable[[dict[str, Any]], Any]:
    """What people said of an output's item; None where they said nothing."""
    if human != FEEDBACK:
        return partial(_looked_up, human)
    ids = {output["datasource_item"].get("message_id") for found in outputs.values() for output in found}
    known = await database.run(eval_threads.verdicts, project, [one for one in ids if isinstance(one, str)])
    return lambda output: known.get(str(output["datasource_item"].get("message_id")))


def _check_criterion(of: Eval, criterion: str | None, param: str) -> None:
    names = [grader.name for grader in of.testing_criteria]
    if criterion is not None and criterion not in names:
        known = ", ".join(f"'{name}'" for name in names)
        text = f"Invalid '{param}': the eval has no criterion '{criterion[:100]}'. It has: {known}."
        raise InvalidRequest(text, param=param, code="invalid_value")


async def _outputs(database: Database, project: str, eval_id: str, run_id: str) -> Outputs:
    await database.run(eval_runs.get, project, eval_id, run_id)
    found: Outputs = defaultdict(list)
    after = -1
    while rows := await database.run(_graded, run_id, after):
        for number, digest, body in rows:
            found[digest].append(orjson.loads(body))
            after = number
    return found


def _graded(connection: Connection, run_id: str, after: int) -> list[tuple[int, str, str]]:
    return [(row.number, row.digest, row.body) for row in eval_items.graded(connection, run_id, after=after)]


def _compared(of: Eval, body: EvalComparisonCreate, before: Outputs, after: Outputs) -> EvalComparison:
    pairs: list[Pair] = []
    for first, second in _paired(before, after):
        scores = [_score(each, body.criterion, score=body.score) for each in (first, second)]
        pairs.append(Pair(scores[0], scores[1], _slices(body, first)))
    number = sum(map(len, before.values())) + sum(map(len, after.values()))
    if not pairs:
        raise InvalidRequest(
            "The runs have no graded item in common: an item of the one and an item of the other are the same when all that "
            "is in them is equal.",
            param="after",
            code="nothing_to_compare",
        )
    return EvalComparison(
        eval_id=of.id,
        before=body.before,
        after=body.after,
        criterion=body.criterion,
        comparison=compare_pairs(pairs, seed=body.seed),
        slices=by_slice(pairs, seed=body.seed),
        unpaired=number - 2 * len(pairs),
    )


def _paired(before: Outputs, after: Outputs) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for digest, outputs in before.items():
        yield from zip(outputs, after.get(digest, ()), strict=False)


def _score(output: Mapping[str, Any], criterion: str | None, *, score: bool) -> float:
    results = [each for each in output["results"] if criterion is None or each["name"] == criterion]
    if not score:
        return float(all(each["passed"] for each in results))
    return sum(float(each["score"]) for each in results) / max(1, len(results))


def _slices(body: EvalComparisonCreate, output: Mapping[str, Any]) -> dict[str, str]:
    known = {name: _looked_up(reference, output) for name, reference in body.slices.items()}
    named = {name: templates.as_text(value)[:100] for name, value in known.items() if value is not None}
    text = None if body.text is None else _looked_up(body.text, output)
    return slices_of(text, **named) if isinstance(text, str) else named


def _looked_up(reference: str, output: Mapping[str, Any]) -> Any:
    try:
        return templates.look_up(reference, {"item": output["datasource_item"], "sample": output["sample"]})
    except TemplateError:
        return None


def _verdict(output: Mapping[str, Any], criterion: str, *, labelled: bool) -> str:
    result = next(each for each in output["results"] if each["name"] == criterion)
    if labelled and result.get("label") is not None:
        return str(result["label"])
    return "pass" if result["passed"] else "fail"


def _human(given: Any, labels: list[str]) -> str:
    if isinstance(given, bool):
        return "pass" if given else "fail"
    text = templates.as_text(given).strip()
    known = {each.casefold(): each for each in labels or ("pass", "fail")}
    return known.get(text.casefold(), text)
