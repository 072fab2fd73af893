"""The state prompt: what of the state a model is told when it talks, a few lines in the dialogue's language."""

import json

from zhuli.types.understanding.domain import DomainFields
from zhuli.types.understanding.understanding import Decision, DialogueState
from zhuli.understanding.dialogue.forms_and_slots import form_named
from zhuli.understanding.dialogue.responses.built_in_responses import LISTS, STATE_PROMPT
from zhuli.understanding.dialogue.responses.responses import held, question, spoken

MOST_CHARACTERS = 200
"""Of a value that are told; what a slot is for is short."""


def state_prompt(domain: DomainFields, state: DialogueState, decision: Decision) -> str:
    """A system message: intent, filled slots, the open form and what it misses, and what the decision asks of the model.

    Values are JSON, so that one that looks like a line of ours is still seen to be a value.
    """
    words, comma = STATE_PROMPT[state.language or "en"], LISTS[state.language or "en"]
    lines = [words["head"]]
    if state.intent:
        described = {intent.name: intent.description for intent in domain.intents}.get(state.intent)
        lines.append(words["intent"].format(intent=f"{state.intent} ({described})" if described else state.intent))
    known = {name: slot.value for name, slot in state.slots.items() if slot.value is not None}
    if known:
        lines.append(
            words["slots"].format(slots=comma.join(f"{name} = {_data(value)}" for name, value in known.items()))
        )
    lines += _open_form(domain, state)
    if decision.text:
        lines.append(words["first"].format(text=json.dumps(decision.text, ensure_ascii=False)))
    if decision.instructions:
        lines.append(decision.instructions)
    asked = question(domain, state.asked, state) if state.asked else ""
    if asked and asked not in (decision.text or ""):
        lines.append(words["then"].format(question=json.dumps(asked, ensure_ascii=False)))
    return "\n".join(lines)


def _open_form(domain: DomainFields, state: DialogueState) -> list[str]:
    words, comma = STATE_PROMPT[state.language or "en"], LISTS[state.language or "en"]
    form = form_named(domain, state.form)
    if form is None:
        return []
    missing = [name for name in form.slots if held(state, name) is None]
    waiting = [topic.form for topic in state.topics[:-1] if topic.form]
    lines = [words["form"].format(form=spoken(form.name))]
    if missing:
        lines.append(words["missing"].format(missing=comma.join(spoken(name) for name in missing)))
    if waiting:
        lines.append(words["waiting"].format(waiting=comma.join(spoken(name) for name in waiting)))
    return lines


def _data(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MOST_CHARACTERS else json.dumps(text[:MOST_CHARACTERS], ensure_ascii=False)
