"""Writes a domain as YAML that reading reads to the same fields, in the short forms where they say it all."""

from collections.abc import Callable
from typing import Any

from zhuli.types.understanding.domain import DomainFields
from zhuli.understanding.domains.yaml.reading import MAIN_FIELD

Data = dict[str, Any]


def dump(domain: DomainFields) -> str:
    """The YAML, without what has its default."""
    import yaml

    given = domain.model_dump(mode="json", exclude_defaults=True, include=set(DomainFields.model_fields))
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(_domain(given), Dumper=dumper, allow_unicode=True, sort_keys=False, width=120)
    return text


def _domain(given: Data) -> Data:
    shapes: dict[str, Callable[[Any], Any]] = {
        "understander": lambda data: data["type"] if set(data) == {"type"} else data,
        "intents": lambda items: _named(items, _intent),
        "entities": lambda items: _named([{"kind": "learned", **item} for item in items], _entity),
        "slots": lambda items: _named(items, _slot),
        "forms": lambda items: _named(items, lambda form: {**form, "action": _action(form["action"])}),
        "rules": lambda items: [{**rule, "do": [_action(step) for step in rule["do"]]} for rule in items],
        "fallback": lambda data: {name: _fallback(name, value) for name, value in data.items()},
    }
    return {name: shapes[name](value) if name in shapes else value for name, value in given.items()}


def _named(items: list[Data], shape: Callable[[Data], Any]) -> Any:
    """A mapping of names to the rest in its shape; the plain list where a name is there twice."""
    if len({item["name"] for item in items}) < len(items):
        return items
    return {item["name"]: shape({field: item[field] for field in item if field != "name"}) or None for item in items}


def _intent(fields: Data) -> Any:
    """Its examples alone, if it has nothing else."""
    if fields.get("action"):
        return {**fields, "action": _action(fields["action"])}
    return fields["examples"] if set(fields) == {"examples"} else fields


def _entity(fields: Data) -> Any:
    """Its kind alone, or its words; without the kind where the reader sees it from the other fields."""
    seen = "lookup" if "values" in fields else "regex" if "patterns" in fields else "learned"
    kind = fields["kind"]
    if "values" not in fields and "patterns" not in fields:
        return kind
    rest = {field: fields[field] for field in fields if field != "kind" or kind != seen}
    if "values" in rest:
        rest["values"] = _values(rest["values"])
    return rest["values"] if set(rest) == {"values"} and isinstance(rest["values"], list) else rest


def _slot(fields: Data) -> Any:
    """Its type alone, or the words of a category."""
    if set(fields) == {"type"}:
        return fields["type"]
    if "values" not in fields:
        return fields
    values = _values(fields["values"])
    alone = set(fields) == {"type", "values"} and fields["type"] == "category" and isinstance(values, list)
    return values if alone else {**fields, "values": values}


def _fallback(name: str, value: Any) -> Any:
    if name == "small_talk":
        return {said: _action(action) for said, action in value.items()}
    return _action(value) if isinstance(value, dict) else value


def _values(values: list[Data]) -> Any:
    """Words; with synonyms a mapping, unless a value is there twice."""
    if not any(value.get("synonyms") for value in values):
        return [value["value"] for value in values]
    if len({value["value"] for value in values}) < len(values):
        return values
    return {value["value"]: value.get("synonyms") for value in values}


def _action(action: Data) -> Any:
    kind = action["type"]
    main = MAIN_FIELD.get(kind)
    rest = {field: action[field] for field in action if field not in ("type", main)}
    if main is None or (not rest and main not in action):
        return kind
    return {kind: action.get(main), **rest}
