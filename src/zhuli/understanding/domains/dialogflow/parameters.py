"""Parameters of Dialogflow's intents as slots: shared by intents where name and type are the same; required ones make a form."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from zhuli.types.understanding.domain import Language
from zhuli.understanding.domains.dialogflow.agent_files import Part
from zhuli.understanding.domains.dialogflow.entities import DATE_TIME, FREE, SYSTEM, entity_of
from zhuli.understanding.domains.imports.draft import Draft, Said, wording
from zhuli.understanding.domains.imports.json_files import dicts, fields, text
from zhuli.understanding.domains.imports.notes import Names, clean, markable

Data = dict[str, Any]

_OF_CONTEXT = re.compile(r"#[\w.-]+?\.([\w-]+)(?:\.original)?$")
_OF_MESSAGE = re.compile(r"\$[\w-]+(?:\.(?:original|recent|partial))?$")
_NAMED = re.compile(r"\$([\w-]*\w)(?:\.(?:original|recent|partial))?|#[\w-]+\.([\w-]*\w)(?:\.original)?")

_TYPES = {"number": "number", "date": "date", "time": "time", "money": "number"}
"""Of slots, by their entity's kind."""


@dataclass(slots=True)
class Parameters:
    """An intent's. slots: the slots of each parameter. roles: parameters that share their entity with another of the intent."""

    slots: dict[str, list[str]] = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    optional: list[str] = field(default_factory=list)
    prompts: dict[str, Said] = field(default_factory=dict)
    roles: set[str] = field(default_factory=set)

    def arguments(self) -> dict[str, str]:
        """For a call: each parameter with its slot's value."""
        of = {name: slots[0] for name, slots in self.slots.items()}
        more = {slot: slot for slots in self.slots.values() for slot in slots[1:]}
        return {name: f"{{{slot}}}" for name, slot in (of | more).items()}


class Slots:
    """Makes the draft's slots of parameters."""

    def __init__(self, draft: Draft, spoken: dict[str, Language]) -> None:
        self._draft = draft
        self._spoken = spoken
        self._names = Names()

    def parameters(self, part: Part, intent: str) -> Parameters:
        """Those of the intent, whose slots are in the draft then."""
        given = [one for response in dicts(part.fields.get("responses")) for one in dicts(response.get("parameters"))]
        found = Parameters(roles=_roles(given))
        for one in given:
            name = text(one.get("name"))
            if name is not None:
                self._parameter(found, part, intent, name, one)
        return found

    def filled(self, words: str, own: Parameters) -> str:
        """The text with our placeholders in place of `$name` and `#context.name`; others are left as they are."""

        def slot(match: re.Match[str]) -> str:
            name = match[1] or match[2]
            if match[1] is not None and name in own.slots:
                return " ".join(f"{{{one}}}" for one in own.slots[name])
            known = clean(name) if clean(name) in self._draft.slots else None
            return f"{{{known}}}" if known else match[0]

        return _NAMED.sub(slot, words)

    def keep_those_of_contexts(self, parts: Sequence[Part]) -> None:
        """Slots that later intents ask contexts for stay when their form is done."""
        for part in parts:
            for name in re.findall(r"#[\w-]+\.([\w-]*\w)", str(part.fields.get("responses"))):
                if clean(name) in self._draft.slots:
                    self._draft.slots[clean(name)]["keep"] = True

    def _parameter(self, found: Parameters, part: Part, intent: str, name: str, one: Data) -> None:
        value, entity = text(one.get("value")), entity_of(text(one.get("dataType")) or "")
        notes, slots = self._draft.notes, self._draft.slots
        of_context = _OF_CONTEXT.match(value) if value else None
        if of_context and clean(of_context[1]) in slots:
            found.slots[name] = [clean(of_context[1])]
            return
        slot = self._slot(name, entity, intent, is_list=one.get("isList") is True, role=name in found.roles)
        found.slots[name] = [slot]
        if of_context:
            notes.add(
                "context_value", part.file, None, f"'{name}' is taken from a context; here the app fills '{slot}'."
            )
        elif value and not _OF_MESSAGE.match(value):
            self._constant(slot, intent, value)
        if "defaultValue" in one and one["defaultValue"] not in ("", None):
            notes.add("default_value", part.file, None, f"The default value of '{name}' is left to the function.")
        if entity == DATE_TIME:
            found.slots[name].append(self._time_beside(slot, intent))
            notes.add(
                "date_and_time", part.file, None, f"'{name}' is a date and a time; here two slots, both asked for."
            )
        self._wanted(found, part, name, one)

    def _wanted(self, found: Parameters, part: Part, name: str, one: Data) -> None:
        slots = found.slots[name]
        if one.get("required") is not True:
            found.optional += slots
            return
        found.required += [slot for slot in slots if slot not in found.required]
        prompts = [*dicts(one.get("prompts")), *dicts(one.get("promptMessages"))]
        said: Said = {}
        for prompt in prompts:
            language = self._spoken.get((text(prompt.get("lang")) or "").lower())
            words = text(prompt.get("value")) or text(prompt.get("speech"))
            if language and words:
                said.setdefault(language, words)
        if len(prompts) > len(said) > 0:
            text_ = f"Of the prompts for '{name}' the first is taken."
            self._draft.notes.add("variations", part.file, None, text_)
        for slot in slots if said else ():
            found.prompts[slot] = said
            self._draft.slots[slot].setdefault("prompt", wording(said))

    def _slot(self, name: str, entity: str, intent: str, *, is_list: bool, role: bool) -> str:
        kind = SYSTEM.get(entity)
        kind_of_slot = "list" if is_list else _TYPES.get(kind or "", "text")
        slots, own = self._draft.slots, clean(name)
        if own in slots and not _same(slots[own], entity, kind_of_slot):
            own = self._names(f"{own}_{intent}")
        slot = slots.setdefault(own, {"name": own, "type": kind_of_slot, "mappings": [], "keep": False})
        mapping: Data = {"type": "entity", "entity": entity} | ({"role": markable(name)} if role else {})
        _map(slot, mapping)
        if entity in FREE or (kind is None and entity.startswith("sys.")):
            _map(slot, {"type": "text"})
        return own

    def _time_beside(self, slot: str, intent: str) -> str:
        name = f"{slot}_time"
        beside = self._draft.slots.setdefault(name, {"name": name, "type": "time", "mappings": [], "keep": False})
        _map(beside, {"type": "entity", "entity": f"{DATE_TIME}_time"})
        return name

    def _constant(self, slot: str, intent: str, value: str) -> None:
        """A value that goes without saying once the intent is understood."""
        if self._draft.slots[slot]["type"] == "text":
            _map(self._draft.slots[slot], {"type": "intent", "intents": [intent], "value": value})


def _roles(given: Sequence[Data]) -> set[str]:
    """Parameters of which several have the same type."""
    types = [(str(one.get("name")), one.get("dataType")) for one in given]
    return {name for name, kind in types if sum(other == kind for _, other in types) > 1}


def _same(slot: Data, entity: str, kind: str) -> bool:
    entities = {fields(one).get("entity") for one in slot["mappings"]} - {None}
    return slot["type"] == kind and entities <= {entity}


def _map(slot: Data, mapping: Data) -> None:
    """Add a mapping once; what takes the whole text comes last."""
    if mapping in slot["mappings"]:
        return
    last = len(slot["mappings"]) - any(one["type"] == "text" for one in slot["mappings"])
    slot["mappings"].insert(last, mapping)
