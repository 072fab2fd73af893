"""Dialogue acts: what a message does (yes, no, leaving, calling a person, choosing), by its words or by an intent."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from zhuli.types.understanding.domain import Act
from zhuli.understanding.dialogue.forms_and_slots import intent_named
from zhuli.understanding.dialogue.utterance.answers import chosen, keeps, leaves
from zhuli.understanding.dialogue.utterance.intent_decision import IntentDecision
from zhuli.understanding.dialogue.utterance.multi_intent import Clause, ClauseIntent
from zhuli.understanding.dialogue.utterance.utterance_context import UtteranceContext
from zhuli.understanding.language.acts.dialogue_acts import act_of

Said = Act | Literal["correct"] | None


def said_in(context: UtteranceContext, clauses: Sequence[Clause]) -> Said:
    """What the words say, of the whole message or else of how it begins: "yes, and what are your hours?"."""
    said = act_of(context.text)
    if said is None and clauses:
        (start, end), _ = clauses[0]
        said = act_of(context.text[start:end])
    if said != "handover" and context.state.form is not None:
        topic = context.state.topics[-1]
        return "cancel" if leaves(context.text, [context.state.form, topic.intent]) else said
    return said


def act_meant(context: UtteranceContext, said: Act | None, clause_intents: Sequence[ClauseIntent]) -> Act | None:
    """By wording, or else by an intent that has an act.

    An intent of its own is not taken for cancelling or calling a person because of a word in it, unless it is only that word.
    """
    meant = next((clause.intent.act for clause in clause_intents if clause.intent and clause.intent.act), None)
    own = any(clause.intent and not clause.intent.act and not clause.informs for clause in clause_intents)
    if said in ("cancel", "handover") and own and (context.state.form is None or len(context.text.split()) > 3):
        said = None
    act = said or meant
    return None if act == "cancel" and keeps(context.text) else act


def by_act(context: UtteranceContext, clause: ClauseIntent, act: Act | None) -> ClauseIntent:
    """What was decided for no intent, but says yes, no or the like, is the domain's intent for that."""
    intent = next((intent for intent in context.domain.intents if intent.act == act), None)
    if act is None or intent is None or clause.intent is not None or clause.informs:
        return clause
    return replace(
        clause,
        intent=intent,
        decision=IntentDecision(intent.name, clause.decision.threshold, clause.decision.threshold),
    )


def chosen_intent(context: UtteranceContext, act: Act | None) -> list[ClauseIntent]:
    """The one intent that was picked of those that were offered."""
    if context.asked is None or not context.asked.intents or act in ("cancel", "handover"):
        return []
    name = chosen(context.domain, context.asked.intents, context.text, yes=act == "affirm")
    intent = intent_named(context.domain, name)
    if intent is None:
        return []
    informs = intent.form is not None and intent.form == context.state.form
    return [ClauseIntent(0, len(context.text), IntentDecision(intent.name, 1.0, 0.0), intent, informs)]
