"""A chat model as judge: what it is asked beside its template, and what its answer says. Pure.

A judge writes its reason before its verdict, in JSON of a schema where its backend holds to one; an answer that is only a
label, or only a number, is taken as well.
"""

import re
from collections.abc import Sequence
from typing import Any

import orjson

from zhuli.types.learning.graders import Judge, LabelModel, ScoreModel
from zhuli.types.models.generation import GenerationRequest

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


class NoVerdict(Exception):
    """The judge's answer says nothing that was asked."""


def request(grader: Judge, messages: Sequence[dict[str, Any]]) -> GenerationRequest:
    """The call of the judge."""
    sampling = grader.sampling_params if isinstance(grader, ScoreModel) else None
    asked = _with(_wanted(grader), messages)
    return GenerationRequest(
        messages=[{**each, "role": "system"} if each["role"] == "developer" else each for each in asked],
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "verdict", "strict": True, "schema": _schema(grader)},
        },
        max_tokens=sampling.max_completions_tokens if sampling else None,
        temperature=0.0 if sampling is None or sampling.temperature is None else sampling.temperature,
        top_p=sampling.top_p if sampling else None,
        reasoning_effort=sampling.reasoning_effort if sampling else None,
        extra={} if sampling is None or sampling.seed is None else {"seed": sampling.seed},
    )


def _with(wanted: str, messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages with what is wanted at their end: within the user's last one, for some templates want turns to alternate."""
    *before, last = messages
    if last["role"] == "user" and isinstance(last["content"], str):
        return [*before, {**last, "content": f"{last['content']}\n\n{wanted}"}]
    return [*messages, {"role": "user", "content": wanted}]


def _wanted(grader: Judge) -> str:
    if isinstance(grader, LabelModel):
        labels = ", ".join(orjson.dumps(label).decode() for label in grader.labels)
        return f'Answer with JSON: {{"reason": one short sentence, "label": one of {labels}}}.'
    low, high = grader.bounds()
    return f'Answer with JSON: {{"reason": one short sentence, "score": a number from {low:g} to {high:g}}}.'


def _schema(grader: Judge) -> dict[str, Any]:
    verdict: dict[str, Any]
    if isinstance(grader, LabelModel):
        name, verdict = "label", {"type": "string", "enum": list(grader.labels)}
    else:
        name, verdict = "score", {"type": "number"}
    properties = {"reason": {"type": "string"}, name: verdict}
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def label(grader: LabelModel, answer: str) -> str:
    """The label that a judge's answer names; NoVerdict where it names none, or several."""
    said = _member(answer, ("label", "result"))
    text = (answer if said is None else str(said)).strip()
    known = {each.casefold(): each for each in grader.labels}
    if text.casefold() in known:
        return known[text.casefold()]
    named = {each for each in grader.labels if re.search(rf"(?<!\w){re.escape(each)}(?!\w)", text, re.IGNORECASE)}
    if len(named) == 1:
        return named.pop()
    raise NoVerdict(f"The judge '{grader.model}' named none of its labels: {text[:200]!r}.")


def score(grader: ScoreModel, answer: str) -> float:
    """The number of a judge's answer; NoVerdict where there is none in its range."""
    said = _member(answer, ("score", "result"))
    found = _NUMBER.findall(answer if said is None else str(said))
    low, high = grader.bounds()
    if len(found) == 1 and low <= float(found[0]) <= high:
        return float(found[0])
    raise NoVerdict(f"The judge '{grader.model}' gave no number from {low:g} to {high:g}: {answer.strip()[:200]!r}.")


def threshold(grader: ScoreModel) -> float:
    """From which score on an item passes."""
    return sum(grader.bounds()) / 2 if grader.pass_threshold is None else grader.pass_threshold


def _member(answer: str, names: Sequence[str]) -> Any:
    """A member of the JSON object that the answer is, or has in a fence."""
    start, end = answer.find("{"), answer.rfind("}")
    try:
        found = orjson.loads(answer[start : end + 1])
    except orjson.JSONDecodeError:
        return None
    if not isinstance(found, dict):
        return None
    return next((found[name] for name in names if found.get(name) is not None), None)
