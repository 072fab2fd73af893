"""Whether a value fits a slot, and how the slot writes it. Nothing that does not pass here is ever remembered."""

import re
from datetime import date, datetime, time
from typing import Any

from zhuli.types.understanding.domain import Entity, Language, Slot, Validation
from zhuli.types.understanding.understanding import EntityFound
from zhuli.understanding.dialogue.slot_mappings import typed_entity
from zhuli.understanding.language.entity_extraction.entity_extraction import find_entities
from zhuli.understanding.language.entity_extraction.patterns import fits
from zhuli.understanding.language.plain_text import plain

_HALF_OF_DAY = re.compile(r"[ap]\.?m\b|\b0\d:|morning|noon|evening|night|早|晨|上午|中午|午后|下午|傍晚|晚|夜")

MOST_CHARACTERS = 4_000
"""Of a text that a slot takes."""


def fit(slot: Slot, value: Any, text: str, *, language: Language | None, now: datetime) -> Any | None:
    """The value as a slot of this type holds it; None if it is none of that type, or not allowed.

    value: what an entity says; text: its words, which are read where the value is not of the type. A list gives one item.
    """
    typed = _typed(slot, value, text, language, now)
    return typed if typed is not None and allowed(slot.validation, typed) else None


def hours(mention: EntityFound, before: object) -> list[Any]:
    """What a time may mean, likeliest first: 8 is 20:00 after 19:00, or where eight in the morning is not allowed.

    before: the time that it replaces. Words that say the half of the day, and times like 08:30, mean one thing.
    """
    value = mention.value
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 24:
        value = f"{int(value):02d}:{round(value % 1 * 60) % 60:02d}"
    if not isinstance(value, str) or not _iso("time", value) or _HALF_OF_DAY.search(plain(mention.text)):
        return [value]
    hour = int(value[:2])
    if not 1 <= hour < 12:
        return [value]
    later = f"{hour + 12}{value[2:5]}"
    return [later, value] if isinstance(before, str) and before >= "12" else [value, later]


def allowed(validation: Validation | None, value: Any) -> bool:
    """Whether a typed value keeps to the bounds and the pattern. Bounds of another type than the value's say nothing."""
    if validation is None:
        return True
    low, high = validation.minimum, validation.maximum
    if _comparable(low, value) and value < low:
        return False
    if _comparable(high, value) and value > high:
        return False
    return validation.pattern is None or fits(validation.pattern, _written(value))


def _comparable(bound: float | str | None, value: Any) -> bool:
    """ISO dates and times compare as texts."""
    if isinstance(value, bool) or bound is None:
        return False
    return isinstance(bound, str) == isinstance(value, str) and isinstance(value, str | int | float)


def _typed(slot: Slot, value: Any, text: str, language: Language | None, now: datetime) -> Any | None:
    if isinstance(value, dict) and isinstance(value.get("amount"), int | float) and slot.type == "number":
        value = value["amount"]
    match slot.type:
        case "boolean":
            return value if isinstance(value, bool) else None
        case "number" if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        case "date" | "time" if isinstance(value, str) and (written := _iso(slot.type, value)):
            return written
        case "number" | "date" | "time" | "category":
            return _read(slot, value, text, language, now)
        case "list" if slot.values:
            return _read(slot, value, text, language, now)
    worded = _written(value) if isinstance(value, str | int | float) else text
    return worded.strip()[:MOST_CHARACTERS] or None


def _read(slot: Slot, value: Any, text: str, language: Language | None, now: datetime) -> Any | None:
    """What a slot of numbers, dates, times or listed values makes of words."""
    if slot.type in ("category", "list") and not slot.values:
        return _written(value).strip() or None
    words = [word for word in dict.fromkeys((_written(value), text)) if word]
    if slot.values and (listed := _listed(slot, words)):
        return listed
    entity = typed_entity(slot) or Entity(name=slot.name)
    found = (find for word in words for find in find_entities(word, [entity], language=language, now=now))
    return next((find.value for find in found), None)


def _listed(slot: Slot, words: list[str]) -> str | None:
    """The listed value that this is, without regard to case and width."""
    names = {plain(name): one.value for one in slot.values for name in (*one.synonyms, one.value)}
    return next((names[plain(word.strip())] for word in words if plain(word.strip()) in names), None)


def _iso(kind: str, value: str) -> str | None:
    """YYYY-MM-DD or HH:MM, if it is a date or time in ISO form already."""
    try:
        return date.fromisoformat(value).isoformat() if kind == "date" else time.fromisoformat(value).strftime("%H:%M")
    except ValueError:
        return None


def _written(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, str | int | float) else ""
