"""Makes a domain of a Botpress 12 bot: intents with slots, entities, questions with answers, and of flows what an intent begins.

Flows beyond that, actions' code and hooks are programs; each is a finding.
"""

from collections.abc import Mapping

from zhuli.types.understanding.domain import OUT_OF_SCOPE, DomainFields, Finding, Language
from zhuli.understanding.domains.botpress.bot_files import Bot, read_bot
from zhuli.understanding.domains.botpress.flows import Followed, follow, said_by
from zhuli.understanding.domains.imports.draft import Draft, Mark, Said, language_of, marked, unmarked, wording
from zhuli.understanding.domains.imports.json_files import Data, dicts, fields, text, texts
from zhuli.understanding.domains.imports.notes import Names, clean, markable
from zhuli.understanding.domains.imports.value_lists import pattern_entity, value_list
from zhuli.understanding.language.marked_examples import BadMark, read_marks

SYSTEM = {
    "number": "number",
    "ordinal": "number",
    "quantity": "number",
    "temperature": "number",
    "distance": "number",
    "volume": "number",
    "time": "date",
    "amountOfMoney": "money",
    "phoneNumber": "phone",
    "email": "email",
}
"""Kinds of Botpress's own; `time` is Duckling's, which are days more often than hours."""

_TYPES = {"number": "number", "date": "date", "time": "time", "money": "number"}
"""Of slots, by their entity's kind."""


def read(files: Mapping[str, str]) -> tuple[DomainFields, list[Finding]]:
    """The domain, and what of the files is not in it; files: their texts by name. InvalidRequest for what is no bot."""
    draft = Draft()
    bot = read_bot(files, draft.notes)
    return _Reader(bot, draft).domain(), list(draft.notes)


