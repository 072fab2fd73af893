"""What is said: templates filled with slots, in the language of the dialogue, and the questions of forms.

It decides nothing: what is to be said is the policy's.
"""

import json
import re
from typing import Any

from zhuli.types.understanding.domain import DomainFields, Form, Language, Slot, SmallTalk, Wording
from zhuli.types.understanding.understanding import Asked, Decision, DialogueState
from zhuli.understanding.dialogue.forms_and_slots import form_named, slot_named
from zhuli.understanding.dialogue.responses.built_in_responses import (
    BUILT_IN,
    LISTS,
    NO_TOPICS,
    SMALL_TALK,
    YES_NO,
)
from zhuli.understanding.language.tokens import unspaced

RESULT = "result"
"""In the response of a call, the function's output."""

_PLACEHOLDER = re.compile(r"\{(\w[^\s{}\[\]()]*)\}")


def said(wording: Wording, state: DialogueState, language: Language | None, **more: Any) -> str:
    """The text with `{slot}` replaced by what the slot holds; `more` are values by other names, which come first.

    A slot that holds nothing leaves nothing. A value is put in as it is: braces in it stand for nothing.
    """
    text = in_language(wording, language)

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        return shown(more[name] if name in more else held(state, name), language)

    return _PLACEHOLDER.sub(value, text)


def in_language(wording: Wording, language: Language | None) -> str:
    """The text in this language, or else the first that there is."""
    if isinstance(wording, str):
        return wording
    return wording[language] if language in wording else next(iter(wording.values()))


def built_in(key: str, language: Language | None, **values: str) -> str:
    """A sentence of our own."""
    return BUILT_IN[key][language or "en"].format(**values)


def small_talk(domain: DomainFields, said: SmallTalk, language: Language | None, *, asked: bool) -> str:
    """What is said to it; `{topics}` are the domain's intents, by their descriptions. asked: a question is open."""
    if said == "greet" and asked:
        return built_in("hello", language)
    return SMALL_TALK[said][language or "en"].format(topics=_topics(domain, language))


MOST_TOPICS_NAMED = 5


def _topics(domain: DomainFields, language: Language | None) -> str:
    """What the domain does, in the words of its author where they are in the user's language."""
    doing = [intent for intent in domain.intents if intent.act is None and (intent.form or intent.action)]
    described = [intent for intent in doing if intent.description]
    texts = [(intent.description or spoken(intent.name)).rstrip(" .。") for intent in described or doing]
    names = [text for text in texts if any(map(unspaced, text)) == (language == "zh")]
    return LISTS[language or "en"].join(names[:MOST_TOPICS_NAMED]) or NO_TOPICS[language or "en"]


def held(state: DialogueState, slot: str) -> Any:
    """The slot's value, None if it has none."""
    known = state.slots.get(slot)
    return known.value if known else None


def shown(value: Any, language: Language | None) -> str:
    """A value as it is said: whole numbers without a point, yes and no, amounts with their currency, lists with commas."""
    match value:
        case None:
            return ""
        case bool():
            return YES_NO[language or "en"][0 if value else 1]
        case float() if value.is_integer():
            return str(int(value))
        case {"amount": amount, "currency": currency}:
            return f"{shown(amount, language)} {currency}"
        case list():
            return LISTS[language or "en"].join(shown(item, language) for item in value)
        case dict():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)


def spoken(name: str) -> str:
    """A name of the domain as words, without what it is within: "origin city" of Flights.origin_city."""
    return name.rpartition(".")[2].replace("_", " ").replace("-", " ").strip()


def question(domain: DomainFields, asked: Asked, state: DialogueState) -> str:
    """What was asked, or is to be: for a slot, to confirm, or which intent was meant."""
    language = state.language
    if asked.intents:
        return _choice(domain, asked.intents, language)
    if asked.slot is not None:
        slot = slot_named(domain, asked.slot)
        return _slot_question(slot, form_named(domain, state.form), state) if slot else ""
    form = form_named(domain, state.form)
    return _confirmation(form, state) if form else ""


