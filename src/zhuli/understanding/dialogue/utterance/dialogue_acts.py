"""What a message does, beside what it is about: yes, no, leaving, calling a person, choosing; by its words or by an intent."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from zhuli.types.understanding.domain import Act
from zhuli.understanding.dialogue.forms_and_slots import intent_named
from zhuli.understanding.dialogue.utterance.answers import chosen, keeps, leaves
from zhuli.understanding.dialogue.utterance.intent_decision import IntentDecision
from zhuli.understanding.dialogue.utterance.multi_intent import Part, Wish
from zhuli.understanding.dialogue.utterance.utterance_context import Turn
from zhuli.understanding.language.acts.dialogue_acts import act_of

Said = Act | Literal["correct"] | None


def said_in(turn: Turn, parts: Sequence[Part]) -> Said:
    """What the words say, of the whole message or else of how it begins: "yes, and what are your hours?"."""
    said = act_of(turn.text)
    if said is None and parts:
        (start, end), _ = parts[0]
        said = act_of(turn.text[start:end])
    if said != "handover" and turn.state.form is not None:
        topic = turn.state.topics[-1]
        return "cancel" if leaves(turn.text, [turn.state.form, topic.intent]) else said
    return said


def act_meant(turn: Turn, said: Act | None, wishes: Sequence[Wish]) -> Act | None:
    """By wording, or else by an intent that has an act.

    A wish of its own is not taken for cancelling or calling a person because of a word in it, unless it is only that word.
    """
    meant = next((wish.intent.act for wish in wishes if wish.intent and wish.intent.act), None)
    own = any(wish.intent and not wish.intent.act and not wish.informs for wish in wishes)
    if said in ("cancel", "handover") and own and (turn.state.form is None or len(turn.text.split()) > 3):
        said = None
    act = said or meant
    return None if act == "cancel" and keeps(turn.text) else act


def by_act(turn: Turn, wish: Wish, act: Act | None) -> Wish:
    """What no intent was believed of, but says yes, no or the like, is the domain's intent for that."""
    intent = next((intent for intent in turn.domain.intents if intent.act == act), None)
    if act is None or intent is None or wish.intent is not None or wish.informs:
        return wish
    return replace(
        wish, intent=intent, belief=IntentDecision(intent.name, wish.belief.threshold, wish.belief.threshold)
    )


def chosen_wish(turn: Turn, act: Act | None) -> list[Wish]:
    """The one wish that was picked of those that were offered."""
    if turn.asked is None or not turn.asked.intents or act in ("cancel", "handover"):
        return []
    name = chosen(turn.domain, turn.asked.intents, turn.text, yes=act == "affirm")
    intent = intent_named(turn.domain, name)
    if intent is None:
        return []
    informs = intent.form is not None and intent.form == turn.state.form
    return [Wish(0, len(turn.text), IntentDecision(intent.name, 1.0, 0.0), intent, informs)]
