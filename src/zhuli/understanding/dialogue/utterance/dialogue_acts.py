"""Dialogue acts: what a message does (yes, no, leaving, calling a person, choosing), by its words or by an intent."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from zhuli.types.understanding.domain import Act
from zhuli.types.understanding.understanding import ActsRead
from zhuli.understanding.dialogue.forms_and_slots import form_named, intent_named
from zhuli.understanding.dialogue.responses.responses import question, spoken
from zhuli.understanding.dialogue.utterance.answers import cancelling, chosen, keeps, leaves, only_says
from zhuli.understanding.dialogue.utterance.intent_decision import IntentDecision
from zhuli.understanding.dialogue.utterance.multi_intent import CERTAIN, Clause, ClauseIntent
from zhuli.understanding.dialogue.utterance.utterance_context import UtteranceContext
from zhuli.understanding.language.acts.dialogue_acts import act_of, looks_up, tells_to
from zhuli.understanding.language.acts.first_time import answered

Said = Act | Literal["correct"] | None


def said_in(context: UtteranceContext, clauses: Sequence[Clause], acts: ActsRead | None = None) -> Said:
    """What the message does. acts: what was learned of it; without, or where it is nothing but a yes or a no, its words say."""
    if (answer := first_time(context)) is not None:
        return "affirm" if answer else "deny"
    named = _named_cancel(context)
    if context.confirming and tells_to(context.text) and act_of(context.text) not in ("cancel", "deny"):
        return "affirm"
    if acts is None or (only_says(context.text) and not acts.said & _NO_ANSWER):
        return _by_words(context, clauses, named=named)
    if looks_up(context.text):
        return None
    certain = context.domain.fallback.certainty
    if acts.of("handover") >= certain:
        return "handover"
    if named or acts.of("cancel") >= certain or act_of(context.text) == "cancel":
        return "cancel"
    if context.confirming and cancelling(context.text) and "affirm" not in acts.said:
        return "cancel" if "cancel" in acts.said else "deny"
    if acts.said & _NO_ANSWER:
        return "correct" if "correct" in acts.said else None
    heads = [acts, *(reading.acts for _, reading in clauses[:1] if reading.acts is not None)]
    for head in heads:
        both = head.said & {"affirm", "deny"}
        if both and ("deny" in both or head.of("affirm") >= certain or not _acts_outward(context)):
            return "deny" if head.of("deny") >= head.of("affirm") else "affirm"
    return "correct" if "correct" in acts.said else None


def _acts_outward(context: UtteranceContext) -> bool:
    """Whether a yes would do what can't be taken back."""
    form = form_named(context.domain, context.state.form) if context.confirming else None
    return form is not None and form.action.type in ("call", "hand_over")


_NO_ANSWER = frozenset(("dont_know", "any", "wait", "repeat"))
"""Who does not know, or asks to wait, says neither yes nor no."""


def _by_words(context: UtteranceContext, clauses: Sequence[Clause], *, named: bool) -> Said:
    """Of the whole message or else of how it begins: "yes, and what are your hours?"."""
    said = act_of(context.text)
    if said is None and clauses:
        (start, end), _ = clauses[0]
        said = act_of(context.text[start:end])
    return "cancel" if named and said != "handover" else said


def first_time(context: UtteranceContext) -> bool | None:
    """What it answers to "is it your first visit?"; None if it does not, or something else was asked."""
    if context.asked is None or context.slot is None or context.slot.type != "boolean":
        return None
    return answered(
        f"{spoken(context.slot.name)}. {question(context.domain, context.asked, context.state)}", context.text
    )


def _named_cancel(context: UtteranceContext) -> bool:
    """Whether it cancels the open form by its name."""
    if context.state.form is None:
        return False
    return leaves(context.text, [context.state.form, context.state.topics[-1].intent])


def act_meant(context: UtteranceContext, said: Act | None, clause_intents: Sequence[ClauseIntent]) -> Act | None:
    """By wording, or else by an intent that has an act.

    An intent of its own is not taken for cancelling or calling a person because of a word in it, unless it is only that word.
    """
    meant = next((clause.intent.act for clause in clause_intents if clause.intent and clause.intent.act), None)
    plainly = (context.state.form is not None or said == "handover") and act_of(context.text) == said
    own = any(
        clause.intent and not clause.intent.act and not clause.informs and not (plainly and is_weak(clause))
        for clause in clause_intents
    )
    if said in ("cancel", "handover") and own and (context.state.form is None or len(context.text.split()) > 3):
        said = None
    act = said or meant
    return None if act == "cancel" and keeps(context.text) else act


def is_weak(clause: ClauseIntent) -> bool:
    """Whether it is no more likely than not that its intent is meant: plain words for leaving go before it."""
    return clause.decision.score < CERTAIN


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
