"""The next step of the open form, and of those that wait below it: refuse, ask, confirm, act, go back."""

from collections.abc import Sequence
from dataclasses import dataclass

from zhuli.types.understanding.domain import DomainFields, Form, Slot
from zhuli.types.understanding.understanding import Asked, Confirmed, Decision, DialogueState, StateChange, TopicOpened
from zhuli.understanding.dialogue.forms_and_slots import asked_for, form_named, slot_named
from zhuli.understanding.dialogue.policy.actions import perform_steps
from zhuli.understanding.dialogue.policy.rules import opened_by, rule_done
from zhuli.understanding.dialogue.responses.responses import built_in, choices, held, joined, question, said, spoken
from zhuli.understanding.dialogue.state import MOST_TOPICS, fold
from zhuli.understanding.dialogue.topics.topic_stack import closed
from zhuli.understanding.dialogue.utterance.interpreted_utterance import InterpretedUtterance

Move = tuple[Decision, list[StateChange]]
Steps = tuple[list[Decision], list[StateChange]]

MOST_TRIES = 3
"""Answers in a row that could not be used before the way out is offered."""


@dataclass(frozen=True, slots=True)
class Again:
    """The open question once more. exhausted: often enough that it says the way out by itself."""

    move: Move
    question: str
    exhausted: bool


def ask_again(domain: DomainFields, state: DialogueState, utterance: InterpretedUtterance) -> Again | None:
    """What had been asked, asked once more because nothing came of the answer; None where no form has a question open."""
    form = form_named(domain, state.form)
    if form is None:
        return None
    asked = _following(domain, form, state, utterance)
    asked = asked.model_copy(update={"failed": _failed(asked, utterance)})
    words = question(domain, asked, state)
    exhausted = asked.failed >= MOST_TRIES
    texts = (built_in("ask_again", state.language), words, built_in("way_out", state.language) if exhausted else None)
    decision = _asking(asked, joined(*texts), "The answer could not be used.")
    return Again((decision, [asked]), words, exhausted)


def next_steps(
    domain: DomainFields, state: DialogueState, utterance: InterpretedUtterance, answers: Sequence[Decision]
) -> Steps:
    """Answers, then what the open form does; a form that is done makes room for the one below, in the same reply.

    A reply has one act that is more than a text: after such a one, a form that is complete waits for the next message.
    """
    decisions, changes = list(answers), list[StateChange]()
    returned = utterance.cancels is not None and not utterance.opened
    for _ in range(MOST_TOPICS + 1):
        form = form_named(domain, state.form)
        if form is None or any(one.act == "hand_over" for one in decisions):
            break
        fresh = returned or bool(changes)
        begun = any(isinstance(one, TopicOpened) and one.form == form.name for one in changes)
        steps, made = _step(domain, state, form, utterance, fresh=fresh, begun=begun, after=decisions)
        decisions += steps
        changes += made
        state = fold(made, state)
        if not made or isinstance(made[-1], Asked):
            break
    return decisions, changes


def _step(
    domain: DomainFields,
    state: DialogueState,
    form: Form,
    utterance: InterpretedUtterance,
    *,
    fresh: bool,
    begun: bool,
    after: Sequence[Decision],
) -> Steps:
    """One step of the form on top. fresh: the message said nothing to it. begun: the form before led to it. after: what the
    reply says before."""
    missing = _missing(domain, form, state)
    if not fresh and (refusal := _refused(domain, state, form, utterance)):
        return refusal
    if missing is None and (_needs_no_yes(state, form, utterance) or (not fresh and _agreed(utterance))):
        return _done(domain, state, form, utterance, after)
    asked = Asked(slot=missing) if fresh else _following(domain, form, state, utterance)
    digressed = any(one.act != "cancel" for one in after) or fresh
    if not digressed and _same(asked, utterance.asked) and not utterance.usable and not utterance.opened:
        return _unanswered(domain, state, utterance, asked)
    failed = (
        utterance.asked.failed if digressed and not fresh and utterance.asked and _same(asked, utterance.asked) else 0
    )
    asked = asked.model_copy(update={"failed": failed})
    words = question(domain, asked, state)
    goes_back = not begun and (fresh or (bool(after) and not _just_opened(state, utterance)))
    text = built_in("back", state.language, question=words) if goes_back and after else words
    return [_asking(asked, text, _why(form, asked))], [asked]


def _needs_no_yes(state: DialogueState, form: Form, utterance: InterpretedUtterance) -> bool:
    """Whether it acts unconfirmed: what can't be taken back, of a form that this message opened, only if that was certain."""
    opened = next((one.intent for one in utterance.opened if one.form == form.name), None)
    confirming = utterance.asked is not None and utterance.asked.slot is None and not utterance.asked.intents
    doubtful = opened in utterance.doubtful or (confirming and not utterance.reopened)
    return form.confirm is None and not (doubtful and form.action.type in ("call", "hand_over"))