class _Reader:
    def __init__(self, bot: Bot, draft: Draft) -> None:
        self._bot, self._draft, self._names = bot, draft, Names(OUT_OF_SCOPE)
        self._spoken = _spoken(bot, draft)
        self._kinds: dict[str, str] = {}

    def domain(self) -> DomainFields:
        bot, draft = self._bot, self._draft
        draft.name = text(bot.config.get("name"))
        draft.languages = list(self._spoken.values())
        for file, entity in bot.entities:
            self._entity(file, entity)
        followed = follow(bot, draft.notes)
        for file, intent in bot.intents:
            self._intent(file, intent, followed)
        for file, question in bot.questions:
            self._question(file, question)
        return draft.domain()

    def _entity(self, file: str, entity: Data) -> None:
        given = text(entity.get("name")) or text(entity.get("id"))
        if given is None or entity.get("type") == "system":
            return
        name = markable(given)
        if entity.get("type") == "pattern" or text(entity.get("pattern")):
            flags = "" if entity.get("matchCase") is True else "(?i)"
            patterns = [f"{flags}{pattern}" for pattern in texts(entity.get("pattern"))]
            self._draft.entities[name] = pattern_entity(name, patterns, self._draft.notes)
        else:
            rows = [
                (text(one.get("name")) or "", texts(one.get("synonyms"))) for one in dicts(entity.get("occurrences"))
            ]
            self._draft.entities[name] = value_list(name, rows)
            if not rows:
                self._draft.notes.add("no_values", file, None, f"'{given}' lists nothing: it is learned from marks.")

    def _intent(self, file: str, intent: Data, followed: Followed) -> None:
        given = text(intent.get("name"))
        if given is None:
            self._draft.notes.add("left_alone", file, None, "An intent without a name is left out.")
            return
        name, draft = self._names(given), self._draft
        slots = {str(one["name"]): one for one in dicts(intent.get("slots")) if text(one.get("name"))}
        entities = {slot: self._entity_of(file, slot, one) for slot, one in slots.items()}
        roles = {slot for slot in slots if list(entities.values()).count(entities[slot]) > 1}
        for slot, entity in entities.items():
            self._slot(slot, entity, role=slot in roles, free="any" in texts(slots[slot].get("entities")))
        examples: list[str] = []
        for code, utterances in fields(intent.get("utterances")).items():
            if code in self._spoken:
                examples += [self._example(file, words, entities, roles) for words in texts(utterances)]
        if (contexts := texts(intent.get("contexts"))) and contexts != ["global"]:
            draft.notes.add(
                "contexts", file, None, f"'{given}' is understood everywhere, not only in {', '.join(contexts)}."
            )
        draft.intents[name] = {"name": name, "examples": list(dict.fromkeys(examples))}
        draft.intents[name] |= self._does(name, given, entities, followed)

    def _does(self, name: str, given: str, entities: Mapping[str, str], followed: Followed) -> Data:
        """The form or the action that the flows have for it."""
        draft = self._draft
        said = self._contents(followed.says.get(given, []))
        action = draft.respond(name, said)
        if (function := followed.calls.get(given)) is not None:
            text_ = f"'{function}' becomes a call of the client's function of that name: the app does what it did."
            draft.notes.add("becomes_function", name, None, text_)
            arguments = {slot: f"{{{clean(slot)}}}" for slot in entities}
            action = {"type": "call", "function": function, "arguments": arguments}
            action |= {"response": name} if said else {}
        asked = {slot: content for slot, content in followed.asks.get(given, {}).items() if slot in entities}
        if not asked:
            return {"action": action} if action else {}
        prompts = {
            clean(slot): wording(words) for slot, content in asked.items() if (words := self._contents([content]))
        }
        optional = [clean(slot) for slot in entities if slot not in asked]
        form = {"name": name, "slots": [clean(slot) for slot in asked], "optional": optional, "prompts": prompts}
        draft.forms[name] = form | {"action": action or {"type": "talk"}}
        return {"form": name}

    def _entity_of(self, file: str, slot: str, one: Data) -> str:
        """What fills the slot: its first entity that is known, or one of its name, which marks teach."""
        given = [entity.removeprefix("custom.").removeprefix("system.") for entity in texts(one.get("entities"))]
        for entity in given:
            if markable(entity) in self._draft.entities and entity not in SYSTEM:
                self._told_several(file, slot, given)
                return markable(entity)
            if entity in SYSTEM:
                self._told_several(file, slot, given)
                self._draft.entities[entity] = {"name": entity, "kind": SYSTEM[entity]}
                self._kinds[entity] = SYSTEM[entity]
                return entity
            if entity != "any":
                text_ = f"The entity '{entity}' of the slot '{slot}' is not known here: it is learned from marks."
                self._draft.notes.add("kind_not_taken", file, None, text_)
        name = markable(slot)
        self._draft.entities.setdefault(name, {"name": name})
        return name

    def _told_several(self, file: str, slot: str, given: list[str]) -> None:
        if len(given) > 1:
            self._draft.notes.add(
                "several_entities", file, None, f"Of the entities of the slot '{slot}' the first is taken."
            )

    def _slot(self, slot: str, entity: str, *, role: bool, free: bool) -> None:
        kind = _TYPES.get(self._kinds.get(entity, ""), "text")
        name = clean(slot)
        made = self._draft.slots.setdefault(name, {"name": name, "type": kind, "mappings": [], "keep": False})
        mapping: Data = {"type": "entity", "entity": entity} | ({"role": markable(slot)} if role else {})
        if mapping not in made["mappings"]:
            made["mappings"].insert(0, mapping)
        if free and {"type": "text"} not in made["mappings"]:
            made["mappings"].append({"type": "text"})

    def _example(self, file: str, words: str, entities: Mapping[str, str], roles: set[str]) -> str:
        """The utterance, whose marks name slots, with marks that name their entities."""
        try:
            found = read_marks(words)
        except BadMark as bad:
            self._draft.notes.add("unreadable_example", file, None, f"The marks of an example are left out. {bad}")
            return unmarked(words)
        marks = [
            Mark(one.start, one.end, entities[one.entity], markable(one.entity) if one.entity in roles else None)
            for one in found.entities
            if one.entity in entities
        ]
        if len(marks) < len(found.entities):
            self._draft.notes.add(
                "unknown_slot", file, None, "Marks of slots that the intent does not have are left out."
            )
        return marked(found.text, marks)

    def _question(self, file: str, question: Data) -> None:
        data, draft = fields(question.get("data")) or question, self._draft
        asked = [words for code in self._spoken for words in texts(fields(data.get("questions")).get(code))]
        given = text(question.get("id")) or (asked[0] if asked else file)
        if data.get("enabled") is False:
            draft.notes.add("switched_off", file, None, f"The question '{given}' is switched off, so it is left out.")
            return
        name = self._names(f"qna/{given}")
        said: Said = {}
        for code, language in self._spoken.items():
            answers = texts(fields(data.get("answers")).get(code))
            if answers:
                said.setdefault(language, self._answer(answers[0], code))
            if len(answers) > 1:
                draft.notes.add("variations", file, None, "Of several answers to a question the first is taken.")
        action = draft.respond(name, {language: words for language, words in said.items() if words})
        if "redirect" in str(data.get("action")) and (flow := text(data.get("redirectFlow"))):
            draft.notes.add("redirect", file, None, f"After the question '{given}' the flow '{flow}' is not begun.")
        draft.intents[name] = {"name": name, "examples": list(dict.fromkeys(map(unmarked, asked)))}
        draft.intents[name] |= {"action": action} if action else {}

    def _answer(self, answer: str, code: str) -> str:
        """The text, also where it is a content element's."""
        if not answer.startswith("#!"):
            return answer
        return said_by(self._bot.contents.get(answer[2:], {}), [code]).get(code, "")

    def _contents(self, identifiers: list[str]) -> Said:
        """Texts of content elements, a line each; a note for one without text."""
        said: Said = {}
        for identifier in identifiers:
            found = said_by(self._bot.contents.get(identifier, {}), list(self._spoken))
            if not found and identifier:
                self._draft.notes.add(
                    "no_text", identifier, None, f"The content '{identifier}' has no text, so it is left out."
                )
            for code, words in found.items():
                language = self._spoken[code]
                said[language] = f"{said[language]}\n{words}" if language in said else words
        return said


def _spoken(bot: Bot, draft: Draft) -> dict[str, Language]:
    """The languages of the bot that are understood here, by code; the only one of another is taken as English."""
    own = text(bot.config.get("defaultLanguage"))
    used = [code for _, intent in bot.intents for code in fields(intent.get("utterances"))]
    used += [code for _, one in bot.questions for code in fields((fields(one.get("data")) or one).get("questions"))]
    codes = list(dict.fromkeys([*([own] if own else []), *texts(bot.config.get("languages")), *used]))
    known = {code: language for code in codes if (language := language_of(code))}
    if not known:
        code = codes[0] if codes else "en"
        text_ = f"The bot speaks '{code}'. Here English and Chinese are understood: its texts are taken as English."
        draft.notes.add("unknown_language", "bot.config.json", None, text_)
        return {code: "en"}
    for code in codes:
        if code not in known:
            draft.notes.add(
                "language_left_out", f"language {code}", None, "Its texts are left out: en and zh are taken."
            )
    return known
