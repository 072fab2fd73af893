"""Where slots take their values from: what the domain says, and what goes without saying."""

from zhuli.types.understanding.domain import DomainFields, Entity, EntityKind, FromEntity, FromText, Mapping, Slot
from zhuli.understanding.dialogue.named_slots import kind_of


def mappings_of(domain: DomainFields, slot: Slot) -> list[Mapping]:
    """The slot's own; else the entity of its name; else values of its type, and for a text the whole answer.

    A boolean needs none: yes and no answer it when it was asked for.
    """
    if slot.mappings:
        return slot.mappings
    own = FromEntity(type="entity", entity=slot.name)
    if any(entity.name == slot.name for entity in domain.entities) or _kind_of(slot) not in (None, "name"):
        return [own]
    if _kind_of(slot) == "name":
        return [own, FromText(type="text")]
    return [] if slot.type == "boolean" else [FromText(type="text")]


def implied_entities(domain: DomainFields) -> list[Entity]:
    """Entities that no one has written down: values of the slots that have neither mappings nor an entity of their name."""
    named = {entity.name for entity in domain.entities}
    lonely = (slot for slot in domain.slots if not slot.mappings and slot.name not in named)
    return [entity for slot in lonely if (entity := typed_entity(slot))]


def typed_entity(slot: Slot) -> Entity | None:
    """What finds values of the slot's type in a text, named as the slot; None for booleans, open lists, plain texts."""
    kind = _kind_of(slot)
    return Entity(name=slot.name, kind=kind, values=slot.values if kind == "lookup" else []) if kind else None


def kind_asked(domain: DomainFields, slot: Slot | None) -> EntityKind | None:
    """The kind of value that an answer to the question for the slot has, if it is one of the kinds that need no examples."""
    if slot is None:
        return None
    kinds = {entity.name: entity.kind for entity in (*domain.entities, *implied_entities(domain))}
    waited = (kinds.get(one.entity) for one in mappings_of(domain, slot) if isinstance(one, FromEntity))
    return next((kind for kind in waited if kind not in (None, "learned", "lookup", "regex")), None)


def loose_entities(slot: Slot) -> list[Entity]:
    """What could be a value of the slot by its type, whatever entity it waits for: an hour may be said as a bare number."""
    entity = typed_entity(slot) if slot.type != "text" else None
    numbers = [Entity(name=slot.name, kind="number")] if slot.type == "time" else []
    return [entity, *numbers] if entity else []


def takes_text(domain: DomainFields, slot: Slot) -> bool:
    """Whether the whole answer may be its value."""
    return any(isinstance(mapping, FromText) for mapping in mappings_of(domain, slot))


def _kind_of(slot: Slot) -> EntityKind | None:
    """The kind of entity that has values of the slot's type."""
    match slot.type:
        case "number" | "date" | "time":
            return slot.type
        case "category" | "list":
            return "lookup" if slot.values else None
        case "text":
            return "name" if kind_of(slot) else None
    return None
