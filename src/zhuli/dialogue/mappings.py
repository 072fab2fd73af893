"""Where slots take their values from: what the domain says, and what goes without saying."""

from zhuli.types.domain import DomainFields, Entity, EntityKind, Form, FromEntity, FromText, Intent, Mapping, Slot
from zhuli.types.understanding import DialogueState


def mappings_of(domain: DomainFields, slot: Slot) -> list[Mapping]:
    """The slot's own; else the entity of its name; else values of its type, and for a text the whole answer.

    A boolean needs none: yes and no answer it when it was asked for.
    """
    if slot.mappings:
        return slot.mappings
    if any(entity.name == slot.name for entity in domain.entities) or typed_entity(slot):
        return [FromEntity(type="entity", entity=slot.name)]
    return [] if slot.type == "boolean" else [FromText(type="text")]


def implied_entities(domain: DomainFields) -> list[Entity]:
    """Entities that no one has written down: values of the slots that have neither mappings nor an entity of their name."""
    named = {entity.name for entity in domain.entities}
    lonely = (slot for slot in domain.slots if not slot.mappings and slot.name not in named)
    return [entity for slot in lonely if (entity := typed_entity(slot))]


def typed_entity(slot: Slot) -> Entity | None:
    """What finds values of the slot's type in a text, named as the slot; None for texts, booleans and open lists."""
    if slot.type in ("category", "list"):
        return Entity(name=slot.name, kind="lookup", values=slot.values) if slot.values else None
    kinds: dict[str, EntityKind] = {"number": "number", "date": "date", "time": "time"}
    return Entity(name=slot.name, kind=kinds[slot.type]) if slot.type in kinds else None


def takes_text(domain: DomainFields, slot: Slot) -> bool:
    """Whether the whole answer may be its value."""
    return any(isinstance(mapping, FromText) for mapping in mappings_of(domain, slot))


def form_named(domain: DomainFields, name: str | None) -> Form | None:
    return next((form for form in domain.forms if form.name == name), None) if name else None


def intent_named(domain: DomainFields, name: str | None) -> Intent | None:
    return next((intent for intent in domain.intents if intent.name == name), None)


def slot_named(domain: DomainFields, name: str | None) -> Slot | None:
    return next((slot for slot in domain.slots if slot.name == name), None) if name else None


def slots_of(domain: DomainFields, form: Form | None) -> list[Slot]:
    """The form's slots in the order in which they are asked for, then those that are only listened for."""
    if form is None:
        return []
    slots = {slot.name: slot for slot in domain.slots}
    names = dict.fromkeys([*(name for name in form.slots if name not in form.optional), *form.optional])
    return [slots[name] for name in names if name in slots]


def waiting_slots(domain: DomainFields, state: DialogueState) -> list[Slot]:
    """Of the forms below the open one, the newest first."""
    waiting = reversed(state.topics[:-1])
    return [slot for topic in waiting for slot in slots_of(domain, form_named(domain, topic.form))]


def asked_for(form: Form) -> list[str]:
    """The names of the slots that must be filled."""
    return [name for name in form.slots if name not in form.optional]


def free_slots(domain: DomainFields) -> list[Slot]:
    """Slots of no form: they are listened for at all times."""
    taken = {name for form in domain.forms for name in (*form.slots, *form.optional)}
    return [slot for slot in domain.slots if slot.name not in taken]
