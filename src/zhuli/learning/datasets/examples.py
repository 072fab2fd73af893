"""A record of a data set, task by task: whether it is one, its text, its labels, its name. Pure, and without torch.

The task's plugin reads it again, more strictly, before anything is tuned.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from zhuli.types.learning.example import BadExample

Fields = Mapping[str, Any]

NEEDED: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "text_classification": (("text", "label"), ("text", "labels"), ("messages",)),
    "token_classification": (("tokens", "tags"), ("text", "entities")),
    "relation_extraction": (("text", "head", "tail", "label"), ("text", "label")),
    "question_answering": (("question", "context", "answers"),),
    "translation": (("source", "target"),),
    "summarization": (("source", "target"),),
    "dialogue": (("messages",),),
    "preference": (("input", "preferred_output", "non_preferred_output"),),
}
"""The fields of a record: one of these sets."""

_TARGETS = frozenset(
    ("label", "labels", "tags", "entities", "answers", "target", "preferred_output", "non_preferred_output")
)


def check(task: str, fields: Fields) -> None:
    """BadExample for what can't be an example of the task."""
    sets = NEEDED.get(task, ())
    if sets and not any(all(name in fields for name in names) for names in sets):
        wanted = " or ".join(f"{{{', '.join(names)}}}" for names in sets)
        raise BadExample(f"An example of {task} has the fields {wanted}; this one has {', '.join(list(fields)[:10])}.")
    if not text_of(task, fields).strip():
        raise BadExample("The text is empty.")
    label = fields.get("label")
    if task in ("text_classification", "relation_extraction") and "label" in fields:
        good = isinstance(label, str) or (isinstance(label, list) and all(isinstance(one, str) for one in label))
        if not good or label == "":
            raise BadExample('"label" is a text, or for text_classification a list of texts.')


def text_of(task: str, fields: Fields) -> str:
    """What is read of it: what makes two examples the same."""
    match task:
        case "text_classification" if isinstance(text := fields.get("text"), str):
            pair = fields.get("text_pair")
            return f"{text}\n{pair}" if isinstance(pair, str) else text
        case "token_classification":
            tokens = fields.get("tokens")
            return " ".join(map(str, tokens)) if isinstance(tokens, list) else str(fields.get("text", ""))
        case "relation_extraction":
            return f"{fields.get('text', '')}\n{_said(fields.get('head'))}\n{_said(fields.get('tail'))}".rstrip("\n")
        case "question_answering":
            return f"{fields.get('question', '')}\n{fields.get('context', '')}"
        case "translation" | "summarization":
            return str(fields.get("source", ""))
        case _:
            return _said({name: value for name, value in fields.items() if name not in _TARGETS and name != "group"})


def target_of(fields: Fields) -> str:
    """What should be answered, in a form that is equal where it is the same."""
    return _said({name: value for name, value in fields.items() if name in _TARGETS})


def labels_of(task: str, fields: Fields) -> list[str]:
    """By what parts are to be alike; empty for tasks without labels."""
    if task in ("text_classification", "relation_extraction"):
        label = fields.get("label", fields.get("labels"))
        return [label] if isinstance(label, str) else [str(one) for one in label or ()]
    if task == "token_classification":
        spans = fields.get("entities") or ()
        named = {span.get("label", "") for span in spans if isinstance(span, dict)}
        tags = {str(tag).partition("-")[2] for tag in fields.get("tags") or () if tag != "O"}
        return sorted(str(name) for name in named | tags if name)
    return []


def example_id(fields: Fields) -> str:
    """Equal for equal records."""
    return f"ex_{hashlib.sha256(orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)).hexdigest()[:24]}"


def _said(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


Mask = Callable[[str], tuple[str, list[tuple[int, int, int]]]]
"""A text masked, and what was replaced: [start, end) in the text as it was, and the length of what stands there now."""

_OFFSETS = ("entities", "spans")


def masked(fields: Fields, mask: Mask) -> dict[str, Any]:
    """The record with every text in it masked; places in "text" and "context" move along, what they lost is left out."""
    places: list[tuple[int, int, int]] = []
    found = dict(fields)
    for name in ("text", "context"):
        if isinstance(text := found.get(name), str):
            found[name], places = mask(text)
    for name, value in found.items():
        if name in _OFFSETS and isinstance(value, list):
            found[name] = [moved for span in value if (moved := _moved(span, places)) is not None]
        elif name in ("head", "tail") and isinstance(value, dict):
            found[name] = _moved(value, places) or value
        elif name == "answers" and isinstance(value, list):
            found[name] = [_answer(answer, places, mask) for answer in value]
        elif name not in ("text", "context", "label", "labels", "tags", "group"):
            found[name] = _deep(value, mask)
    return found


def _deep(value: Any, mask: Mask) -> Any:
    if isinstance(value, str):
        return mask(value)[0]
    if isinstance(value, list):
        return [_deep(one, mask) for one in value]
    if isinstance(value, dict):
        return {name: one if name in ("role", "type", "id") else _deep(one, mask) for name, one in value.items()}
    return value


def _moved(span: Any, places: list[tuple[int, int, int]]) -> Any:
    """A span where it stands now. One that reaches into what was replaced is the whole of that."""
    if not (isinstance(span, dict) and isinstance(span.get("start"), int) and isinstance(span.get("end"), int)):
        return span
    start, end = _place(span["start"], places, end=False), _place(span["end"], places, end=True)
    return {**span, "start": start, "end": end} if start < end else None


def _place(at: int, places: list[tuple[int, int, int]], *, end: bool) -> int:
    shift = 0
    for first, last, length in places:
        if at <= first if end else at < first:
            break
        if at < last or (end and at == last):
            return first + shift + (length if end else 0)
        shift += length - (last - first)
    return at + shift


def _answer(answer: Any, places: list[tuple[int, int, int]], mask: Mask) -> Any:
    if not (isinstance(answer, dict) and isinstance(answer.get("text"), str) and isinstance(answer.get("start"), int)):
        return answer
    return {**answer, "text": mask(answer["text"])[0], "start": _place(answer["start"], places, end=False)}
