"""Examples in which entities are marked: `[tomorrow](date)`, `[NYC](city:New York)` with a value, `[Paris](city#origin)`
with a role, both as `[NYC](city#origin:New York)`; and Rasa's `[NYC]{"entity": "city", "value": "New York", "role": "origin"}`.

What stands in brackets without such an end is ordinary text. Which entities there are is not known here.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from zhuli.types.understanding.understanding import EntityFound

MARK = "mark"
"""The source of an entity that a person marked."""

_WORDS = re.compile(r"\[([^\[\]]+)\](?=[({]|\[\{)")
_SHORT = re.compile(r"\(([^\s(){}\[\]:#]+)(?:#([^\s(){}\[\]:#]+))?(?::([^()]+))?\)")
_PLAIN = re.compile(r"[^\s(){}\[\]:#]+")
_JSON = json.JSONDecoder()


class BadMark(ValueError):
    """A mark that names no entity; the message says what would be right."""


@dataclass(frozen=True, slots=True)
class Marked:
    """entities: their start and end are characters of `text`, which has no marks; their value is the text where none is given."""

    text: str
    entities: list[EntityFound]


def read_marks(example: str) -> Marked:
    """The sentence that the example is, and what is marked in it; BadMark."""
    text, entities, at = "", [], 0
    while mark := _WORDS.search(example, at):
        text += example[at : mark.start()]
        words = mark[1].strip()
        start = len(text) + len(mark[1]) - len(mark[1].lstrip())
        named, at = _names(example, mark)
        entities += [_entity(fields, words, start) for fields in named]
        text += mark[1]
    return Marked(text + example[at:], entities)


def write_marks(text: str, entities: Iterable[EntityFound]) -> str:
    """The example that read_marks() reads to these entities; of those that overlap the first is marked."""
    written, at = "", 0
    for entity in sorted(entities, key=lambda entity: (entity.start, -entity.end)):
        if entity.start >= at:
            written += f"{text[at : entity.start]}[{text[entity.start : entity.end]}]{_written(entity)}"
            at = entity.end
    return written + text[at:]


def _names(example: str, mark: re.Match[str]) -> tuple[list[dict[str, Any]], int]:
    """What is said of the words in brackets, as Rasa's fields, and where it ends."""
    end = mark.end()
    if example[end] == "(":
        if (short := _SHORT.match(example, end)) is None:
            raise _bad(mark, "(")
        entity, role, value = short.groups()
        return [{"entity": entity, "role": role, "value": value}], short.end()
    try:
        found, end = _JSON.raw_decode(example, end)
    except (ValueError, RecursionError) as error:
        raise _bad(mark, "{") from error
    several = found if isinstance(found, list) else [found]
    if not all(isinstance(fields, dict) and _named(fields) for fields in several):
        raise _bad(mark, "{")
    return several, end


def _named(fields: dict[str, Any]) -> bool:
    role = fields.get("role")
    return isinstance(fields.get("entity"), str) and bool(fields["entity"]) and isinstance(role, str | None)


def _bad(mark: re.Match[str], begun: str) -> BadMark:
    shown = mark.group()[:60]
    return BadMark(
        f"After '{shown}', '{begun}' begins a mark that names no entity. Write [NYC](city), [NYC](city:New York), "
        '[NYC](city#origin), or [NYC]{"entity": "city", "value": "New York", "role": "origin"}.'
    )


def _entity(fields: dict[str, Any], words: str, start: int) -> EntityFound:
    value = fields.get("value")
    return EntityFound(
        entity=fields["entity"],
        text=words,
        value=words if value is None else value,
        start=start,
        end=start + len(words),
        source=MARK,
        role=fields.get("role") or None,
    )


def _written(entity: EntityFound) -> str:
    """The short form where it can say it."""
    role, value = entity.role, None if entity.value == entity.text else entity.value
    plain = all(_PLAIN.fullmatch(name) for name in (entity.entity, role or "-"))
    if plain and (value is None or (isinstance(value, str) and value and not set(value) & set("()"))):
        return f"({entity.entity}{f'#{role}' if role else ''}{'' if value is None else f':{value}'})"
    fields = {"entity": entity.entity, "role": role, "value": value}
    return json.dumps({name: said for name, said in fields.items() if said is not None}, ensure_ascii=False)
