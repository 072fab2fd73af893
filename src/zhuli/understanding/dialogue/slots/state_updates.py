"""What a client says of a thread's state, as changes of it: slots that it knows, slots to forget, a thread given back."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from zhuli.core.errors import InvalidRequest
from zhuli.types.understanding.domain import DomainFields, Slot
from zhuli.types.understanding.understanding import (
    DialogueState,
    HandedOver,
    SlotCleared,
    SlotSet,
    StateChange,
    StateGive,
)
from zhuli.understanding.dialogue.responses.responses import held
from zhuli.understanding.dialogue.slots.slot_values import fit


def changes_by(body: StateGive, domain: DomainFields, state: DialogueState, *, now: float) -> list[StateChange]:
    """The changes, in the order of the slots; InvalidRequest for a slot that there is not, or a value that does not fit.

    now: seconds of the epoch, for values like "tomorrow".
    """
    here = datetime.fromtimestamp(now, ZoneInfo(domain.timezone))
    slots = {slot.name: slot for slot in domain.slots}
    _check_names(slots, body.slots, param="slots")
    _check_names(slots, body.clear, param="clear")
    emptied = [*(name for name, value in body.slots.items() if value is None), *body.clear]
    changes: list[StateChange] = [
        SlotSet(slot=name, value=_fitting(slots[name], value, here), how="given")
        for name, value in body.slots.items()
        if value is not None
    ]
    changes += [SlotCleared(slot=name, why="given") for name in dict.fromkeys(emptied) if held(state, name) is not None]
    if body.release and state.handed_over:
        changes.append(HandedOver(released=True))
    elif body.take and state.handed_over:
        changes.append(HandedOver(taken=True))
    return changes


def _check_names(known: Collection[str], names: Iterable[str], *, param: str) -> None:
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None:
        text = f"The domain has no slot '{unknown}'. Its slots: {', '.join(known) or 'none'}."
        raise InvalidRequest(text, param=param, code="invalid_value")


def _fitting(slot: Slot, value: Any, now: datetime) -> Any:
    """The value as the slot holds it."""
    items = value if slot.type == "list" and isinstance(value, list) else [value]
    fitting = [fit(slot, item, item if isinstance(item, str) else "", language=None, now=now) for item in items]
    if any(item is None for item in fitting):
        allowed = f", one of: {', '.join(one.value for one in slot.values)}" if slot.values else ""
        text = f"The value does not fit the slot '{slot.name}'. Expected a {slot.type}{allowed}; its validation may allow less."
        raise InvalidRequest(text, param=f"slots.{slot.name}", code="invalid_value")
    return fitting if slot.type == "list" else fitting[0]
