"""The policy: what is done after a message. The first rule that has something to say decides:

1. waiting: a person has the thread, and we keep silent but for a sentence, unless the user takes that back;
2. handing over: the user wants a person;
3. small talk: it is answered, and what was asked is asked again;
4. falling back (fallback): the message was unclear, or about nothing that the domain knows;
5. making sure: what can't be taken back is asked about where it is not certain;
6. going on: what was cancelled is confirmed, intents are answered in their order, by the domain's rules or their own actions,
   and the open form takes its next step;
7. talking: the model answers.

A rule is pure, and what it gives is a decision with the changes that it makes in the state. Forms: form_policy.
"""

from collections.abc import Callable
from itertools import chain

from zhuli.types.understanding.domain import OUT_OF_SCOPE, DomainFields, HandOver, Intent
from zhuli.types.understanding.understanding import Asked, Decision, DialogueState, Did, HandedOver, StateChange
from zhuli.understanding.dialogue.forms_and_slots import form_named
from zhuli.understanding.dialogue.policy.actions import as_one, perform, perform_steps
from zhuli.understanding.dialogue.policy.fallback import fallback
from zhuli.understanding.dialogue.policy.form_policy import Move, next_steps
from zhuli.understanding.dialogue.policy.rules import stops
from zhuli.understanding.dialogue.policy.small_talk import small_talk, taken_back
from zhuli.understanding.dialogue.responses import responses
from zhuli.understanding.dialogue.responses.responses import built_in, question, said
from zhuli.understanding.dialogue.utterance.interpreted_utterance import InterpretedUtterance
from zhuli.understanding.dialogue.utterance.stakes import outward
from zhuli.understanding.language.commands.knowledge import searches

Rule = Callable[[DomainFields, DialogueState, InterpretedUtterance], Move | None]


def decide(
    domain: DomainFields, state: DialogueState, utterance: InterpretedUtterance
) -> tuple[Decision, list[StateChange]]:
    """What is done, and what that changes. state: after tracking."""
    if state.language is None:
        state = state.model_copy(update={"language": utterance.language or domain.languages[0]})
    moves = (rule(domain, state, utterance) for rule in _RULES)
    decision, changes = next(move for move in moves if move is not None)
    names = [*(f"/{name}" for name in _names(utterance)), *decision.did]
    if names and any(rule.when.after for rule in domain.rules):
        changes = [*changes, Did(names=names)]
    return decision, changes


def _names(utterance: InterpretedUtterance) -> list[str]:
    """Of the intents that were answered: those with a rule, or else the one that counts most."""
    return list(utterance.rules) or ([utterance.intent.name] if utterance.intent else [])


def _waiting(domain: DomainFields, state: DialogueState, utterance: InterpretedUtterance) -> Move | None:
    if not state.handed_over:
        return None
    if utterance.takes_back and not state.taken:
        return taken_back(domain, state)
    text = built_in("waiting", state.language)
    return Decision(act="hand_over", text=text, why="A person has the thread."), []


def _handing_over(domain: DomainFields, state: DialogueState, utterance: InterpretedUtterance) -> Move | None:
    if utterance.act != "handover" or utterance.rules:
        return None
    acting = (intent.action for intent in domain.intents if intent.act == "handover" and intent.action is not None)
    action = next((action for action in acting if action.type == "hand_over"), HandOver(type="hand_over"))
    return perform(domain, state, action, utterance, form=None, why="The user wants a person."), [HandedOver()]


