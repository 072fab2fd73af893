"""The JSON that commands are written in, as a schema for what is told of a domain: whoever keeps to it can name nothing else."""

from collections.abc import Sequence
from typing import Any

from zhuli.types.understanding.domain import Slot
from zhuli.understanding.language.commands.excerpt import Excerpt, talks

MOST_COMMANDS = 8
"""Of one message."""

_TEXT = {"type": "string"}
_NULL = {"type": "null"}


def command_schema(shown: Excerpt) -> dict[str, Any]:
    """{"commands": […], "certainty": 0 to 100}: an object schema that servers with a strict mode take, too."""
    kinds = [*_starting(shown), *_filling(shown), *_plain(shown)]
    return _object(
        {
            "commands": {"type": "array", "items": {"anyOf": kinds}, "maxItems": MOST_COMMANDS},
            "certainty": {"type": "integer", "enum": list(range(0, 101, 10))},
        }
    )


def _starting(shown: Excerpt) -> list[dict[str, Any]]:
    names = [intent.name for intent in shown.intents]
    if not names:
        return []
    one = {"type": "string", "enum": names}
    several = {"type": "array", "items": one, "minItems": 2, "maxItems": 3}
    started = [_command("start", {"intent": one})]
    return [*started, _command("clarify", {"intents": several})] if len(names) > 1 else started


def _filling(shown: Excerpt) -> list[dict[str, Any]]:
    """Slots whose values are alike share one shape, so that a hundred of them don't make a hundred."""
    shapes: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for slot in shown.slots:
        value = _value(slot, shown.values.get(slot.name, ()))
        shapes.setdefault(str(value), (value, []))[1].append(slot.name)
    return [
        _command(
            ("set", "correct"),
            {"slot": {"type": "string", "enum": names}, "words": _TEXT, "value": {"anyOf": [value, _NULL]}},
        )
        for value, names in shapes.values()
    ]


def _value(slot: Slot, values: Sequence[str]) -> dict[str, Any]:
    if slot.type in ("number", "boolean"):
        return {"type": slot.type}
    if slot.values and len(slot.values) == len(values):
        return {"type": "string", "enum": list(values)}
    return _TEXT


def _plain(shown: Excerpt) -> list[dict[str, Any]]:
    names = ("yes", "no", "cancel", "hand_over", *(("knowledge",) if shown.knowledge else ()))
    found = [_command(names, {}), _command("small_talk", {"kind": {"type": "string", "enum": list(talks())}})]
    if shown.labels:
        entity = {"type": "string", "enum": list(shown.labels)}
        found.append(_command("mention", {"entity": entity, "words": _TEXT, "value": _TEXT}))
    return found


def _command(names: str | Sequence[str], fields: dict[str, Any]) -> dict[str, Any]:
    allowed = [names] if isinstance(names, str) else list(names)
    return _object({"command": {"type": "string", "enum": allowed}, **fields})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
