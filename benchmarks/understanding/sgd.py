"""Schema-Guided Dialogue: the published training files that the data has, 359 dialogues about six services, 70 in 100 of them
(drawn with seed 0) for training. The published test part has none of these services, and a domain is not for unseen ones.

An intent is a service's ("Restaurants_1.FindRestaurants"), or what the user does in an open one: affirm, negate, select,
request, request_alts, thank_you, goodbye; of several the first of ACTS. A message that only gives values has the intent that is
active. Values may be written as the annotation writes them or in its canonical form. Not modelled: values "dontcare", and "no"
for something that was not asked for.
"""

import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.learning.tuning.talk_sets import sgd_dialogues
from benchmarks.understanding.dialogue_parts import Dialogue, DialogueSet, Turn, Values, normal
from benchmarks.understanding.edits import Span
from benchmarks.understanding.intent_sets import Message
from zhuli.types.understanding.domain import (
    Act,
    DomainFields,
    Entity,
    EntityKind,
    EntityValue,
    Form,
    FromEntity,
    FromIntent,
    Intent,
    Slot,
    Talk,
)
from zhuli.types.understanding.domain import (
    Mapping as SlotMapping,
)
from zhuli.types.understanding.understanding import Asked

NOW = datetime(2019, 3, 1, 9, tzinfo=UTC)
"""What "today" means in the annotation."""

TRAINING = 0.7

ACTS = {
    "AFFIRM_INTENT": "affirm",
    "NEGATE_INTENT": "negate",
    "SELECT": "select",
    "AFFIRM": "affirm",
    "NEGATE": "negate",
    "REQUEST_ALTS": "request_alts",
    "REQUEST": "request",
    "THANK_YOU": "thank_you",
    "GOODBYE": "goodbye",
}

MEANT: dict[str, Act] = {"affirm": "affirm", "select": "affirm", "negate": "deny"}

WORDS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "serves_alcohol": {"True": ("serves alcohol", "serve alcohol", "sells alcohol", "alcohol", "liquor", "drinks")},
    "has_live_music": {"True": ("live music", "live band", "music playing live")},
    "subtitles": {"True": ("subtitles", "captions", "subtitled", "with subtitles on")},
    "pets_welcome": {"True": ("pets", "pet friendly", "pet-friendly", "dog", "cat")},
    "has_wifi": {"True": ("wifi", "wi-fi", "internet")},
    "smoking_allowed": {"True": ("smoking", "smoke")},
    "price_range": {
        "inexpensive": ("cheap", "inexpensive", "low priced"),
        "moderate": (
            "moderate",
            "moderately priced",
            "mid-range",
            "affordable",
            "not too expensive",
            "reasonably priced",
        ),
        "expensive": ("expensive", "pricey", "costly", "upscale"),
        "very expensive": ("very expensive", "really expensive", "luxury", "high-end"),
    },
    "show_type": {"3d": ("3d", "three d"), "imax": ("imax",), "regular": ("regular", "standard")},
}
"""What a domain's author would list; written before looking at errors, and not changed after."""

COUNTED = {"party_size": "people"}
"""Entities of numbers that are called by what they count."""


def read(data: Path) -> DialogueSet:
    schemas = json.loads((data / "sgd_dialogues/train_schema.json").read_bytes())
    services = {one["service_name"]: one for one in schemas}
    found = sgd_dialogues(data, "train")
    random.Random(0).shuffle(found)
    used = sorted({name for one in found for name in one["services"]})
    schema = Schema({name: services[name] for name in used})
    dialogues = [dialogue_of(one, schema) for one in found]
    cut = round(TRAINING * len(dialogues))
    return DialogueSet("en", NOW, dialogues[:cut], dialogues[cut:], schema.complete, all_services=False)


def dialogue_of(dialogue: Any, schema: "Schema") -> Dialogue:
    turns: list[Turn] = []
    goal: dict[str, frozenset[str]] = {}
    said: list[Any] = []
    offered: dict[str, str] = {}
    canonical: dict[str, set[str]] = {}
    for turn in dialogue["turns"]:
        for action in _actions(turn["frames"]):
            for value, meant in zip(action["values"], action["canonical_values"], strict=False):
                canonical.setdefault(value, set()).add(meant)
        if turn["speaker"] == "SYSTEM":
            said = turn["frames"]
            offered = _stated(said, "OFFER") or offered
            continue
        for frame in turn["frames"]:
            mine = {name: values for name, values in goal.items() if not name.startswith(f"{frame['service']}.")}
            goal = {**mine, **_goal(frame, canonical)}
        known = {name: value for name, value in offered.items() if schema.remembers(name)}
        turns.append(_turn(turn, said, goal, canonical, known, schema))
    return turns


def _turn(
    turn: Any,
    said: list[Any],
    goal: Values,
    canonical: Mapping[str, set[str]],
    offered: Mapping[str, str],
    schema: "Schema",
) -> Turn:
    frame = next((one for one in reversed(turn["frames"]) if one["actions"]), turn["frames"][-1])
    service, active = frame["service"], frame["state"]["active_intent"]
    told = {
        f"{one['service']}.{action['slot']}": _written(action["values"], canonical)
        for one in turn["frames"]
        for action in one["actions"]
        if action["act"] == "INFORM"
    }
    return Turn(
        Message(turn["utterance"], _label(frame), schema.spans(frame)),
        told,
        goal,
        service,
        active=None if active == "NONE" else f"{service}.{active}",
        asked=_asked(said, service),
        confirmed=_stated(said, "CONFIRM"),
        offered=offered,
    )