def _making_sure(domain: DomainFields, state: DialogueState, utterance: InterpretedUtterance) -> Move | None:
    """Asks first, where the one thing to do can't be taken back and is not certain; a no is the end of it."""
    if utterance.asked and len(utterance.asked.intents) == 1 and utterance.act == "deny" and not utterance.opened:
        text = responses.small_talk(domain, "declined", state.language, asked=False)
        return Decision(act="respond", text=text, why="It was not meant."), []
    if len(utterance.intents) != 1 or utterance.cancels or (utterance.asked and utterance.asked.intents):
        return None
    intent = next((one for one in domain.intents if one.name == utterance.intents[0].name), None)
    if intent is None or intent.name not in utterance.doubtful or not outward(intent):
        return None
    asked = Asked(intents=[intent.name], text=utterance.text, entities=utterance.entities)
    why = f"'{intent.name}' is not certain enough to be done unasked."
    return Decision(act="clarify", text=question(domain, asked, state), why=why), [asked]


def _going_on(domain: DomainFields, state: DialogueState, utterance: InterpretedUtterance) -> Move | None:
    answers = list(chain(_cancelled(domain, state, utterance), _answers(domain, state, utterance)))
    if any(stops(rule) for rule in utterance.rules.values()):
        decisions, changes = answers, list[StateChange]()
    else:
        decisions, changes = next_steps(domain, state, utterance, answers)
    if not decisions:
        return None
    handed: list[StateChange] = [HandedOver()] if any(one.act == "hand_over" for one in decisions) else []
    return as_one(decisions), [*changes, *handed]


def _cancelled(domain: DomainFields, state: DialogueState, utterance: InterpretedUtterance) -> list[Decision]:
    if not utterance.cancels:
        return []
    form = form_named(domain, utterance.cancels)
    own = form.cancelled if form else None
    text = said(own, state, state.language) if own is not None else built_in("cancelled", state.language)
    return [Decision(act="cancel", text=text, why="The user left the form.")]


def _answers(domain: DomainFields, state: DialogueState, utterance: InterpretedUtterance) -> list[Decision]:
    """What intents without a form are answered with, in the order of the message; each once.

    Yes and no answer a question: by themselves they are answered only where nothing was asked.
    """
    intents = {intent.name: intent for intent in domain.intents}
    names = dict.fromkeys([*(one.name for one in utterance.intents), *utterance.rules])
    found: list[Decision] = []
    for name in names:
        if name in utterance.rules:
            found += _by_rule(domain, state, utterance, name, intents.get(name))
        elif name in intents and name != OUT_OF_SCOPE:
            found += _answer(domain, state, utterance, intents[name])
    if utterance.knowledge and OUT_OF_SCOPE not in utterance.rules and (search := searches(domain)) is not None:
        found.append(perform(domain, state, search, utterance, form=None, why="It asks what documents may answer."))
    return found


def _by_rule(
    domain: DomainFields, state: DialogueState, utterance: InterpretedUtterance, name: str, intent: Intent | None
) -> list[Decision]:
    own = domain.fallback.out_of_scope if name == OUT_OF_SCOPE else intent.action if intent else None
    form = form_named(domain, state.form)
    why = f"A rule for '{name}' holds."
    made = perform_steps(domain, state, utterance.rules[name].do, utterance, own=own, form=form, why=why)
    return [made] if made is not None else []


def _answer(
    domain: DomainFields, state: DialogueState, utterance: InterpretedUtterance, intent: Intent
) -> list[Decision]:
    topic = bool(state.topics) and state.topics[-1].intent == intent.name
    if intent.form is not None or topic or (intent.act and (utterance.asked or utterance.cancels)):
        return []
    why = f"The intent '{intent.name}' is answered."
    if intent.action is not None:
        return [perform(domain, state, intent.action, utterance, form=None, why=why)]
    informs = intent.act is not None or utterance.usable or utterance.refused
    return [] if informs else [Decision(act="talk", why=f"The model answers '{intent.name}'.")]


def _talking(domain: DomainFields, state: DialogueState, utterance: InterpretedUtterance) -> Move | None:
    return Decision(act="talk", why="Nothing is asked for, and nothing needs an answer of the domain's."), []


_RULES: tuple[Rule, ...] = (_waiting, _handing_over, small_talk, fallback, _making_sure, _going_on, _talking)
