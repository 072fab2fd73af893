"""Rasa's domain.yml: slots with their mappings, responses, forms, in the shapes of 1.x, 2.0, 2.x and 3.x."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from zhuli.understanding.domains.imports.notes import Notes, clean
from zhuli.understanding.domains.rasa.responses import Variation, read_responses
from zhuli.understanding.domains.rasa.slot_mappings import mappings_of, with_own_entity
from zhuli.understanding.domains.rasa.yaml_files import RasaFiles, text_of, texts
from zhuli.understanding.domains.yaml.tree import Node, data_of

TYPES = {
    "text": "text",
    "bool": "boolean",
    "boolean": "boolean",
    "categorical": "category",
    "float": "number",
    "list": "list",
    "any": "text",
    "unfeaturized": "text",
}

Data = dict[str, Any]


@dataclass(slots=True)
class RasaDomain:
    """slots and responses as a domain has them; the slots that each form requires; how each form asks for which.

    variations: of responses, those that are said under a condition. influential: slots whose values tell stories apart.
    """

    slots: list[Data] = field(default_factory=list)
    responses: dict[str, str] = field(default_factory=dict)
    variations: dict[str, list[Variation]] = field(default_factory=dict)
    forms: dict[str, list[str]] = field(default_factory=dict)
    prompts: dict[str, dict[str, str]] = field(default_factory=dict)


def read_domain(source: RasaFiles, notes: Notes, intents: Sequence[str], entities: Sequence[str]) -> RasaDomain:
    """intents: all there are, for mappings that leave some out. entities: of which slots of the same name are filled."""
    known = RasaDomain()
    known.responses, known.variations = read_responses(source, notes)
    of_forms = _forms(source, notes, known)
    for file, name, node in source.named("slots"):
        known.slots.append(_slot(notes, file, name, node, intents, of_forms.get(clean(name), [])))
    there = {slot["name"] for slot in known.slots}
    missing = dict.fromkeys(name for slots in known.forms.values() for name in slots if name not in there)
    known.slots += [_asked_slot(notes, name, intents, of_forms.get(name, [])) for name in missing]
    known.slots = [with_own_entity(slot, entities) if slot["name"] in of_forms else slot for slot in known.slots]
    _prompts(known)
    for file, node in source.all("session_config"):
        notes.add(
            "no_session", file, node, "A thread has no `session_config`: begin a new one where a session should end."
        )
    return known


FormMapping = tuple[str, str, Node]
"""Of a slot: the file and the form that says it, and what it says."""


def _forms(source: RasaFiles, notes: Notes, known: RasaDomain) -> dict[str, list[FormMapping]]:
    """Notes the forms; gives the mappings that they have for slots, as in 2.x, by slot."""
    found: dict[str, list[FormMapping]] = {}
    for file, name, node in source.named("forms"):
        form = clean(name)
        required = node.fields.get("required_slots")
        if required is None:  # 2.0: the slots stand right below the form
            slots = {key: child for key, child in node.fields.items() if key != "ignored_intents"}
            required = Node(node.line, slots)
        known.forms[form] = [clean(slot) for slot in (required.fields or texts(required))]
        for slot, mappings in required.fields.items():
            found.setdefault(clean(slot), []).extend((file, form, item) for item in mappings.items)
        if "ignored_intents" in node.fields and texts(node.fields["ignored_intents"]):
            text = f"The form '{name}' hears all intents; `ignored_intents` are not taken."
            notes.add("ignored_intents", file, node.fields["ignored_intents"], text)
        if not known.forms[form]:
            text = f"The form '{name}' requires no slots that are written here, so it is left out."
            notes.add("empty_form", file, node, text)
            del known.forms[form]
    return found


def _slot(
    notes: Notes, file: str, name: str, node: Node, intents: Sequence[str], of_forms: Sequence[FormMapping]
) -> Data:
    kind = _kind(text_of(node.fields.get("type")) or "text")
    if kind not in TYPES:
        notes.add("type_changed", file, node, f"The slot '{name}' of type {kind} becomes a text.")
    elif kind == "any":
        notes.add("type_changed", file, node, f"The slot '{name}' of type any becomes a text.")
    made: Data = {"name": clean(name), "type": TYPES.get(kind, "text")}
    if kind == "categorical":
        values = [value for value in texts(node.fields.get("values")) if value not in ("null", "~", "", "__other__")]
        made["values"] = [{"value": value} for value in values]
        made["type"] = "category" if values else "text"
    initial = node.fields.get("initial_value")
    if initial is not None and (value := typed(initial, made["type"])) is not None and _fits(value, made):
        made["initial"] = value
    mappings = node.fields.get("mappings")
    own = [(file, None, item) for item in (mappings.items if mappings else [])]
    return {**made, "mappings": mappings_of(notes, made, [*own, *of_forms], intents)}


def _asked_slot(notes: Notes, name: str, intents: Sequence[str], of_forms: Sequence[FormMapping]) -> Data:
    """A slot that only a form has."""
    notes.add("slot_added", name, None, f"The slot '{name}' of a form is nowhere under `slots`; it becomes a text.")
    made: Data = {"name": name, "type": "text"}
    return {**made, "mappings": mappings_of(notes, made, of_forms, intents)}


def _kind(written: str) -> str:
    """`rasa.shared.core.slots.CategoricalSlot` and `categorical` are one; what is somebody's own stays as it is written."""
    last = written.rpartition(".")[2]
    short = last.removesuffix("Slot").lower()
    return short if short in TYPES or "." not in written else written


def typed(node: Node, kind: str) -> Any:
    """The node's value as the slot's type has it: 2 is a text where the slot is one."""
    data = data_of(node)
    if data is not None and kind in ("text", "category") and isinstance(node.value, str):
        return node.value
    return data


def _fits(value: Any, slot: Data) -> bool:
    match slot["type"]:
        case "category":
            return value in [one["value"] for one in slot["values"]]
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "list":
            return isinstance(value, list)
    return isinstance(value, str) and value != ""


def _prompts(known: RasaDomain) -> None:
    """What Rasa's forms ask with, by the names of its responses."""
    for slot in known.slots:
        name = slot["name"]
        if (own := known.responses.pop(f"utter_ask_{name}", None)) is not None:
            slot["prompt"] = own
        for form, slots in known.forms.items():
            asked = known.responses.pop(f"utter_ask_{form}_{name}", None)
            if asked is not None and name in slots:
                known.prompts.setdefault(form, {})[name] = asked
        asking = [prompts[name] for prompts in known.prompts.values() if name in prompts]
        if "prompt" not in slot and asking:  # one that asks the same everywhere asks so by itself
            slot["prompt"] = asking[0]
            for prompts in known.prompts.values():
                if prompts.get(name) == asking[0]:
                    del prompts[name]