def _stated(said: Iterable[Any], act: str) -> dict[str, str]:
    """Values by slot in the system's actions of this kind."""
    return {
        f"{frame['service']}.{one['slot']}": one["canonical_values"][0]
        for frame in said
        for one in frame["actions"]
        if one["act"] == act and one["canonical_values"] and one["slot"]
    }


def _label(frame: Any) -> str:
    acts = {action["act"]: action for action in frame["actions"]}
    if "INFORM_INTENT" in acts:
        return f"{frame['service']}.{acts['INFORM_INTENT']['values'][0]}"
    active = frame["state"]["active_intent"]
    return next((name for act, name in ACTS.items() if act in acts), f"{frame['service']}.{active}")


def _asked(said: list[Any], service: str) -> Asked | None:
    """What the system asked for, if anything."""
    acts = {action["act"]: action for action in reversed(_actions(said))}
    if "OFFER_INTENT" in acts:
        return Asked(intents=[f"{service}.{acts['OFFER_INTENT']['values'][0]}"])
    if "CONFIRM" in acts:
        return Asked()
    return Asked(slot=f"{service}.{acts['REQUEST']['slot']}") if "REQUEST" in acts else None


def _goal(frame: Any, canonical: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    return {
        f"{frame['service']}.{slot}": _written(values, canonical)
        for slot, values in frame["state"]["slot_values"].items()
    }


def _written(values: Iterable[str], canonical: Mapping[str, set[str]]) -> frozenset[str]:
    return frozenset(normal(form) for value in values for form in (value, *canonical.get(value, ())))


def _actions(frames: Iterable[Any]) -> list[Any]:
    return [action for frame in frames for action in frame["actions"]]


class Schema:
    """services: as the schema file has them. Slots are named with their service, entities without."""

    def __init__(self, services: Mapping[str, Any]) -> None:
        self._services = services
        self._slots = {(name, slot["name"]): slot for name, one in services.items() for slot in one["slots"]}
        self._wanted = {
            f"{name}.{slot}"
            for name, one in services.items()
            for intent in one["intents"]
            for slot in (*intent["required_slots"], *intent["optional_slots"])
        }

    def remembers(self, name: str) -> bool:
        """Whether an intent wants the slot."""
        return name in self._wanted

    def spans(self, frame: Any) -> list[Span]:
        """Those of learned entities; and of dates where a service has several, which are told apart by their role."""
        service = frame["service"]
        kept = (one for one in frame["slots"] if self._kind(service, one["slot"]) == "learned")
        return [Span(one["start"], one["exclusive_end"], one["slot"]) for one in kept]

    def complete(self, domain: DomainFields) -> DomainFields:
        known = {slot for slot in self._slots if self.remembers(".".join(slot))}
        entities: dict[str, Entity] = {}
        for service, slot in sorted(known):
            entity = self._entity(service, slot)
            entities.setdefault(entity.name, entity)
        forms = [form for service in self._services for form in self._forms(service)]
        intents = [_intent(intent, {form.name for form in forms}) for intent in domain.intents]
        slots = [self._slot(service, slot) for service, slot in sorted(known)]
        return domain.model_copy(
            update={"intents": intents, "entities": list(entities.values()), "slots": slots, "forms": forms}
        )

    def _forms(self, service: str) -> Iterator[Form]:
        for intent in self._services[service]["intents"]:
            wanted = [f"{service}.{slot}" for slot in intent["required_slots"]]
            optional = [f"{service}.{slot}" for slot in intent["optional_slots"]]
            yield Form(name=f"{service}.{intent['name']}", slots=wanted, optional=optional, action=Talk(type="talk"))

    def _kind(self, service: str, slot: str) -> EntityKind:
        if "date" in slot:
            return "date"
        if "time" in slot:
            return "time"
        if self._slots[service, slot]["is_categorical"]:
            return "lookup" if slot in WORDS else "number"
        return "learned"

    def _entity(self, service: str, slot: str) -> Entity:
        kind = self._kind(service, slot)
        if kind in ("date", "time"):
            return Entity(name=kind, kind=kind)
        values = [EntityValue(value=value, synonyms=list(said)) for value, said in WORDS.get(slot, {}).items()]
        return Entity(name=COUNTED.get(slot, slot), kind=kind, values=values if kind == "lookup" else [])

    def _slot(self, service: str, slot: str) -> Slot:
        entity = self._entity(service, slot)
        mappings: list[SlotMapping] = [FromEntity(type="entity", entity=entity.name)]
        if set(self._slots[service, slot]["possible_values"]) == {"True", "False"}:
            mappings += [
                FromIntent(type="intent", intents=[intent], value=value, asked=True)
                for intent, value in (("affirm", "True"), ("negate", "False"))
            ]
        name = f"{service}.{slot}"
        if entity.kind in ("date", "time", "number"):
            return Slot(name=name, type=entity.kind, mappings=mappings)
        return Slot(name=name, mappings=mappings)


def _intent(intent: Intent, forms: set[str]) -> Intent:
    form = intent.name if intent.name in forms else None
    return intent.model_copy(update={"form": form, "act": MEANT.get(intent.name)})
