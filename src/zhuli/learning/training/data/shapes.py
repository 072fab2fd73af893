"""From what stands in a file to the shape that a task reads: cells of tables into lists, kindred forms into one.

Each function takes the fields of an entry under the task's names and gives them in its shape; BadExample where they cannot
be. Whether they make an example, which texts may be empty and so on is for the task's read() to say.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from zhuli.core import json_limits
from zhuli.learning.training.data import chats, tags
from zhuli.learning.training.data.field_names import SEPARATOR
from zhuli.learning.training.data.places import entity, place, placed
from zhuli.types.learning.example import BadExample

Fields = dict[str, Any]


def shaped(fields: Fields, task: str, columns: Mapping[str, str]) -> Fields:
    fields = {name: _unpacked(value) for name, value in fields.items()}
    shape = _SHAPES.get(task)
    return shape(fields, columns) if shape else fields


def _unpacked(value: Any) -> Any:
    """A cell with a JSON list or object, as tables have to write them."""
    if isinstance(value, str) and value[:1] in ("[", "{") and value[-1:] in ("]", "}"):
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return value if json_limits.is_too_deep(found) else found
    return value


def _text_classification(fields: Fields, columns: Mapping[str, str]) -> Fields:
    if "label" not in fields:
        return fields
    label = fields["label"]
    if isinstance(label, str) and (separator := columns.get(SEPARATOR)):
        label = [part for part in label.split(separator) if part.strip()]
    return fields | {"label": [_label(one) for one in label] if isinstance(label, list) else _label(label)}


def _label(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, int | float):
        return str(value)
    raise BadExample(
        f"The label is {json.dumps(value, ensure_ascii=False)}, but must be a text, a number, or a list of them."
    )


def _token_classification(fields: Fields, _: Mapping[str, str]) -> Fields:
    if "tags" in fields:
        return fields | _tokens(fields)
    if isinstance(fields.get("entities"), list):
        return fields | {"entities": [entity(one) for one in fields["entities"]]}
    return fields


def _tokens(fields: Fields) -> Fields:
    tokens, labels = (_words(fields.get(name), name) for name in ("tokens", "tags"))
    if len(tokens) != len(labels):
        raise BadExample(f"There are {len(tokens)} tokens, but {len(labels)} tags. Each token must have one tag.")
    return {"tokens": tokens, "tags": tags.bio(labels)}


def _words(value: Any, name: str) -> list[str]:
    if isinstance(value, str):
        return value.split()
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        return value
    raise BadExample(
        f'"{name}" must be a list of texts' + (", like B-PER and O, not of numbers." if name == "tags" else ".")
    )


_MARKS = ("<e1>", "</e1>", "<e2>", "</e2>")


def _relation_extraction(fields: Fields, _: Mapping[str, str]) -> Fields:
    text = fields.get("text")
    if not isinstance(text, str):
        return fields
    if all(text.count(mark) == 1 for mark in _MARKS) and "head" not in fields:
        return fields | _from_marks(text)
    head = place(fields.get("head"), text, "head")
    return fields | {"head": head, "tail": place(fields.get("tail"), text, "tail", beside=head)}


def _from_marks(text: str) -> Fields:
    """The places of <e1>…</e1> and <e2>…</e2>, which may come in either order, in the text without the marks."""
    places: dict[str, int] = {}
    plain, at = "", 0
    for start, mark in sorted((text.index(mark), mark) for mark in _MARKS):
        plain += text[at:start]
        places[mark] = len(plain)
        at = start + len(mark)
    head = {"start": places["<e1>"], "end": places["</e1>"]}
    return {"text": plain + text[at:], "head": head, "tail": {"start": places["<e2>"], "end": places["</e2>"]}}


def _question_answering(fields: Fields, _: Mapping[str, str]) -> Fields:
    """Answers as a list of {text, start}, from those of SQuAD, of the Hugging Face data sets, and of plain columns."""
    answers, context = fields.get("answers", []), fields.get("context")
    if not isinstance(context, str):
        return fields
    if answers is None or answers == "":
        return fields | {"answers": []}
    if isinstance(answers, dict) and isinstance(answers.get("text"), list):
        starts = answers.get("answer_start") or answers.get("start") or []
        answers = [{"text": text, "start": start} for text, start in zip(answers["text"], starts, strict=False)]
    elif isinstance(answers, str) and str(fields.get("start", "")).strip().isdecimal():
        answers = [{"text": answers, "start": int(fields["start"])}]
    several = answers if isinstance(answers, list) else [answers]
    return fields | {"answers": _distinct([placed(answer, context) for answer in several])}


def _distinct(answers: list[Fields]) -> list[Fields]:
    """Annotators who agree are one answer."""
    return list({(answer["text"], answer["start"]): answer for answer in answers}.values())


def _dialogue(fields: Fields, _: Mapping[str, str]) -> Fields:
    return chats.dialogue(fields)


def _preference(fields: Fields, _: Mapping[str, str]) -> Fields:
    return chats.preference(fields)


_SHAPES: Mapping[str, Callable[[Fields, Mapping[str, str]], Fields]] = {
    "text_classification": _text_classification,
    "token_classification": _token_classification,
    "relation_extraction": _relation_extraction,
    "question_answering": _question_answering,
    "dialogue": _dialogue,
    "preference": _preference,
}
