"""Which rule of the domain holds for a message, or for a form that is done: the first whose conditions are all so. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from zhuli.types.understanding.domain import DomainFields, Open, Rule, When
from zhuli.types.understanding.understanding import DialogueState, TopicOpened
from zhuli.understanding.dialogue.utterance.interpreted_utterance import InterpretedUtterance


def ruled(domain: DomainFields, state: DialogueState, utterance: InterpretedUtterance) -> InterpretedUtterance:
    """The utterance with the rules that hold for its intents, which open and leave forms in the intents' place.

    state: before the message.
    """
    if not domain.rules or state.handed_over or utterance.intent is None or utterance.unclear:
        return utterance
    found = {name: rule for name in _meant(domain, utterance) if (rule := _rule_for(domain, state, utterance, name))}
    if not found and utterance.cancels:
        found = _leaving(domain, state, utterance)
    if not found:
        return utterance
    leaves = any(step.type == "leave" for rule in found.values() for step in rule.do)
    kept = [one for one in utterance.opened if one.intent not in found]
    ours = [
        TopicOpened(intent=name, form=form)
        for name, rule in found.items()
        if (form := opened_by(rule)) is not None and (leaves or form != state.form)
    ]
    cancels = None if any(rule.when.form for rule in found.values()) else utterance.cancels
    reasons = [*utterance.reasons, *(f"A rule of the domain holds for '{name}'." for name in found)]
    return replace(utterance, rules=found, opened=[*kept, *ours], leaves=leaves, cancels=cancels, reasons=reasons)


def _leaving(domain: DomainFields, state: DialogueState, utterance: InterpretedUtterance) -> dict[str, Rule]:
    """Who cancels leaves the form as one does who says no, where a rule says how that is."""
    names = [intent.name for intent in domain.intents if intent.act in ("deny", "cancel")]
    rules = ((name, _rule_for(domain, state, utterance, name)) for name in names)
    return next(({name: rule} for name, rule in rules if rule and any(step.type == "leave" for step in rule.do)), {})


def rule_done(domain: DomainFields, state: DialogueState, form: str, intents: Iterable[str]) -> Rule | None:
    """The rule for a form that is complete. intents: of the message that completed it."""
    held = {name: slot.value for name, slot in state.slots.items()}
    intents = list(intents)
    return next(
        (
            rule
            for rule in domain.rules
            if rule.when.done == form
            and (not rule.when.intents or any(_is(name, rule.when.intents) for name in intents))
            and _looks_back(state.recent, rule.when.after)
            and _known(rule.when, held)
        ),
        None,
    )


def opened_by(rule: Rule) -> str | None:
    """The form that the rule opens, or goes on with."""
    return next((step.form for step in reversed(rule.do) if isinstance(step, Open)), None)


def stops(rule: Rule) -> bool:
    """Whether the open form asks nothing after it: the rule is for when it is open, and says what happens then."""
    return rule.when.form is not None and opened_by(rule) is None and all(step.type != "leave" for step in rule.do)


def _meant(domain: DomainFields, utterance: InterpretedUtterance) -> Iterator[str]:
    """Names of intents for which a rule may be; a plain yes is the intent that means yes, whatever it answers."""
    names = [one.name for one in utterance.intents]
    by_act = [intent.name for intent in domain.intents if intent.act is not None and intent.act == utterance.act]
    yield from dict.fromkeys([*names, *by_act])


def _rule_for(domain: DomainFields, state: DialogueState, utterance: InterpretedUtterance, intent: str) -> Rule | None:
    """A message that answers what a form asked needs none; one about the open form only those that name the form."""
    asked = state.asked.slot if state.asked else None
    filled = {one.slot: one.value for one in utterance.filled}
    answers = asked is not None and asked in filled
    confirms = state.asked is not None and asked is None and utterance.act in ("affirm", "deny")
    if state.form is not None and (answers or confirms):
        return None
    inside = bool(state.topics) and state.topics[-1].intent == intent
    held = {name: slot.value for name, slot in state.slots.items()} | filled
    values = {one.entity: one.value for one in utterance.entities if not one.negated}
    return next(
        (
            rule
            for rule in domain.rules
            if rule.when.done is None
            and _is(intent, rule.when.intents)
            and (rule.when.form == state.form if rule.when.form else not inside)
            and (rule.when.asked is None or rule.when.asked == asked)
            and _looks_back(state.recent, rule.when.after)
            and _known(rule.when, held)
            and _mentioned(rule.when, values)
        ),
        None,
    )


def _is(event: str, names: Iterable[str]) -> bool:
    """Whether the event has one of the names; `faq` stands for `faq/prices` and all others of it."""
    return any(event == name or event.startswith(f"{name}/") for name in names)


def _looks_back(recent: Sequence[str], after: Sequence[str]) -> bool:
    if not after:
        return True
    last = recent[-len(after) :]
    return len(last) == len(after) and all(_is(event, (name,)) for event, name in zip(last, after, strict=True))


def _known(when: When, held: Mapping[str, Any]) -> bool:
    return all(held.get(name) == value for name, value in when.slots.items()) and all(
        held.get(name) is not None for name in when.known
    )


def _mentioned(when: When, values: Mapping[str, Any]) -> bool:
    return all(values.get(name) == value for name, value in when.entities.items()) and all(
        name in values for name in when.mentioned
    )
