"""Rasa's domain.yml: slots with their mappings, responses, forms. Intents and entities are rasa_nlu's, actions rasa_rules'."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from zhuli.understanding.domains.rasa.nlu_data import entity_name
from zhuli.understanding.domains.rasa.yaml_files import Notes, RasaFiles, clean, text_of, texts
from zhuli.understanding.domains.yaml.tree import Node, data_of

TYPES = {"text": "text", "bool": "boolean", "categorical": "category", "float": "number", "list": "list", "any": "text"}

Data = dict[str, Any]


@dataclass(slots=True)
class RasaDomain:
    """slots and responses as a domain has them; the slots that each form requires."""

    slots: list[Data] = field(default_factory=list)
    responses: dict[str, str] = field(default_factory=dict)
    forms: dict[str, list[str]] = field(default_factory=dict)


def read_domain(source: RasaFiles, notes: Notes, intents: Sequence[str]) -> RasaDomain:
    """intents: all there are, for mappings that leave some out."""
    known = RasaDomain()
    for file, name, node in source.named("responses"):
        if (text := _response(notes, file, name, node)) is not None:
            known.responses[clean(name)] = text
    for file, name, node in source.named("forms"):
        required = node.fields.get("required_slots")
        known.forms[clean(name)] = [clean(slot) for slot in (required.fields if required else {}) or texts(required)]
        if "ignored_intents" in node.fields:
            text = f"The form '{name}' hears all intents; `ignored_intents` are not taken."
            notes.add("not_taken", file, node.fields["ignored_intents"], text)
    for name in [name for name, slots in known.forms.items() if not slots]:
        notes.add(
            "not_taken", name, None, f"The form '{name}' requires no slots that are written here, so it is left out."
        )
        del known.forms[name]
    for file, name, node in source.named("slots"):
        known.slots.append(_slot(notes, file, name, node, intents))
    _prompts(known)
    for file, node in source.all("session_config"):
        notes.add(
            "not_taken", file, node, "A thread has no `session_config`: begin a new one where a session should end."
        )
    return known


def _response(notes: Notes, file: str, name: str, node: Node) -> str | None:
    """The text of the first variation, one without conditions and channel if there is."""
    variations = [item for item in node.items if text_of(item.fields.get("text")) is not None]
    if not variations:
        notes.add("not_taken", file, node, f"The response '{name}' has no text, so it is left out.")
        return None
    special = ("condition", "channel")
    chosen = next((item for item in variations if not any(key in item.fields for key in special)), variations[0])
    if len(node.items) > 1:
        notes.add("not_taken", file, node, f"Of the {len(node.items)} variations of '{name}' only one is taken.")
    if extras := [key for key in chosen.fields if key not in ("text", *special)]:
        notes.add("not_taken", file, chosen, f"Of '{name}' the text is taken, but not {', '.join(extras)}.")
    return text_of(chosen.fields["text"])


def _slot(notes: Notes, file: str, name: str, node: Node, intents: Sequence[str]) -> Data:
    kind = text_of(node.fields.get("type")) or "text"
    if kind not in TYPES or kind == "any":
        notes.add("type_changed", file, node, f"The slot '{name}' of type {kind} becomes a text.")
    made: Data = {"name": clean(name), "type": TYPES.get(kind, "text")}
    if kind == "categorical":
        values = [value for value in texts(node.fields.get("values")) if value not in ("null", "~", "")]
        made["values"] = [{"value": value} for value in values]
        made["type"] = "category" if values else "text"
    initial = node.fields.get("initial_value")
    if initial is not None and (value := _value(initial, made["type"])) is not None:
        made["initial"] = value
    bounds = {"minimum": node.fields.get("min_value"), "maximum": node.fields.get("max_value")}
    if kind == "float" and any(bounds.values()):
        made["validation"] = {name: data_of(bound) for name, bound in bounds.items() if bound is not None}
    mappings = node.fields.get("mappings")
    found = [_mapping(notes, file, made, item, intents) for item in (mappings.items if mappings else [])]
    return {**made, "mappings": [mapping for mapping in found if mapping is not None]}


def _mapping(notes: Notes, file: str, slot: Data, node: Node, intents: Sequence[str]) -> Data | None:
    fields, name = node.fields, slot["name"]
    kind = text_of(fields.get("type"))
    only = [clean(intent) for intent in texts(fields.get("intent"))]
    if without := {clean(intent) for intent in texts(fields.get("not_intent"))}:
        only = [intent for intent in intents if intent not in without]
    if kind == "from_entity" and (entity := text_of(fields.get("entity"))) is not None:
        if "group" in fields:
            notes.add(
                "not_taken", file, node, f"The group in a mapping of '{name}' is not taken: groups are not known here."
            )
        role = text_of(fields.get("role"))
        return {"type": "entity", "entity": entity_name(entity), "intents": only, **({"role": role} if role else {})}
    if kind == "from_text":
        if only:
            notes.add("not_taken", file, node, f"'{name}' takes the text of any intent, when it was asked for.")
        return {"type": "text"}
    if kind in ("from_intent", "from_trigger_intent") and only and "value" in fields:
        value = _value(fields["value"], slot["type"])
        return {"type": "intent", "intents": only, "value": value, "asked": _when_asked(fields)}
    text = f"The mapping {kind} of the slot '{name}' is not taken. The app can fill it: POST /v1/threads/ID/state."
    notes.add("not_taken", file, node, text)
    return None


def _value(node: Node, kind: str) -> Any:
    """As the slot's type has it: 2 is a text where the slot is one."""
    data = data_of(node)
    return node.value if data is not None and kind in ("text", "category") and isinstance(node.value, str) else data


def _when_asked(fields: dict[str, Node]) -> bool:
    conditions = fields.get("conditions")
    return any("requested_slot" in item.fields for item in (conditions.items if conditions else []))


def _prompts(known: RasaDomain) -> None:
    """What Rasa's forms ask with, by the names of its responses."""
    for slot in known.slots:
        of_forms = [f"utter_ask_{form}_{slot['name']}" for form in known.forms]
        found = [
            known.responses.pop(name) for name in (*of_forms, f"utter_ask_{slot['name']}") if name in known.responses
        ]
        if found:
            slot["prompt"] = found[0]
