"""Makes a domain of a Dialogflow ES agent's export; what of it is not taken over is a finding that says what, where and why.

Intents, entities, parameters with prompts, texts and the webhook are taken; contexts are conditions of rules.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from zhuli.types.understanding.domain import OUT_OF_SCOPE, DomainFields, Finding
from zhuli.understanding.domains.dialogflow.agent_files import Agent, Part, read_agent
from zhuli.understanding.domains.dialogflow.contexts import (
    IntentRead,
    act_of,
    bound,
    inputs_of,
    merged,
    outputs_of,
    rules_of,
)
from zhuli.understanding.domains.dialogflow.entities import entities_of, entity_of
from zhuli.understanding.domains.dialogflow.parameters import Parameters, Slots
from zhuli.understanding.domains.imports.draft import Draft, Mark, Said, marked, wording
from zhuli.understanding.domains.imports.json_files import dicts, text, texts
from zhuli.understanding.domains.imports.notes import Names, function_name, markable

Data = dict[str, Any]


def read(files: Mapping[str, str]) -> tuple[DomainFields, list[Finding]]:
    """The domain, and what of the files is not in it; files: their texts by name. InvalidRequest for what is no agent."""
    draft = Draft()
    agent = read_agent(files, draft.notes)
    return _Reader(agent, draft).domain(), list(draft.notes)


class _Reader:
    def __init__(self, agent: Agent, draft: Draft) -> None:
        self._agent, self._draft = agent, draft
        self._names = Names(OUT_OF_SCOPE)
        self._slots = Slots(draft, agent.spoken)
        self._marked: dict[str, list[str]] = {}

    def domain(self) -> DomainFields:
        draft, agent = self._draft, self._agent
        draft.name = text(agent.fields.get("displayName")) or text(agent.fields.get("name"))
        draft.timezone = text(agent.fields.get("defaultTimezone"))
        draft.languages = list(agent.spoken.values())
        parts = [part for part in agent.intents.values() if self._is_used(part)]
        of = {part.name: self._slots.parameters(part, self._names(part.name)) for part in parts}
        self._slots.keep_those_of_contexts(parts)
        found = [self._intent(part, of[part.name]) for part in parts]
        self._take(found)
        used = [one["entity"] for slot in draft.slots.values() for one in slot["mappings"] if one["type"] == "entity"]
        listed = entities_of(agent, dict.fromkeys([*used, *self._marked]), self._marked, draft.notes)
        draft.entities = {entity["name"]: entity for entity in listed}
        if isinstance(agent.fields.get("mlMinConfidence"), int | float):
            text_ = (
                "The agent's classification threshold is of another scale, so that it is chosen from the examples here."
            )
            draft.notes.add("threshold", "agent.json", None, text_)
        return draft.domain()

    def _is_used(self, part: Part) -> bool:
        if isinstance(part.fields.get("priority"), int) and part.fields["priority"] < 0:
            self._draft.notes.add(
                "ignored", part.file, None, f"'{part.name}' is switched off (its priority is below 0)."
            )
            return False
        return True

    def _take(self, found: Sequence[IntentRead]) -> None:
        """Intents and rules into the draft."""
        draft = self._draft
        conditional = [intent for intent in found if bound(intent, found, draft.notes)]
        groups = merged([intent for intent in conditional if not intent.fallback], self._names, draft.notes)
        names = {intent.name: name for name, group in groups for intent in group}
        for intent in found:
            if intent.fallback:
                draft.out_of_scope += intent.examples
                if intent not in conditional and intent.does and intent.does[0]["type"] != "open":
                    draft.fallback.setdefault("out_of_scope", intent.does[0])
            elif intent not in conditional:
                draft.intents[intent.name] = {"name": intent.name, "examples": intent.examples} | _own(intent)
        for name, group in groups:
            examples = list(dict.fromkeys(example for intent in group for example in intent.examples))
            draft.intents[name] = {"name": name, "examples": examples}
            if (act := act_of(group)) is not None:
                draft.intents[name]["act"] = act
                text_ = f"The intent '{name}' is taken to mean `act: {act}`. Remove that if it does not."
                draft.notes.add("act_guessed", name, None, text_)
        draft.rules = rules_of(conditional, found, names, draft.notes)

    def _intent(self, part: Part, own: Parameters) -> IntentRead:
        draft, fields = self._draft, part.fields
        name = self._names(part.name)
        said = self._said(part, own)
        response = draft.respond(name, said)
        action = response
        fallback = fields.get("fallbackIntent") is True
        if fields.get("webhookUsed") is True and not (fallback and response):  # what nobody understood calls nothing
            action = self._call(part, own, response)
        if own.required:
            self._form(name, own, action)
            does: list[Data] = [{"type": "open", "form": name}]
        else:
            does = [action] if action is not None else []
        ends = name if response else action["function"] if action else None if own.required else f"/{name}"
        self._told(part)
        return IntentRead(
            file=part.file,
            name=name,
            given=part.name,
            examples=self._examples(part, own),
            does=does,
            ends=ends,
            inputs=inputs_of(fields),
            outputs=outputs_of(fields),
            fallback=fallback,
        )

    def _form(self, name: str, own: Parameters, action: Data | None) -> None:
        slots = self._draft.slots
        prompts = {
            slot: wording(said) for slot, said in own.prompts.items() if slots[slot].get("prompt") != wording(said)
        }
        optional = [slot for slot in dict.fromkeys(own.optional) if slot not in own.required]
        form = {"name": name, "slots": own.required, "optional": optional, "prompts": prompts}
        self._draft.forms[name] = form | {"action": action or {"type": "talk"}}

    def _call(self, part: Part, own: Parameters, response: Data | None) -> Data:
        actions = [text(one.get("action")) for one in dicts(part.fields.get("responses"))]
        function = function_name(next((action for action in actions if action), part.name))
        text_ = f"The webhook of '{part.name}' becomes a call of the client's function '{function}': the app does what it did."
        self._draft.notes.add("becomes_function", part.file, None, text_)
        said = {"response": response["response"]} if response else {}
        return {"type": "call", "function": function, "arguments": own.arguments(), **said}

    def _examples(self, part: Part, own: Parameters) -> list[str]:
        found: dict[str, None] = {}
        for _, phrase in self._agent.taken(part):
            if phrase.get("isTemplate") is True:
                self._draft.notes.add(
                    "template", part.file, None, f"A template of '{part.name}' is left out: write examples."
                )
                continue
            words, marks = "", list[Mark]()
            for piece in dicts(phrase.get("data")):
                said = piece["text"] if isinstance(piece.get("text"), str) else ""
                meta, alias = text(piece.get("meta")), text(piece.get("alias"))
                if meta is not None and meta != "@sys.ignore" and said.strip():
                    role = markable(alias) if alias and alias in own.roles else None
                    marks.append(Mark(len(words), len(words) + len(said), entity_of(meta), role))
                    self._marked.setdefault(entity_of(meta), []).append(said.strip())
                words += said
            if words.strip():
                found[marked(words, marks).strip()] = None
        return list(found)

    def _said(self, part: Part, own: Parameters) -> Said:
        """Its texts, a line each; of variations the first."""
        said: Said = {}
        for response in dicts(part.fields.get("responses")):
            for message in dicts(response.get("messages")):
                self._message(said, part, message)
            if not said and (old := texts(response.get("speech"))):
                said[self._agent.spoken[""]] = old[0]
        return {language: self._slots.filled(words, own) for language, words in said.items()}

    def _message(self, said: Said, part: Part, message: Data) -> None:
        notes, variants = self._draft.notes, texts(message.get("speech"))
        if message.get("platform") not in (None, "") or str(message.get("type", "0")) not in ("0", "message"):
            notes.add(
                "no_text_extras", part.file, None, f"Of what '{part.name}' answers, texts are taken, but not all else."
            )
            return
        language = self._agent.spoken.get((text(message.get("lang")) or "").lower())
        if language is None or not variants:
            return
        said[language] = f"{said[language]}\n{variants[0]}" if language in said else variants[0]
        if len(variants) > 1:
            text_ = f"Of the {len(variants)} variations of an answer of '{part.name}' only one is taken."
            notes.add("variations", part.file, None, text_)

    def _told(self, part: Part) -> None:
        """What else the intent has."""
        notes, fields = self._draft.notes, part.fields
        if names := [str(event.get("name")) for event in dicts(fields.get("events"))]:
            notes.add(
                "no_events", part.file, None, f"'{part.name}' is not triggered by events ({', '.join(names)}) here."
            )
        if fields.get("webhookForSlotFilling") is True:
            text_ = f"'{part.name}' asks for its parameters by itself: a webhook for slot filling is not called."
            notes.add("slot_filling_webhook", part.file, None, text_)
        for key in ("conditionalResponses", "conditionalFollowupEvents"):
            if fields.get(key):
                notes.add("conditional_response", part.file, None, f"{key} of '{part.name}' are left out: write rules.")


def _own(intent: IntentRead) -> Data:
    """What it does by itself."""
    if not intent.does:
        return {}
    step = intent.does[0]
    return {"form": step["form"]} if step["type"] == "open" else {"action": step}
