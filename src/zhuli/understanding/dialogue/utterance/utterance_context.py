"""The message and where it meets the dialogue: what every step of interpretation needs, and what was found in the message."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from zhuli.types.understanding.domain import DomainFields, FromEntity, Language, Slot
from zhuli.types.understanding.understanding import Asked, DialogueState, EntityFound
from zhuli.understanding.dialogue.forms_and_slots import form_named, open_slots, slot_named
from zhuli.understanding.dialogue.named_slots import kind_of, nouns_of
from zhuli.understanding.dialogue.slot_mappings import implied_entities, kind_asked, loose_entities, mappings_of
from zhuli.understanding.dialogue.utterance.answers import Place, by_place, is_bare, only_says
from zhuli.understanding.dialogue.utterance.name_cues import speaks_of
from zhuli.understanding.language.acts.negation import with_negation
from zhuli.understanding.language.entity_extraction.chinese_names import whole_names
from zhuli.understanding.language.entity_extraction.entity_extraction import find_entities
from zhuli.understanding.language.entity_extraction.kinds import find_kinds
from zhuli.understanding.language.entity_extraction.merging import merged

_PLAIN = frozenset(("date", "time", "money", "phone", "email"))


@dataclass(frozen=True, slots=True)
class UtteranceContext:
    """asked: what was asked for, if the domain still has it."""

    domain: DomainFields
    state: DialogueState
    text: str
    language: Language | None
    now: datetime
    asked: Asked | None

    @property
    def slot(self) -> Slot | None:
        """The slot that was asked for; None where nothing was asked, or something else."""
        return slot_named(self.domain, self.asked.slot) if self.asked else None

    @property
    def confirming(self) -> bool:
        """Whether the message answers if all is right."""
        return self.asked is not None and self.asked.slot is None and not self.asked.intents


def open_question(domain: DomainFields, state: DialogueState) -> Asked | None:
    """What was asked, if the domain still has what it is about."""
    asked = state.asked
    if asked is None or asked.slot is None:
        return asked if asked and (asked.intents or form_named(domain, state.form)) else None
    return asked if any(slot.name == asked.slot for slot in open_slots(domain, state)) else None


def entities_in(context: UtteranceContext, learned: Sequence[EntityFound]) -> list[EntityFound]:
    """By rule and learned, those that the slots imply among them, in the order of the message.

    A number that picks one of the offered intents is no value. What was learned is none if it is made of words like "oh" and
    "let's", or says no more than a day, an hour or an amount: "next Monday" is no restaurant.
    """
    wanted = [*context.domain.entities, *implied_entities(context.domain)]
    asked = kind_asked(context.domain, context.slot)
    rules = find_entities(context.text, wanted, language=context.language, now=context.now, asked=asked)
    rules = _without_others_names(context, rules) + _kinds(context)
    plainly = [(one.start, one.end) for one in rules if one.source in _PLAIN]
    if context.asked is not None and by_place(context.asked.intents, context.text):
        rules = [one for one in rules if one.source != "number"]
    named = [one for one in learned if not _says_no_more(context.text, one, plainly)]
    return with_negation(context.text, merged(rules, whole_names(context.text, named)))


def _kinds(context: UtteranceContext) -> list[EntityFound]:
    """What stands before what the slots for kinds have kinds of."""
    return [
        EntityFound(entity=slot.name, text=one.value, value=one.value, start=one.start, end=one.end, source="name")
        for slot in context.domain.slots
        if kind_of(slot) == "kind" and not slot.mappings
        for one in find_kinds(context.text, nouns_of(slot))
    ]


def _without_others_names(context: UtteranceContext, rules: Sequence[EntityFound]) -> list[EntityFound]:
    """Names stay where their words say that they are the slot's, or it was asked for and they say nothing else."""
    names = {one.entity for one in rules if one.source == "name"}
    slots: dict[str, list[Slot]] = {name: [] for name in names}
    for slot in context.domain.slots if names else ():
        taken = {one.entity for one in mappings_of(context.domain, slot) if isinstance(one, FromEntity)}
        for name in names & taken:
            slots[name].append(slot)

    def is_meant(one: EntityFound) -> bool:
        needed = ((slot, 0 if slot == context.slot else 1) for slot in slots[one.entity])
        return any(speaks_of(slot, context.text, one.start) >= least for slot, least in needed)

    return [one for one in rules if one.source != "name" or is_meant(one)]


def _says_no_more(text: str, one: EntityFound, places: Sequence[Place]) -> bool:
    inside = [place for place in places if one.start <= place[0] and place[1] <= one.end]
    return only_says(text[one.start : one.end]) or is_bare(text, one.start, one.end, inside, wordless=True)


def loose_values(context: UtteranceContext) -> list[Place]:
    """What could be a value of the asked slot by its type, whatever entity it waits for."""
    wanted = loose_entities(context.slot) if context.slot else []
    found = (
        find_entities(context.text, [want], language=context.language, now=context.now, asked=want.kind)
        for want in wanted
    )
    return [(one.start, one.end) for ones in found for one in ones]
