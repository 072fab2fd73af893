"""Fallback: what is done when a message was unclear, or about nothing that the domain knows."""

from zhuli.types.understanding.domain import Action, Clarify, DomainFields, Talk
from zhuli.types.understanding.understanding import Asked, Decision, DialogueState, HandedOver
from zhuli.understanding.dialogue.policy.actions import as_one, perform
from zhuli.understanding.dialogue.policy.form_policy import Move, ask_again
from zhuli.understanding.dialogue.responses.responses import built_in, question
from zhuli.understanding.dialogue.utterance.interpreted_utterance import InterpretedUtterance


def fallback(domain: DomainFields, state: DialogueState, utterance: InterpretedUtterance) -> Move | None:
    """What is done when nothing came of the message; None where something did. A yes or no to a question never falls back."""
    if (
        utterance.intent is None
        or utterance.rules
        or utterance.usable
        or utterance.refused
        or utterance.cancels
        or utterance.knowledge
        or (utterance.asked and utterance.act)
    ):
        return None
    if utterance.unclear:
        why = f"It may be any of several: {', '.join(one.name for one in utterance.ranking[:2])}."
        return _fallen_back(domain, state, utterance, domain.fallback.unclear, why)
    if not utterance.out_of_scope:
        return None
    return _fallen_back(domain, state, utterance, domain.fallback.out_of_scope, "It is none of the domain's intents.")


def _fallen_back(
    domain: DomainFields, state: DialogueState, utterance: InterpretedUtterance, action: Action, why: str
) -> Move:
    """The action, and the open question once more; after three answers in a row that were of no use, the way out."""
    again = ask_again(domain, state, utterance)
    if again is not None and again.exhausted:
        return again.move
    if isinstance(action, Clarify):
        clarified = _clarified(domain, state, utterance, action, why)
        if clarified is not None:
            return clarified
        action = Talk(type="talk")
    decision = perform(domain, state, action, utterance, form=None, why=why)
    if decision.act == "hand_over":
        return decision, [HandedOver()]
    if again is None:
        return decision, []
    back = again.move[0].model_copy(update={"text": built_in("back", state.language, question=again.question)})
    return as_one([decision, back]), again.move[1]


def _clarified(
    domain: DomainFields, state: DialogueState, utterance: InterpretedUtterance, action: Clarify, why: str
) -> Move | None:
    known = {intent.name for intent in domain.intents if intent.act is None}
    names = [one.name for one in utterance.ranking if one.name in known][: action.most]
    if len(names) < 2:
        return None
    asked = Asked(intents=names, text=utterance.text, entities=utterance.entities)
    return Decision(act="clarify", text=question(domain, asked, state), why=why), [asked]
