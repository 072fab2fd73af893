"""What fills a slot of Rasa's: mappings of domain.yml, and those that forms of 2.x have, as mappings of a domain's slot."""

from collections.abc import Sequence
from typing import Any

from zhuli.understanding.domains.imports.notes import Notes, clean, markable
from zhuli.understanding.domains.rasa.yaml_files import text_of, texts
from zhuli.understanding.domains.yaml.tree import Node, data_of

Data = dict[str, Any]


def mappings_of(
    notes: Notes, slot: Data, given: Sequence[tuple[str, str | None, Node]], intents: Sequence[str]
) -> list[Data]:
    """given: file, the form that says it (None: the slot itself), and node. Each mapping once; what is for all needs no other."""
    found: list[Data] = []
    for file, form, node in given:
        made = _mapping(notes, file, slot, node, intents, of_form=form is not None)
        if made is not None and made not in found:
            found.append(made)
    return [one for one in found if not any(_covers(other, one) for other in found)]


def with_own_entity(slot: Data, entities: Sequence[str]) -> Data:
    """The slot, filled also by the entity of its name where mappings are only for when it was asked, as Rasa 2.x did."""
    name = slot["name"]
    if not slot["mappings"] or name not in entities or any(one.get("entity") == name for one in slot["mappings"]):
        return slot
    return {**slot, "mappings": [*slot["mappings"], {"type": "entity", "entity": name, "intents": []}]}


def _covers(other: Data, one: Data) -> bool:
    """Whether the other is the same without a condition."""
    if other["type"] != "entity" or one["type"] != "entity" or other == one:
        return False
    same = other["entity"] == one["entity"] and other.get("role") in (None, one.get("role"))
    return same and not other["intents"] and not other.get("asked") and other.get("role") == one.get("role")


def _mapping(notes: Notes, file: str, slot: Data, node: Node, intents: Sequence[str], *, of_form: bool) -> Data | None:
    """of_form: it holds when the form asks, as a form of 2.x says it of a text or an intent."""
    fields, name = node.fields, slot["name"]
    kind = text_of(fields.get("type"))
    only = _expanded([clean(intent) for intent in texts(fields.get("intent"))], intents)
    if without := _expanded([clean(intent) for intent in texts(fields.get("not_intent"))], intents):
        only = [intent for intent in intents if intent not in without]
    if kind == "from_entity" and (entity := text_of(fields.get("entity"))) is not None:
        if "group" in fields:
            text = f"The group in a mapping of '{name}' is not taken: groups are not known here."
            notes.add("no_groups", file, node, text)
        role = text_of(fields.get("role"))
        made: Data = {"type": "entity", "entity": markable(entity), "intents": only}
        return {**made, **({"role": role} if role else {}), **({"asked": True} if _when_asked(fields, name) else {})}
    if kind == "from_text":
        if only:
            notes.add(
                "text_of_any_intent", file, node, f"'{name}' takes the text of any intent, when it was asked for."
            )
        return {"type": "text"}
    if kind in ("from_intent", "from_trigger_intent") and only and "value" in fields:
        return _from_intent(
            notes, file, slot, node, only, asked=_when_asked(fields, name) or (of_form and kind == "from_intent")
        )
    text = f"The mapping {kind} of the slot '{name}' is not taken. The app can fill it: POST /v1/threads/ID/state."
    notes.add("custom_mapping", file, node, text)
    return None


def _from_intent(notes: Notes, file: str, slot: Data, node: Node, only: list[str], *, asked: bool) -> Data | None:
    value = _value(node.fields["value"], slot)
    if value is None:
        text = f"The mapping of an intent to the slot '{slot['name']}' is not taken: its value is none of a {slot['type']}."
        notes.add("value_not_taken", file, node, text)
        return None
    return {"type": "intent", "intents": only, "value": value, "asked": asked}


def _value(node: Node, slot: Data) -> Any:
    """As the slot's type has it, or None."""
    data = data_of(node)
    match slot["type"]:
        case "text":
            return node.value if isinstance(node.value, str) and data is not None else None
        case "category":
            return node.value if node.value in [one["value"] for one in slot["values"]] else None
        case "boolean":
            words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
            return words.get(node.value.lower()) if isinstance(node.value, str) else None
        case "number":
            return data if isinstance(data, int | float) and not isinstance(data, bool) else None
    return data if isinstance(data, list) else None


def _expanded(named: list[str], intents: Sequence[str]) -> list[str]:
    """With all intents of a retrieval intent in its place; without those that are none of the domain's."""
    return [intent for name in named for intent in intents if intent == name or intent.startswith(f"{name}/")]


def _when_asked(fields: dict[str, Node], name: str) -> bool:
    """Whether all its conditions are about the slot being asked for."""
    conditions = fields.get("conditions")
    found = conditions.items if conditions else []
    return bool(found) and all(text_of(item.fields.get("requested_slot")) == name for item in found)
