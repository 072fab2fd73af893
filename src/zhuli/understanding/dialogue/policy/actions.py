"""From an action of the domain to a decision, and from several decisions to the one that a reply is."""

import re
from collections.abc import Sequence
from typing import Any

from zhuli.types.understanding.domain import (
    Action,
    Answer,
    Call,
    Clarify,
    DomainFields,
    Form,
    HandOver,
    Leave,
    Open,
    Respond,
    RuleStep,
    Search,
    Talk,
)
from zhuli.types.understanding.understanding import Decision, DialogueState, FurtherCall
from zhuli.understanding.dialogue.forms_and_slots import slots_of
from zhuli.understanding.dialogue.responses.responses import built_in, held, joined, said
from zhuli.understanding.dialogue.utterance.interpreted_utterance import InterpretedUtterance

_WHOLE = re.compile(r"^\{(\w[^\s{}\[\]()]*)\}$")
_SILENT = ("hand_over", "call", "search", "talk")
"""Acts that are more than a text, the weightiest first: a reply has one of them."""


def perform(
    domain: DomainFields,
    state: DialogueState,
    action: Action,
    utterance: InterpretedUtterance,
    *,
    form: Form | None,
    why: str,
) -> Decision:
    """What the action is in this state. form: whose slots a call takes as its arguments."""
    match action:
        case Respond():
            response = domain.responses.get(action.response)
            if response is None:
                return Decision(act="talk", why=f"There is no response '{action.response}'.")
            text = said(response, state, state.language)
            return Decision(act="respond", text=text, why=why, did=[action.response])
        case Call():
            arguments = _arguments(domain, state, action, form)
            return Decision(
                act="call",
                function=action.function,
                arguments=arguments,
                response=action.response,
                why=why,
                did=[action.function, *([action.response] if action.response else [])],
            )
        case Search():
            query = said(action.query, state, state.language).strip() if action.query else ""
            return Decision(act="search", query=query or utterance.text, why=why)
        case HandOver():
            own = domain.responses.get(action.response) if action.response else None
            text = said(own, state, state.language) if own else built_in("hand_over", state.language)
            return Decision(
                act="hand_over", text=text, why=why, did=[action.response] if own and action.response else []
            )
        case Talk():
            return Decision(act="talk", instructions=action.instructions, why=why)
        case Clarify():
            return Decision(act="clarify", why=why)


def perform_steps(
    domain: DomainFields,
    state: DialogueState,
    steps: Sequence[RuleStep],
    utterance: InterpretedUtterance,
    *,
    own: Action | None,
    form: Form | None,
    why: str,
) -> Decision | None:
    """What a rule's steps are together; None where nothing is said and done. own: what the intent does without the rule.

    Functions are called together, and texts after them are said with the output; of others that are more than a text the first
    is done.
    """
    main: Decision | None = None
    texts: list[str | None] = []
    did: list[str] = []
    after: list[str] = []
    also: list[FurtherCall] = []
    for step in steps:
        action = own if step.type == "answer" else None if step.type in ("open", "leave") else step
        if action is None or isinstance(action, Open | Leave | Answer):
            continue
        made = perform(domain, state, action, utterance, form=form, why=why)
        if isinstance(action, Respond) and main is not None and main.act == "call":
            after.append(action.response)
            did.append(action.response)
        elif made.act == "respond":
            texts.append(made.text)
            did += made.did
        elif main is None:
            main = made
            did += made.did
        elif main.act == made.act == "call":
            also.append(_further(made))
            did += made.did
    if main is None:
        return Decision(act="respond", text=joined(*texts), why=why, did=did) if did else None
    return main.model_copy(update={"text": joined(*texts, main.text) or None, "then": after, "also": also, "did": did})


def as_one(decisions: Sequence[Decision]) -> Decision:
    """One decision for all: their texts in order, and of the acts that are more than a text the weightiest; all functions are
    called together.

    Where such an act is, a question at the end is left to it: who words that reply knows from the state what was asked.
    """
    weighty = [one for act in _SILENT for one in decisions if one.act == act]
    if not weighty:
        last = decisions[-1]
        all_of_it = {"text": joined(*(one.text for one in decisions)), "why": _reasons(decisions)}
        return last.model_copy(update={**all_of_it, "did": [name for one in decisions for name in one.did]})
    main = weighty[0]
    before = [one for one in decisions if one.act in ("respond", "cancel")]
    text = joined(*(one.text for one in before), main.text) or None
    others = [one for one in weighty[1:] if main.act == one.act == "call"]
    did = [name for one in (*before, main, *others) for name in one.did]
    together = {
        "then": [
            *main.then,
            *(one.response for one in others if one.response),
            *(name for one in others for name in one.then),
        ],
        "also": [*main.also, *(further for one in others for further in (_further(one), *one.also))],
    }
    return main.model_copy(update={"text": text, "why": _reasons(decisions), "did": did, **together})


def _further(made: Decision) -> FurtherCall:
    return FurtherCall(function=made.function or "", arguments=made.arguments or {})


def _reasons(decisions: Sequence[Decision]) -> str:
    return " ".join(dict.fromkeys(one.why for one in decisions if one.why))


def _arguments(domain: DomainFields, state: DialogueState, action: Call, form: Form | None) -> dict[str, Any]:
    if action.arguments is None:
        values = {slot.name: held(state, slot.name) for slot in slots_of(domain, form)}
        return {name: value for name, value in values.items() if value is not None}
    return {key: value for key, value in _filled(action.arguments, state).items() if value is not None}


def _filled(value: Any, state: DialogueState) -> Any:
    """Templates in an argument; a lone placeholder keeps its value's type, and goes where its slot holds nothing."""
    match value:
        case str() if lone := _WHOLE.match(value):
            return held(state, lone.group(1))
        case str():
            return said(value, state, state.language)
        case list():
            return [filled for item in value if (filled := _filled(item, state)) is not None]
        case dict():
            filled_items = ((key, _filled(item, state)) for key, item in value.items())
            return {key: filled for key, filled in filled_items if filled is not None}
        case _:
            return value
