"""Dialogflow's entities: lists with synonyms, regular expressions, and the system's kinds."""

from collections.abc import Collection, Mapping
from typing import Any

from zhuli.understanding.domains.dialogflow.agent_files import Agent, Part
from zhuli.understanding.domains.imports.json_files import text, texts
from zhuli.understanding.domains.imports.notes import Notes, markable
from zhuli.understanding.domains.imports.value_lists import pattern_entity, value_list

Data = dict[str, Any]

SYSTEM = {
    "sys.number": "number",
    "sys.number-integer": "number",
    "sys.number-sequence": "number",
    "sys.cardinal": "number",
    "sys.ordinal": "number",
    "sys.percentage": "number",
    "sys.age": "number",
    "sys.date": "date",
    "sys.date-period": "date",
    "sys.date-time": "date",
    "sys.time": "time",
    "sys.time-period": "time",
    "sys.unit-currency": "money",
    "sys.phone-number": "phone",
    "sys.email": "email",
}
"""Kinds that need no examples; sys.date-time has a time beside it."""

FREE = ("sys.any",)
"""Whatever is said."""

DATE_TIME = "sys.date-time"

_PARTLY = {
    "sys.date-period": "the first day",
    "sys.time-period": "the first time",
    "sys.percentage": "the number",
    "sys.age": "the number",
    "sys.number-sequence": "the number",
}


def entity_of(data_type: str) -> str:
    """The name that the entity of a parameter's data type has here."""
    return markable(data_type.removeprefix("@").partition(":")[0])


def entities_of(agent: Agent, used: Collection[str], marked: Mapping[str, list[str]], notes: Notes) -> list[Data]:
    """Those of the agent, and of the system's those that are used. marked: the words of phrases, by entity."""
    made: dict[str, Data] = {}
    for part in agent.entities.values():
        name = entity_of(part.name)
        if name in SYSTEM:
            notes.add("system_entity", part.file, None, f"What the agent adds to @{part.name} is left out.")
        else:
            made[name] = _own(agent, part, name, marked.get(name, []), notes)
    for name in used:
        if name not in made:
            made[name] = _system(name, notes) if name.startswith("sys.") else {"name": name}
    if DATE_TIME in made:
        made[f"{DATE_TIME}_time"] = {"name": f"{DATE_TIME}_time", "kind": "time"}
    return list(made.values())


def _own(agent: Agent, part: Part, name: str, words: list[str], notes: Notes) -> Data:
    entries = [entry for _, entry in agent.taken(part)]
    given = [(text(entry.get("value")) or "", texts(entry.get("synonyms"))) for entry in entries]
    if part.fields.get("isRegexp") is True:
        return pattern_entity(name, (pattern for value, more in given for pattern in (value, *more) if pattern), notes)
    composite = [value for value, _ in given if "@" in value]
    if composite:
        text_ = f"'{name}' is composed of other entities, which are taken, but not what they are together."
        notes.add("composite_entity", part.file, None, text_)
    listed = [(value, more) for value, more in given if "@" not in value]
    if part.fields.get("automatedExpansion") is True and listed:
        known = {word.lower() for value, more in listed for word in (value, *more)}
        listed += [(word, []) for word in dict.fromkeys(words) if word.lower() not in known]
        notes.add(
            "expansion", part.file, None, f"'{name}' finds words like those of its list no more; add what is missed."
        )
    return value_list(name, listed)


def _system(name: str, notes: Notes) -> Data:
    kind = SYSTEM.get(name)
    if kind is None:
        if name not in FREE:
            text_ = f"@{name} is no kind that is found without examples here: it is learned from what the phrases mark."
            notes.add("kind_not_taken", name, None, text_)
        return {"name": name}
    if name in _PARTLY:
        notes.add("kind_partly_taken", name, None, f"Of @{name} {_PARTLY[name]} is taken, as a {kind}.")
    return {"name": name, "kind": kind}
