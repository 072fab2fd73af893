"""Places in a text: of entities, of the two sides of a relation, of answers; given as offsets, or as words to be found."""

from typing import Any

from zhuli.types.learning.example import BadExample

SHOWN = 40
"""Characters of a text that a message quotes."""


def entity(given: Any) -> dict[str, Any]:
    """{start, end, label}, also from [start, end, label] as doccano writes them."""
    if isinstance(given, list | tuple) and len(given) == 3:
        given = dict(zip(("start", "end", "label"), given, strict=True))
    if not isinstance(given, dict) or not {"start", "end", "label"} <= given.keys():
        raise BadExample('An entity must be {"start": 0, "end": 6, "label": "city"} with offsets of characters.')
    return given


def place(given: Any, text: str, side: str, *, beside: dict[str, Any] | None = None) -> dict[str, Any]:
    """{start, end} of a side of a relation: as given, or where its words first stand outside of the other side."""
    if isinstance(given, dict) and isinstance(given.get("text"), str) and "start" not in given:
        given = given["text"]
    if isinstance(given, dict):
        return given
    if not isinstance(given, str) or not given:
        raise BadExample(f'"{side}" must be {{"start": …, "end": …}} with offsets of characters, or words of the text.')
    at = text.find(given)
    if beside is not None and _overlap(at, at + len(given), beside):
        later = text.find(given, int(beside["end"]))
        at = later if later >= 0 else at
    if at < 0:
        raise BadExample(
            f"The {side} “{given[:SHOWN]}” is not in the text “{text[:SHOWN]}…”; it must stand there as written."
        )
    return {"start": at, "end": at + len(given)}


def _overlap(start: int, end: int, other: dict[str, Any]) -> bool:
    first, last = other.get("start"), other.get("end")
    return isinstance(first, int) and isinstance(last, int) and start < last and first < end


def placed(answer: Any, context: str) -> dict[str, Any]:
    """{text, start} of an answer: the place as given if the words stand there, else where they first stand."""
    if isinstance(answer, str):
        answer = {"text": answer}
    text = answer.get("text") if isinstance(answer, dict) else None
    if not isinstance(text, str) or not text:
        raise BadExample('An answer must be {"text": "…", "answer_start": 0}, or its words alone; [] means no answer.')
    start = answer.get("start", answer.get("answer_start"))
    if start is None:
        start = context.find(text)
        if start < 0:
            raise BadExample(f"The answer “{text[:SHOWN]}” is not in the context; it must stand there as written.")
    if not isinstance(start, int) or context[start : start + len(text)] != text or start < 0:
        found = context.find(text)
        right = f"It stands at {found}." if found >= 0 else "It stands nowhere in the context."
        raise BadExample(f"The answer “{text[:SHOWN]}” is not at character {start} of the context. {right}")
    return {"text": text, "start": start}
