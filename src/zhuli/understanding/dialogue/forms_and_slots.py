"""What a domain has by its name: forms, intents and slots, and which slots belong to which form, or to none."""

from zhuli.types.understanding.domain import DomainFields, Form, Intent, Slot
from zhuli.types.understanding.understanding import DialogueState


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


def open_slots(domain: DomainFields, state: DialogueState) -> list[Slot]:
    """Of the open form."""
    return slots_of(domain, form_named(domain, state.form))


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
