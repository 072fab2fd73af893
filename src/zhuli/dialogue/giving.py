"""What a client says of a thread's state, as changes of it: slots that it knows, slots to forget, a thread given back."""

from zhuli.core.errors import InvalidRequest
from zhuli.types.domain import DomainFields
from zhuli.types.understanding import DialogueState, HandedOver, SlotCleared, SlotSet, StateChange, StateGive


def changes_by(body: StateGive, domain: DomainFields, state: DialogueState) -> list[StateChange]:
    """The changes, in the order of the slots; InvalidRequest for a slot that the domain does not have."""
    _check_names(domain, [*body.slots, *body.clear])
    emptied = [*(name for name, value in body.slots.items() if value is None), *body.clear]
    changes: list[StateChange] = [
        SlotSet(slot=name, value=value, how="given") for name, value in body.slots.items() if value is not None
    ]
    changes += [
        SlotCleared(slot=name, why="given")
        for name in dict.fromkeys(emptied)
        if name in state.slots and state.slots[name].value is not None
    ]
    if body.release and state.handed_over:
        changes.append(HandedOver(released=True))
    return changes


def _check_names(domain: DomainFields, names: list[str]) -> None:
    known = [slot.name for slot in domain.slots]
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None:
        raise InvalidRequest(
            f"The domain has no slot '{unknown}'. Its slots: {', '.join(known) or 'none'}.",
            param="slots",
            code="invalid_value",
        )
