"""What is done after a message. The first rule that has something to say decides:

1. waiting: a person has the thread, and we keep silent but for a sentence;
2. handing over: the user wants a person;
3. lost: the message was unclear, or about nothing that the domain knows;
4. going on: what was cancelled is confirmed, intents are answered in their order, and the open form takes its next step;
5. talking: the model answers.

A rule is pure, and what it gives is a decision with the changes that it makes in the state. Forms: forming.
"""

from collections.abc import Callable
from itertools import chain

from zhuli.types.understanding.domain import OUT_OF_SCOPE, Action, Clarify, DomainFields, HandOver, Intent, Talk
from zhuli.types.understanding.understanding import Asked, Decision, DialogueState, HandedOver, StateChange
from zhuli.understanding.dialogue.forms_and_slots import form_named
from zhuli.understanding.dialogue.policy.actions import as_one, perform
from zhuli.understanding.dialogue.policy.form_policy import Move, ask_again, next_steps
from zhuli.understanding.dialogue.responses.responses import built_in, question, said
from zhuli.understanding.dialogue.utterance.interpreted_utterance import InterpretedUtterance

Rule = Callable[[DomainFields, DialogueState, InterpretedUtterance], Move | None]


def decide(
    domain: DomainFields, state: DialogueState, heard: InterpretedUtterance
) -> tuple[Decision, list[StateChange]]:
    """What is done, and what that changes. state: after tracking."""
    if state.language is None:
        state = state.model_copy(update={"language": heard.language or domain.languages[0]})
    moves = (rule(domain, state, heard) for rule in _RULES)
    return next(move for move in moves if move is not None)


def _waiting(domain: DomainFields, state: DialogueState, heard: InterpretedUtterance) -> Move | None:
    if not state.handed_over:
        return None
    text = built_in("waiting", state.language)
    return Decision(act="hand_over", text=text, why="A person has the thread."), []


def _handing_over(domain: DomainFields, state: DialogueState, heard: InterpretedUtterance) -> Move | None:
    if heard.act != "handover":
        return None
    acting = (intent.action for intent in domain.intents if intent.act == "handover" and intent.action is not None)
    action = next((action for action in acting if action.type == "hand_over"), HandOver(type="hand_over"))
    return perform(domain, state, action, heard, form=None, why="The user wants a person."), [HandedOver()]


def _lost(domain: DomainFields, state: DialogueState, heard: InterpretedUtterance) -> Move | None:
    """Yes and no are never lost on a question; everything else that nothing came of falls back."""
    if heard.intent is None or heard.usable or heard.refused or heard.cancels or (heard.asked and heard.act):
        return None
    if heard.unclear:
        why = f"It may be any of several: {', '.join(one.name for one in heard.ranking[:2])}."
        return _fallback(domain, state, heard, domain.fallback.unclear, why)
    if not heard.out_of_scope:
        return None
    return _fallback(domain, state, heard, domain.fallback.out_of_scope, "It is none of the domain's intents.")


def _fallback(
    domain: DomainFields, state: DialogueState, heard: InterpretedUtterance, action: Action, why: str
) -> Move:
    """The action, and the open question once more; after three answers in a row that were of no use, the way out."""
    again = ask_again(domain, state, heard)
    if again is not None and again.exhausted:
        return again.move
    if isinstance(action, Clarify):
        clarified = _clarified(domain, state, heard, action, why)
        if clarified is not None:
            return clarified
        action = Talk(type="talk")
    decision = perform(domain, state, action, heard, form=None, why=why)
    if decision.act == "hand_over":
        return decision, [HandedOver()]
    if again is None:
        return decision, []
    back = again.move[0].model_copy(update={"text": built_in("back", state.language, question=again.question)})
    return as_one([decision, back]), again.move[1]


def _clarified(
    domain: DomainFields, state: DialogueState, heard: InterpretedUtterance, action: Clarify, why: str
) -> Move | None:
    known = {intent.name for intent in domain.intents if intent.act is None}
    names = [one.name for one in heard.ranking if one.name in known][: action.most]
    if len(names) < 2:
        return None
    asked = Asked(intents=names, text=heard.text, entities=heard.entities)
    return Decision(act="clarify", text=question(domain, asked, state), why=why), [asked]


def _going_on(domain: DomainFields, state: DialogueState, heard: InterpretedUtterance) -> Move | None:
    answers = list(chain(_cancelled(domain, state, heard), _answers(domain, state, heard)))
    decisions, changes = next_steps(domain, state, heard, answers)
    if not decisions:
        return None
    handed: list[StateChange] = [HandedOver()] if any(one.act == "hand_over" for one in decisions) else []
    return as_one(decisions), [*changes, *handed]


def _cancelled(domain: DomainFields, state: DialogueState, heard: InterpretedUtterance) -> list[Decision]:
    if not heard.cancels:
        return []
    form = form_named(domain, heard.cancels)
    own = form.cancelled if form else None
    text = said(own, state, state.language) if own is not None else built_in("cancelled", state.language)
    return [Decision(act="cancel", text=text, why="The user left the form.")]


def _answers(domain: DomainFields, state: DialogueState, heard: InterpretedUtterance) -> list[Decision]:
    """What intents without a form are answered with, in the order of the message; each once.

    Yes and no answer a question: by themselves they are answered only where nothing was asked.
    """
    intents = {intent.name: intent for intent in domain.intents}
    names = dict.fromkeys(one.name for one in heard.intents if one.name != OUT_OF_SCOPE)
    wanted = (intents[name] for name in names if name in intents)
    return [answer for intent in wanted for answer in _answer(domain, state, heard, intent)]


def _answer(domain: DomainFields, state: DialogueState, heard: InterpretedUtterance, intent: Intent) -> list[Decision]:
    topic = bool(state.topics) and state.topics[-1].intent == intent.name
    if intent.form is not None or topic or (intent.act and (heard.asked or heard.cancels)):
        return []
    why = f"The intent '{intent.name}' is answered."
    if intent.action is not None:
        return [perform(domain, state, intent.action, heard, form=None, why=why)]
    informs = intent.act is not None or heard.usable or heard.refused
    return [] if informs else [Decision(act="talk", why=f"The model answers '{intent.name}'.")]


def _talking(domain: DomainFields, state: DialogueState, heard: InterpretedUtterance) -> Move | None:
    return Decision(act="talk", why="Nothing is asked for, and nothing needs an answer of the domain's."), []


_RULES: tuple[Rule, ...] = (_waiting, _handing_over, _lost, _going_on, _talking)