def choices(slot: Slot, language: Language | None) -> str | None:
    """What the slot may be, if that is a short list."""
    if not 0 < len(slot.values) <= 12:
        return None
    named = LISTS[language or "en"].join(value.value for value in slot.values)
    return built_in("choices", language, choices=named)


def joined(*texts: str | None) -> str:
    """Texts one after the other, a line each; none for what is empty."""
    return "\n".join(text for text in texts if text)


def after_call(domain: DomainFields, decision: Decision, state: DialogueState, output: str) -> str | None:
    """What is said when the function's output is there; None: the model talks.

    state: after all changes of the understanding, so that a form that waits goes on with its question. `{result}` is the
    output, `{result.key}` a member of it if it is a JSON object, `{key}` too where `key` is one of the domain's variables. An
    output {"responses": [{"response": name, key: value}, {"text": …}]}, as Rasa's action servers give, says these first.
    """
    known = _held_last(state) | _results(output)
    texts = [
        said(domain.responses[one["response"]], state, state.language, **(known | one))
        if one.get("response") in domain.responses
        else one["text"]
        for one in _chosen(output)
        if one.get("response") in domain.responses or isinstance(one.get("text"), str)
    ]
    known |= {name: known[f"{RESULT}.{name}"] for name in domain.variables if f"{RESULT}.{name}" in known}
    named = [*([decision.response] if decision.response else []), *decision.then]
    texts += [
        said(domain.responses[name], state, state.language, **known) for name in named if name in domain.responses
    ]
    if not texts:
        return None
    asked = question(domain, state.asked, state) if state.asked else None
    return joined(decision.text, *texts, built_in("back", state.language, question=asked) if asked else None)


def _chosen(output: str) -> list[dict[str, Any]]:
    """The responses that the function itself wants said."""
    try:
        parsed = json.loads(output)
    except (ValueError, RecursionError):
        return []
    found = parsed.get("responses") if isinstance(parsed, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _held_last(state: DialogueState) -> dict[str, Any]:
    """Of each slot what it held last: those of the form were cleared when it was done, and the call was for them."""
    return {name: slot.history[-1].value for name, slot in state.slots.items() if slot.history}


def _results(output: str) -> dict[str, Any]:
    """The output and its members, by the names that templates have for them: result, result.key, result.key.key …"""
    try:
        parsed = json.loads(output)
    except (ValueError, RecursionError):
        return {RESULT: output}
    if not isinstance(parsed, dict):
        return {RESULT: parsed if isinstance(parsed, str | int | float | list) else output}
    members = {f"{RESULT}.{key}": value for key, value in parsed.items()}
    for key, value in parsed.items():
        if isinstance(value, dict):
            members |= {f"{RESULT}.{key}.{inner}": item for inner, item in value.items()}
    return {RESULT: output, **members}


def _slot_question(slot: Slot, form: Form | None, state: DialogueState) -> str:
    """In the form's own words, or else the slot's."""
    prompt = form.prompts.get(slot.name, slot.prompt) if form else slot.prompt
    if prompt is not None:
        return said(prompt, state, state.language)
    return built_in("ask", state.language, name=spoken(slot.name))


def _confirmation(form: Form, state: DialogueState) -> str:
    if form.confirm is not None:
        return said(form.confirm, state, state.language)
    values = {name: held(state, name) for name in form.slots}
    listed = [f"{spoken(name)}: {shown(value, state.language)}" for name, value in values.items() if value is not None]
    return built_in("confirm", state.language, values=LISTS[state.language or "en"].join(listed))


def _choice(domain: DomainFields, intents: list[str], language: Language | None) -> str:
    described = {intent.name: intent.description for intent in domain.intents}
    if len(intents) == 1:
        return built_in("sure", language, choice=described.get(intents[0]) or spoken(intents[0]))
    lines = [f"{n}. {described.get(name) or spoken(name)}" for n, name in enumerate(intents, start=1)]
    return built_in("clarify", language, choices="\n".join(lines))
