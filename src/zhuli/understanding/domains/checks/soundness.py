"""Whether the parts of a domain can do what they are for: lists, patterns, bounds, first values, wordings, time zone."""

import re
from collections.abc import Callable, Collection, Iterator
from datetime import date, time
from typing import Any
from zoneinfo import ZoneInfo

from zhuli import registry
from zhuli.types.understanding.domain import DomainFields, Entity, Finding, FromIntent, Slot, Validation, Wording
from zhuli.understanding.domains.checks.findings import error, warning
from zhuli.understanding.domains.checks.patterns import problem
from zhuli.understanding.language.plain_text import plain

_ONE_OF = ("call", "search", "hand_over", "talk", "clarify")
"""Steps of a rule that are more than a text."""

MOST_EXAMPLES = 20_000
"""Of all intents: learning from as many takes minutes."""

MOST_PATTERNS = 500
"""Regular expressions of a domain: each is searched in every message."""


def check_parts(domain: DomainFields, plugins: Collection[str] | None) -> Iterator[Finding]:
    """Errors for what can't work, warnings for what is probably not meant. plugins: as in checking.check."""
    yield from _zone(domain.timezone)
    yield from _understander(domain.understander.type, plugins)
    yield from _numbers(domain)
    for index, entity in enumerate(domain.entities):
        yield from _entity(entity, f"entities[{index}]")
    for index, slot in enumerate(domain.slots):
        yield from _slot(slot, f"slots[{index}]")
        yield from _categories(domain, slot, f"slots[{index}]")
    yield from _intents(domain)
    yield from _forms(domain)
    yield from _rules(domain)
    yield from _languages(domain)


def _zone(name: str) -> Iterator[Finding]:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        text = f"There is no time zone '{name[:100]}'. Name one as in the IANA database, such as Europe/Berlin or UTC."
        yield error("unknown_timezone", "timezone", text)


def _understander(name: str, plugins: Collection[str] | None) -> Iterator[Finding]:
    """Installed packages are only looked through where the name is not one of our own: that takes a tenth of a second."""
    if name in registry.built_in("understanders") or name in (plugins or ()) or (plugins is None and ":" in name):
        return
    known = [*registry.names("understanders"), *(plugins or ())]
    if name in known:
        return
    text = f"There is no understander '{name}'. Name one of: {', '.join(known)}."
    yield error("unknown_understander", "understander.type", text)


def _entity(entity: Entity, where: str) -> Iterator[Finding]:
    for field, kind, code in (("values", "lookup", "no_values"), ("patterns", "regex", "no_patterns")):
        given = bool(getattr(entity, field))
        if entity.kind == kind and not given:
            yield error(
                code, f"{where}.{field}", f"The entity '{entity.name}' is of kind {kind}, so it needs `{field}`."
            )
        if entity.kind != kind and given:
            text = (
                f"`{field}` are not used by an entity of kind {entity.kind}. Make it `kind: {kind}`, or leave them out."
            )
            yield warning("ignored_field", f"{where}.{field}", text)
    for number, pattern in enumerate(entity.patterns):
        yield from _pattern(pattern, f"{where}.patterns[{number}]")
    yield from _listed_twice(entity, where)


def _numbers(domain: DomainFields) -> Iterator[Finding]:
    examples = len(domain.out_of_scope) + sum(len(intent.examples) for intent in domain.intents)
    if examples > MOST_EXAMPLES:
        text = f"The domain has {examples} examples; at most {MOST_EXAMPLES} are taken. A few dozen an intent teach the most."
        yield error("too_many_examples", "intents", text)
    count = sum(len(entity.patterns) for entity in domain.entities)
    count += sum(slot.validation is not None and slot.validation.pattern is not None for slot in domain.slots)
    if count > MOST_PATTERNS:
        text = (
            f"The domain has {count} regular expressions; at most {MOST_PATTERNS} are taken. List values as a lookup."
        )
        yield error("too_many_patterns", "entities", text)