def _following(domain: DomainFields, form: Form, state: DialogueState, utterance: InterpretedUtterance) -> Asked:
    """What the form asks for now: what the user wants to change, the first slot that is missing, or whether all is right."""
    if utterance.named is not None and utterance.named in (*form.slots, *form.optional):
        return Asked(slot=utterance.named)
    asked = utterance.asked
    unchanged = asked is not None and asked.slot is not None and held(state, asked.slot) is not None
    if asked and unchanged and asked.slot in (*form.slots, *form.optional) and not (utterance.act or utterance.usable):
        return Asked(slot=asked.slot)  # it was to be changed, and still is
    return Asked(slot=_missing(domain, form, state))


def _missing(domain: DomainFields, form: Form, state: DialogueState) -> str | None:
    """The first slot that the form needs and does not have; None when all is known."""
    names = (name for name in asked_for(form) if held(state, name) is None and slot_named(domain, name))
    return next(names, None)


def _refused(domain: DomainFields, state: DialogueState, form: Form, utterance: InterpretedUtterance) -> Steps | None:
    """Says why a value can't be, and asks for another."""
    refused = next((one for one in utterance.refused if one.slot in (*form.slots, *form.optional)), None)
    slot = slot_named(domain, refused.slot) if refused else None
    if refused is None or slot is None:
        return None
    failed = utterance.asked.failed + 1 if utterance.asked and utterance.asked.slot == slot.name else 1
    asked = Asked(slot=slot.name, failed=failed)
    own = slot.validation.message if slot.validation else None
    message = (
        said(own, state, state.language, value=refused.text)
        if own is not None
        else joined(built_in("refused", state.language, name=spoken(slot.name)), choices(slot, state.language))
    )
    way_out = built_in("way_out", state.language) if failed >= MOST_TRIES else None
    text = joined(message, question(domain, asked, state), way_out)
    return [_asking(asked, text, f"'{refused.text}' can't be the slot '{slot.name}'.")], [asked]


def _unanswered(domain: DomainFields, state: DialogueState, utterance: InterpretedUtterance, asked: Asked) -> Steps:
    """The same question again: nothing in the message answered it. A "no" to a confirmation asks what to change."""
    asked = asked.model_copy(update={"failed": _failed(asked, utterance)})
    denied = asked.slot is None and utterance.act == "deny"
    slot = slot_named(domain, asked.slot)
    words = built_in("change", state.language) if denied else question(domain, asked, state)
    texts = [
        None if denied else built_in("ask_again", state.language),
        words,
        choices(slot, state.language) if slot else None,
        built_in("way_out", state.language) if asked.failed >= MOST_TRIES or _unwilling(slot, utterance) else None,
    ]
    why = "The user does not confirm." if denied else "The answer could not be used."
    return [_asking(asked, joined(*texts), why)], [asked]


def _unwilling(slot: Slot | None, utterance: InterpretedUtterance) -> bool:
    """ "No, thanks" to a question that no can't answer."""
    return slot is not None and slot.type != "boolean" and utterance.act == "deny"


def _done(
    domain: DomainFields, state: DialogueState, form: Form, utterance: InterpretedUtterance, after: Sequence[Decision]
) -> Steps:
    """The form's action, and the end of its topic; nothing where the reply has no room for the action."""
    why = f"The form '{form.name}' is complete."
    rule = rule_done(domain, state, form.name, (one.name for one in utterance.intents))
    steps = rule.do if rule else [form.action]
    decision = perform_steps(domain, state, steps, utterance, own=form.action, form=form, why=why)
    if decision is None:
        decision = Decision(act="respond", why=why)
    if decision.act in ("call", "search", "talk") and any(one.act in ("call", "search") for one in after):
        return [], []
    if decision.act == "clarify":
        decision = Decision(act="talk", why=why)
    confirmed: list[StateChange] = [Confirmed()] if form.confirm is not None else []
    changes = [*confirmed, *closed(domain, state, "done")]
    following = opened_by(rule) if rule else None
    if following is not None and state.topics:
        changes.append(TopicOpened(intent=state.topics[-1].intent, form=following))
    return [decision], changes


def _agreed(utterance: InterpretedUtterance) -> bool:
    """Whether the user has just said yes to all of it, without changing anything."""
    confirming = utterance.asked is not None and utterance.asked.slot is None and not utterance.asked.intents
    return confirming and utterance.act == "affirm" and not utterance.usable


def _asking(asked: Asked, text: str, why: str) -> Decision:
    return Decision(act="ask" if asked.slot is not None else "confirm", text=text, slot=asked.slot, why=why)


def _why(form: Form, asked: Asked) -> str:
    if asked.slot is None:
        return f"All that '{form.name}' needs is known."
    return f"The form '{form.name}' needs '{asked.slot}'."


def _failed(asked: Asked, utterance: InterpretedUtterance) -> int:
    return utterance.asked.failed + 1 if utterance.asked and _same(asked, utterance.asked) else 0


def _same(asked: Asked, before: Asked | None) -> bool:
    return before is not None and before.slot == asked.slot and not before.intents and not asked.intents


def _just_opened(state: DialogueState, utterance: InterpretedUtterance) -> bool:
    return any(one.form == state.form for one in utterance.opened)
