"""CrossWOZ: the published validation part for training, for the training part is not in the data, and the published test part.

An intent is the first domain that the message's annotation names, or "其他" (thanks, greetings). The state is sys_state_init of
the system's turn that follows, over all five domains, as in the paper; it is what the wizard of the system had typed, who
sometimes forgets or relaxes a wish. Not modelled: the slots 周边… (places near others), which references between domains fill.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.learning.tuning.talk_sets import crosswoz_messages
from benchmarks.understanding.dialogue_parts import Dialogue, DialogueSet, Turn, normal
from benchmarks.understanding.edits import Span
from benchmarks.understanding.intent_sets import Message
from zhuli.types.understanding.domain import DomainFields, Entity, EntityValue, Form, FromEntity, Slot, Talk

NOW = datetime(2019, 11, 1, 9, tzinfo=UTC)

OTHER = "其他"

SLOTS = {
    "景点": {"名称": "名称", "门票": "价格", "游玩时间": "游玩时间", "评分": "评分"},
    "餐馆": {"名称": "名称", "推荐菜": "推荐菜", "人均消费": "价格", "评分": "评分"},
    "酒店": {"名称": "名称", "酒店类型": "酒店类型", "酒店设施": "酒店设施", "价格": "价格", "评分": "评分"},
    "地铁": {"出发地": "出发地", "目的地": "目的地"},
    "出租": {"出发地": "出发地", "目的地": "目的地"},
}
"""By domain, its slots and the entity that each takes its value from."""

LISTED = ("价格", "游玩时间", "评分", "酒店类型", "酒店设施")
"""Entities whose values are listed: those of the training part. The others are learned from their marks."""

SEVERAL = ("推荐菜", "酒店设施")
"""Slots that hold lists."""

FACILITY = "酒店设施-"


def read(data: Path) -> DialogueSet:
    train, test = (crosswoz_messages(data, name) for name in ("val", "test"))
    complete = partial(_completed, values=_listed(train))
    return DialogueSet("zh", NOW, [*map(_dialogue, train)], [*map(_dialogue, test)], complete, all_services=True)


def _listed(dialogues: Iterable[Sequence[Any]]) -> dict[str, list[str]]:
    """By entity, the values that users name, whatever examples are drawn: a domain's author has such lists."""
    found: dict[str, dict[str, None]] = {}
    for message in (message for messages in dialogues for message in messages if message["role"] == "usr"):
        for domain, slot, value in _informs(message["dialog_act"]):
            found.setdefault(SLOTS[domain][slot], {})[value] = None
    return {entity: list(values) for entity, values in found.items()}


def _dialogue(messages: Sequence[Any]) -> Dialogue:
    turns, before = list[Turn](), OTHER
    for message, answer in pairwise(messages):
        if message["role"] != "usr" or answer["role"] != "sys":
            continue
        about = next((act[1] for act in message["dialog_act"] if act[1] in SLOTS), OTHER)
        before = about if about != OTHER else before
        informs = list(_informs(message["dialog_act"]))
        turns.append(
            Turn(
                Message(message["content"], about, list(_spans(message["content"], informs))),
                _together(informs),
                _goal(answer["sys_state_init"]),
                before,
            )
        )
    return turns


def _informs(acts: Iterable[Sequence[str]]) -> Iterable[tuple[str, str, str]]:
    """(domain, slot, value)"""
    for kind, domain, slot, value in acts:
        if kind != "Inform":
            continue
        if slot.startswith(FACILITY):
            yield domain, "酒店设施", slot.removeprefix(FACILITY)
        elif slot in SLOTS.get(domain, {}):
            yield domain, slot, value


def _spans(text: str, informs: Iterable[tuple[str, str, str]]) -> Iterable[Span]:
    """Of learned entities, where their value stands in the message as it is."""
    taken: set[int] = set()
    for domain, slot, value in informs:
        entity, start = SLOTS[domain][slot], text.find(value)
        place = set(range(start, start + len(value)))
        if entity not in LISTED and start >= 0 and not place & taken:
            taken |= place
            yield Span(start, start + len(value), entity)


def _together(informs: Iterable[tuple[str, str, str]]) -> dict[str, frozenset[str]]:
    said: dict[str, list[str]] = {}
    for domain, slot, value in informs:
        said.setdefault(f"{domain}.{slot}", []).append(value)
    return {
        name: frozenset({normal(values if name.split(".")[1] in SEVERAL else values[-1])})
        for name, values in said.items()
    }


def _goal(state: Mapping[str, Mapping[str, Any]]) -> dict[str, frozenset[str]]:
    return {
        f"{domain}.{slot}": frozenset({normal(value.split() if slot in SEVERAL else value)})
        for domain, slots in state.items()
        for slot, value in slots.items()
        if slot != "selectedResults" and value
    }


def _completed(domain: DomainFields, *, values: Mapping[str, Sequence[str]]) -> DomainFields:
    names = dict.fromkeys(entity for slots in SLOTS.values() for entity in slots.values())
    entities = [
        Entity(name=name, kind="lookup", values=[EntityValue(value=value) for value in values[name]])
        if name in LISTED
        else Entity(name=name)
        for name in names
    ]
    more = {"entities": entities, "slots": _slots(), "forms": _forms(), "intents": _intents(domain)}
    return domain.model_copy(update=more)


def _slots() -> list[Slot]:
    return [
        Slot(
            name=f"{domain}.{slot}",
            type="list" if slot in SEVERAL else "text",
            mappings=[FromEntity(type="entity", entity=entity)],
        )
        for domain, slots in SLOTS.items()
        for slot, entity in slots.items()
    ]


def _forms() -> list[Form]:
    return [
        Form(name=domain, slots=[f"{domain}.{slot}" for slot in slots], action=Talk(type="talk"))
        for domain, slots in SLOTS.items()
    ]


def _intents(domain: DomainFields) -> list[Any]:
    return [
        intent.model_copy(update={"form": intent.name if intent.name in SLOTS else None}) for intent in domain.intents
    ]
