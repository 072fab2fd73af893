"""From feedback, conversations and understandings to records of a task; None where they say nothing that can be learned. Pure."""

from collections.abc import Sequence
from typing import Any

from zhuli.types.learning.feedback import Correction, Feedback
from zhuli.types.understanding.understanding import Understanding

Turn = dict[str, str]
"""{"role", "content"}."""


def of_feedback(task: str, given: Feedback, history: Sequence[Turn] = ()) -> dict[str, Any] | None:
    """The record that reviewed feedback is. history: of a message, the conversation before it.

    Only what was accepted or corrected, and not argued about, counts; of a signal, only what a reviewer made of it.
    """
    if given.disagreement or given.state not in ("accepted", "corrected"):
        return None
    correction = given.agreed_correction()
    confirmed = correction is None and given.verdict == "up" and given.source != "signal"
    if correction is None and not confirmed:
        return None
    asked = given.context.input if given.context is not None else None
    answered = given.context.output if given.context is not None else None
    match task:
        case "text_classification":
            return _labelled(_fields(asked), _label(correction, answered))
        case "token_classification":
            return _with_entities(_fields(asked), correction, answered)
        case "relation_extraction":
            fields = _fields(asked)
            return _labelled(fields, _label(correction, answered)) if fields and "head" in fields else None
        case "question_answering":
            return _answered(asked, correction, answered)
        case "translation" | "summarization":
            target = correction.text if correction is not None else _text(answered)
            return {"source": asked, "target": target} if isinstance(asked, str) and target else None
        case "dialogue":
            text = correction.text if correction is not None else _text(answered)
            turns = list(history) or _turns(asked)
            return {"messages": [*turns, {"role": "assistant", "content": text}]} if text and turns else None
        case "preference":
            turns, worse = list(history) or _turns(asked), _text(answered)
            if correction is None or not correction.text or not worse or not turns:
                return None
            return {
                "input": {"messages": turns},
                "preferred_output": [{"role": "assistant", "content": correction.text}],
                "non_preferred_output": [{"role": "assistant", "content": worse}],
            }
    return None


def of_thread(turns: Sequence[Turn]) -> dict[str, Any] | None:
    """A chat example: the conversation up to its last answer."""
    last = max((index for index, turn in enumerate(turns) if turn["role"] == "assistant"), default=-1)
    if last < 1 or not any(turn["role"] == "user" for turn in turns[:last]):
        return None
    return {"messages": list(turns[: last + 1])}


def of_understanding(task: str, found: Understanding) -> dict[str, Any] | None:
    """The text with the intent, or the entities, that were understood."""
    if task == "text_classification" and found.intent is not None:
        return {"text": found.text, "label": found.intent.name}
    if task == "token_classification":
        entities = [
            {"start": one.start, "end": one.end, "label": one.entity} for one in found.entities if not one.negated
        ]
        return {"text": found.text, "entities": entities} if entities else None
    return None


def _fields(asked: Any) -> dict[str, Any] | None:
    if isinstance(asked, str):
        return {"text": asked}
    return dict(asked) if isinstance(asked, dict) and isinstance(asked.get("text"), str) else None


def _labelled(fields: dict[str, Any] | None, label: Any) -> dict[str, Any] | None:
    return {**fields, "label": label} if fields and label else None


def _label(correction: Correction | None, answered: Any) -> Any:
    if correction is not None:
        return correction.label or correction.intent
    if isinstance(answered, list) and answered and isinstance(answered[0], dict):
        return answered[0].get("label")
    intent = answered.get("intent") if isinstance(answered, dict) else None
    return intent


def _with_entities(
    fields: dict[str, Any] | None, correction: Correction | None, answered: Any
) -> dict[str, Any] | None:
    if fields is None or "text" not in fields:
        return None
    if correction is not None:
        spans = correction.entities if correction.entities is not None else correction.spans
        if spans is None:
            return None
        return {"text": fields["text"], "entities": [span.model_dump() for span in spans]}
    found = answered.get("entities") if isinstance(answered, dict) else answered
    if not isinstance(found, list):
        return None
    entities = [
        {"start": one["start"], "end": one["end"], "label": one.get("entity_group") or one.get("entity")}
        for one in found
        if isinstance(one, dict) and {"start", "end"} <= one.keys()
    ]
    return {"text": fields["text"], "entities": [one for one in entities if one["label"]]}


def _answered(asked: Any, correction: Correction | None, answered: Any) -> dict[str, Any] | None:
    if not isinstance(asked, dict) or not {"question", "context"} <= asked.keys():
        return None
    text = correction.text if correction is not None else (answered or {}).get("answer", "")
    if text is None:
        return None
    start = str(asked["context"]).find(text)
    if text and start < 0:
        return None
    answers = [{"text": text, "start": start}] if text else []
    return {"question": asked["question"], "context": asked["context"], "answers": answers}


def _text(answered: Any) -> str | None:
    if isinstance(answered, str):
        return answered
    first = answered[0] if isinstance(answered, list) and answered else None
    if not isinstance(first, dict):
        return None
    return next((value for name, value in first.items() if name.endswith("_text") and isinstance(value, str)), None)


def _turns(asked: Any) -> list[Turn]:
    messages = asked.get("messages") if isinstance(asked, dict) else None
    return list(messages) if isinstance(messages, list) else []
