"""What is said to small talk, in every domain: a built-in sentence or what the domain says, and the open question once more."""

from typing import Final

from zhuli.types.understanding.domain import OUT_OF_SCOPE, DomainFields, SmallTalk
from zhuli.types.understanding.understanding import Asked, Decision, DialogueState, HandedOver
from zhuli.understanding.dialogue.forms_and_slots import form_named, slot_named
from zhuli.understanding.dialogue.policy.actions import as_one, perform
from zhuli.understanding.dialogue.policy.form_policy import Move
from zhuli.understanding.dialogue.responses import responses
from zhuli.understanding.dialogue.responses.responses import built_in, choices, joined, question
from zhuli.understanding.dialogue.utterance.interpreted_utterance import InterpretedUtterance

_UNREPEATED: Final[frozenset[SmallTalk]] = frozenset(("wait",))
"""After these the question stands, and is not asked again at once."""

_NEEDS_AN_ANSWER: Final[frozenset[SmallTalk]] = frozenset(("dont_know", "any", "told"))
"""Said to a question that stays open: what it may be is told, and how to get out."""


def small_talk(domain: DomainFields, state: DialogueState, utterance: InterpretedUtterance) -> Move | None:
    """None where the message was something else, too."""
    said = utterance.talk
    if said is None or utterance.usable or utterance.refused or utterance.cancels or utterance.opened:
        return None
    if (utterance.act is not None and utterance.asked is not None) or set(utterance.rules) - {OUT_OF_SCOPE}:
        return None
    decision = _answer(domain, state, utterance, said)
    asked = utterance.asked
    if asked is None or not _still_open(domain, state, asked):
        return decision, [HandedOver()] if decision.act == "hand_over" else []
    if decision.act == "hand_over":
        return decision, [HandedOver()]
    again = None if said in _UNREPEATED else _asked_again(domain, state, asked, said)
    text = Decision(
        act="ask" if asked.slot else "confirm", text=again, slot=asked.slot, why="What was asked is still open."
    )
    return as_one([decision, text]), [asked]


def taken_back(domain: DomainFields, state: DialogueState) -> Move:
    """The user goes on with the assistant, while no person has taken the thread."""
    why = "The user wants no person after all."
    return Decision(act="respond", text=built_in("taken_back", state.language), why=why), [HandedOver(released=True)]


def _answer(domain: DomainFields, state: DialogueState, utterance: InterpretedUtterance, said: SmallTalk) -> Decision:
    why = f"It is small talk: {said}."
    own = domain.fallback.small_talk.get(said)
    if own is not None:
        return perform(domain, state, own, utterance, form=None, why=why)
    return Decision(
        act="respond",
        text=responses.small_talk(domain, said, state.language, asked=utterance.asked is not None),
        why=why,
    )


def _still_open(domain: DomainFields, state: DialogueState, asked: Asked) -> bool:
    return bool(asked.intents) or form_named(domain, state.form) is not None


def _asked_again(domain: DomainFields, state: DialogueState, asked: Asked, said: SmallTalk) -> str:
    slot = slot_named(domain, asked.slot)
    help_out = said in _NEEDS_AN_ANSWER and slot is not None
    return joined(
        question(domain, asked, state),
        choices(slot, state.language) if help_out and slot else None,
        built_in("way_out", state.language) if help_out else None,
    )