def _pattern(pattern: str, where: str) -> Iterator[Finding]:
    if (found := problem(pattern)) is not None:
        level, code, text = found
        yield Finding(level=level, code=code, where=where, message=text)


def _listed_twice(entity: Entity, where: str) -> Iterator[Finding]:
    stands_for: dict[str, str] = {}
    for number, value in enumerate(entity.values):
        for word in (value.value, *value.synonyms):
            earlier = stands_for.setdefault(plain(word), value.value)
            if earlier != value.value:
                text = f"'{word}' stands for '{earlier}' and for '{value.value}'. Leave it to one of them."
                yield warning("ambiguous_value", f"{where}.values[{number}]", text)


def _slot(slot: Slot, where: str) -> Iterator[Finding]:
    if slot.type == "category" and not slot.values:
        text = f"The slot '{slot.name}' is a category, so it needs `values`: what it may be."
        yield error("no_values", f"{where}.values", text)
    if slot.initial is not None:
        yield from _of_type(slot, slot.initial, f"{where}.initial")
    for number, mapping in enumerate(slot.mappings):
        if isinstance(mapping, FromIntent) and mapping.value is not None:
            yield from _of_type(slot, mapping.value, f"{where}.mappings[{number}].value")
    if slot.validation is not None:
        yield from _validation(slot, slot.validation, f"{where}.validation")


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_time(value: Any) -> bool:
    try:
        return isinstance(value, str) and time.fromisoformat(value).isoformat("minutes") == value
    except ValueError:
        return False


_SHAPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "text": ("a string", lambda value: isinstance(value, str)),
    "number": ("a number", lambda value: isinstance(value, int | float) and not isinstance(value, bool)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "date": ("a date such as 2026-11-23", _is_date),
    "time": ("a time such as 18:30", _is_time),
    "list": ("a list", lambda value: isinstance(value, list)),
}


def _of_type(slot: Slot, value: Any, where: str) -> Iterator[Finding]:
    if slot.type == "category":
        names = [known.value for known in slot.values]
        fits, expected = value in names, f"one of its values: {', '.join(names[:20])}"
    else:
        expected, is_it = _SHAPES[slot.type]
        fits = is_it(value)
    if not fits:
        text = f"{value!r} can't be the value of the slot '{slot.name}', which is {expected}."
        yield error("wrong_type", where, text)


def _validation(slot: Slot, validation: Validation, where: str) -> Iterator[Finding]:
    bounds = {name: getattr(validation, name) for name in ("minimum", "maximum")}
    given = {name: bound for name, bound in bounds.items() if bound is not None}
    if given and slot.type not in ("number", "date", "time"):
        text = f"A {slot.type} has no {' or '.join(given)}. Only numbers, dates and times have."
        yield error("wrong_bound", where, text)
        return
    wrong = [finding for name, bound in given.items() for finding in _of_type(slot, bound, f"{where}.{name}")]
    yield from wrong
    if len(given) == 2 and not wrong and given["minimum"] > given["maximum"]:
        text = f"No value is at least {given['minimum']} and at most {given['maximum']}. Swap them."
        yield error("wrong_bound", where, text)
    if validation.pattern is not None:
        yield from _pattern(validation.pattern, f"{where}.pattern")


def _categories(domain: DomainFields, slot: Slot, where: str) -> Iterator[Finding]:
    """Whether the lists that fill a category yield its values, and nothing else."""
    if slot.type != "category" or not slot.values:
        return
    named = {mapping.entity for mapping in slot.mappings if mapping.type == "entity"}
    named = named if slot.mappings else {slot.name}
    lists = [entity for entity in domain.entities if entity.name in named and entity.kind == "lookup"]
    if not lists:
        return
    accepted = {plain(word) for value in slot.values for word in (value.value, *value.synonyms)}
    yielded = {plain(value.value) for entity in lists for value in entity.values}
    strange = [value.value for entity in lists for value in entity.values if plain(value.value) not in accepted]
    if strange:
        text = (
            f"The slot '{slot.name}' takes values from a list that has '{strange[0]}', which is none of its own "
            f"({len(strange)} of the list are not). Add it to the slot's `values`, or as a synonym of one."
        )
        yield warning("value_not_in_category", where, text)
    only_lists = all(mapping.type == "entity" for mapping in slot.mappings) and len(lists) == len(named)
    for number, value in enumerate(slot.values):
        if only_lists and yielded.isdisjoint(map(plain, (value.value, *value.synonyms))):
            text = f"No list that fills the slot '{slot.name}' yields '{value.value}'. Add it to {lists[0].name}."
            yield warning("unreachable_value", f"{where}.values[{number}]", text)


