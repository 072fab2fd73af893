"""Which names a domain uses, and where: of intents, entities, slots, forms, responses. Whether they exist is not asked here."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from zhuli.types.understanding.domain import (
    OUT_OF_SCOPE,
    Action,
    Call,
    DomainFields,
    FromEntity,
    FromIntent,
    HandOver,
    Open,
    Respond,
    Rule,
    RuleStep,
    Search,
    Slot,
    Wording,
)
from zhuli.understanding.language.marked_examples import BadMark, read_marks

_PLACEHOLDER = re.compile(r"\{(\w[^\s{}\[\]()]*)\}")
"""As understanding/dialogue/responses/responses fills them."""

RESULT = "result"
"""In the response of a call, the function's output; so no slot may be called that."""


class Use(NamedTuple):
    """A name that is used somewhere. kind: intents, entities, slots, forms or responses."""

    kind: str
    name: str
    where: str


def uses_of(domain: DomainFields) -> Iterator[Use]:
    """Every use, in the order of the domain."""
    also = tuple(domain.variables)
    for index, intent in enumerate(domain.intents):
        where = f"intents[{index}]"
        if intent.form is not None:
            yield Use("forms", intent.form, f"{where}.form")
        yield from _uses_of_action(intent.action, f"{where}.action")
        for number, example in enumerate(intent.examples):
            yield from _uses_of_marks(example, f"{where}.examples[{number}]")
    for index, slot in enumerate(domain.slots):
        yield from _uses_of_slot(slot, f"slots[{index}]", also)
    for index, form in enumerate(domain.forms):
        where = f"forms[{index}]"
        for list_name in ("slots", "optional"):
            for number, name in enumerate(getattr(form, list_name)):
                yield Use("slots", name, f"{where}.{list_name}[{number}]")
        for name, wording in form.prompts.items():
            yield Use("slots", name, f"{where}.prompts.{name}")
            yield from _uses_of_wording(wording, f"{where}.prompts.{name}", also=also)
        yield from _uses_of_wording(form.confirm, f"{where}.confirm", also=also)
        yield from _uses_of_wording(form.cancelled, f"{where}.cancelled", also=also)
        yield from _uses_of_action(form.action, f"{where}.action")
    after_calls = set(_after_calls(domain))
    for name, wording in domain.responses.items():
        yield from _uses_of_wording(wording, f"responses.{name}", result=name in after_calls, also=also)
    for index, rule in enumerate(domain.rules):
        yield from _uses_of_rule(rule, f"rules[{index}]")
    yield from _uses_of_action(domain.fallback.out_of_scope, "fallback.out_of_scope")
    yield from _uses_of_action(domain.fallback.unclear, "fallback.unclear")
    for name, action in domain.fallback.small_talk.items():
        yield from _uses_of_action(action, f"fallback.small_talk.{name}")


def _after_calls(domain: DomainFields) -> Iterator[str]:
    """The responses that are said with a function's output."""
    of_intents, of_forms = (intent.action for intent in domain.intents), (form.action for form in domain.forms)
    fallback = domain.fallback
    for action in (*of_intents, *of_forms, fallback.out_of_scope, fallback.unclear, *fallback.small_talk.values()):
        if isinstance(action, Call) and action.response is not None:
            yield action.response
    for rule in domain.rules:
        yield from _after_call_of(rule)


def _after_call_of(rule: Rule) -> Iterator[str]:
    called = False
    for step in rule.do:
        if isinstance(step, Respond) and called:
            yield step.response
        if isinstance(step, Call):
            called = True
            yield from [step.response] if step.response is not None else []


def _uses_of_rule(rule: Rule, where: str) -> Iterator[Use]:
    """Of its conditions: names of intents that are the first part of others (`faq` of `faq/prices`) are looked for by naming."""
    when, at = rule.when, f"{where}.when"
    named = [(index, name) for index, name in enumerate(when.intents) if name != OUT_OF_SCOPE]
    yield from (Use("intents", name, f"{at}.intents[{index}]") for index, name in named)
    for field in ("done", "form"):
        if (name := getattr(when, field)) is not None:
            yield Use("forms", name, f"{at}.{field}")
    if when.asked is not None:
        yield Use("slots", when.asked, f"{at}.asked")
    yield from (Use("slots", name, f"{at}.slots.{name}") for name in when.slots)
    yield from (Use("slots", name, f"{at}.known[{index}]") for index, name in enumerate(when.known))
    yield from (Use("entities", name, f"{at}.entities.{name}") for name in when.entities)
    yield from (Use("entities", name, f"{at}.mentioned[{index}]") for index, name in enumerate(when.mentioned))
    for number, step in enumerate(rule.do):
        yield from _uses_of_action(step, f"{where}.do[{number}]")


def _uses_of_marks(example: str, where: str) -> Iterator[Use]:
    try:
        marked = read_marks(example)
    except BadMark:
        return  # which is a finding of its own
    yield from (Use("entities", entity.entity, where) for entity in marked.entities)


def _uses_of_slot(slot: Slot, where: str, also: tuple[str, ...]) -> Iterator[Use]:
    for number, mapping in enumerate(slot.mappings):
        at = f"{where}.mappings[{number}]"
        if isinstance(mapping, FromEntity):
            yield Use("entities", mapping.entity, f"{at}.entity")
        if isinstance(mapping, FromEntity | FromIntent):
            named = [(index, name) for index, name in enumerate(mapping.intents) if name != OUT_OF_SCOPE]
            yield from (Use("intents", name, f"{at}.intents[{index}]") for index, name in named)
    yield from _uses_of_wording(slot.prompt, f"{where}.prompt", also=also)
    if slot.validation is not None:
        yield from _uses_of_wording(slot.validation.message, f"{where}.validation.message", also=("value", *also))


def _uses_of_action(action: Action | RuleStep | None, where: str) -> Iterator[Use]:
    if isinstance(action, Open):
        yield Use("forms", action.form, f"{where}.form")
    if isinstance(action, Respond | Call | HandOver) and action.response is not None:
        yield Use("responses", action.response, f"{where}.response")
    if isinstance(action, Call):
        yield from _uses_of_value(action.arguments, f"{where}.arguments")
    if isinstance(action, Search):
        yield from _uses_of_wording(action.query, f"{where}.query")


def _uses_of_value(value: Any, where: str) -> Iterator[Use]:
    """Placeholders anywhere in the arguments of a call."""
    if isinstance(value, str):
        yield from _uses_of_wording(value, where)
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield from _uses_of_value(member, f"{where}.{key}" if isinstance(value, dict) else f"{where}[{key}]")


def _uses_of_wording(
    wording: Wording | None, where: str, *, result: bool = False, also: tuple[str, ...] = ()
) -> Iterator[Use]:
    """Placeholders of slots; result: whether `{result}` stands for a function's output."""
    texts = {} if wording is None else {"": wording} if isinstance(wording, str) else wording
    for language, text in texts.items():
        for name in dict.fromkeys(_PLACEHOLDER.findall(text)):
            if name not in also and not (result and (name == RESULT or name.startswith(f"{RESULT}."))):
                yield Use("slots", name, f"{where}.{language}" if language else where)