def _intents(domain: DomainFields) -> Iterator[Finding]:
    for index, intent in enumerate(domain.intents):
        if intent.form is not None and intent.action is not None:
            text = f"The intent '{intent.name}' has a form and an action. Leave one out: the form has an action of its own."
            yield error("form_and_action", f"intents[{index}]", text)


def _forms(domain: DomainFields) -> Iterator[Finding]:
    slots = {slot.name: slot for slot in domain.slots}
    for index, form in enumerate(domain.forms):
        names = [*form.slots, *form.optional]
        for name in dict.fromkeys(name for name in names if names.count(name) > 1):
            yield warning("duplicate_slot", f"forms[{index}]", f"The form '{form.name}' has the slot '{name}' twice.")
        for number, name in enumerate(form.slots):
            if name in slots and slots[name].prompt is None and name not in form.prompts:
                text = f"The form asks for '{name}', which has no `prompt`, so it is asked for by its name."
                yield warning("no_prompt", f"forms[{index}].slots[{number}]", text)


def _rules(domain: DomainFields) -> Iterator[Finding]:
    """Rules that hold for nothing, and steps that are never taken."""
    for index, rule in enumerate(domain.rules):
        where = f"rules[{index}]"
        if not rule.when.intents and rule.when.done is None:
            text = "The rule holds for no message. Give it `intents` or `done` (a form that is complete) under `when`."
            yield error("no_condition", f"{where}.when", text)
        weighty = [step.type for step in rule.do if step.type in _ONE_OF]
        if len(weighty) > 1 and set(weighty) != {"call"}:
            text = f"Of {', '.join(weighty)} only the first is done, but for calls: a reply has one of them."
            yield warning("two_actions", f"{where}.do", text)


def _languages(domain: DomainFields) -> Iterator[Finding]:
    """Wordings that a user of one of the languages hears in another."""
    if len(set(domain.languages)) < len(domain.languages):
        yield warning("duplicate_language", "languages", "A language is there twice.")
    for where, wording in _wordings(domain):
        said = set(domain.languages[:1]) if isinstance(wording, str) else set(wording)
        missing = [language for language in dict.fromkeys(domain.languages) if language not in said]
        if missing and (not isinstance(wording, str) or re.search(r"[^\W\d_]", re.sub(r"\{[^{}]*\}", "", wording))):
            shown = ", ".join(f"{language}: …" for language in domain.languages)
            text = f"There is no wording in {' and '.join(missing)}. Say it in each language: {{{shown}}}."
            yield warning("missing_language", where, text)


def _wordings(domain: DomainFields) -> Iterator[tuple[str, Wording]]:
    found: list[tuple[str, Wording | None]] = []
    for index, slot in enumerate(domain.slots):
        found.append((f"slots[{index}].prompt", slot.prompt))
        found.append((f"slots[{index}].validation.message", slot.validation.message if slot.validation else None))
    for index, form in enumerate(domain.forms):
        found += [(f"forms[{index}].confirm", form.confirm), (f"forms[{index}].cancelled", form.cancelled)]
        found += [(f"forms[{index}].prompts.{name}", wording) for name, wording in form.prompts.items()]
    found += [(f"responses.{name}", wording) for name, wording in domain.responses.items()]
    return ((where, wording) for where, wording in found if wording is not None)
