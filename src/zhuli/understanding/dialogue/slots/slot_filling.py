"""Slot filling: which slot takes which value of a message.

In this order: references; what the message denies is cleared; all values go to slots at once, so that they suit best together
(slot_scores says how well each suits, assignment finds the best); a boolean that is called by its name takes whether that is
wanted; intents fill what they are mapped to; and what was asked for but not found is looked for by its type, or taken as it was
said. A value fills one slot. Segments that are about something else fill no slots of the open form.
"""

import re

from zhuli.types.understanding.domain import FromEntity, FromIntent, Slot
from zhuli.types.understanding.understanding import EntityFound
from zhuli.understanding.dialogue.forms_and_slots import slot_named
from zhuli.understanding.dialogue.slot_mappings import loose_entities, mappings_of, takes_text
from zhuli.understanding.dialogue.slots.assignment import assigned
from zhuli.understanding.dialogue.slots.reworded import reworded
from zhuli.understanding.dialogue.slots.slot_candidates import SlotCandidates
from zhuli.understanding.dialogue.slots.slot_context import SlotContext
from zhuli.understanding.dialogue.slots.slot_scores import scores_of, why
from zhuli.understanding.dialogue.slots.slot_validation import SlotUpdates
from zhuli.understanding.dialogue.slots.slot_values import fit
from zhuli.understanding.dialogue.slots.stated import stated, weightiest, without_alternatives
from zhuli.understanding.dialogue.utterance.answers import is_bare
from zhuli.understanding.dialogue.utterance.multi_intent import short_answer
from zhuli.understanding.dialogue.utterance.slot_names import names_in
from zhuli.understanding.language.acts.wanting import wanted
from zhuli.understanding.language.entity_extraction.entity_extraction import find_entities
from zhuli.understanding.language.plain_text import plain

_SAYS_NOTHING = re.compile(
    r"(?:\W|\b(?:and|or|with|the|a|an|of|please|pls|thanks|thank|you|just|then|ok|okay|so|for|at|on|by|in)\b|谢谢|[个位份碗杯盒瓶条张晚要的吧请就来和加再那])*"
)


def filled(slot_context: SlotContext) -> SlotUpdates:
    """What becomes of the slots."""
    updates = SlotUpdates(slot_context)
    for slot, mention in slot_context.referred:
        if updates.value_of(slot, mention) is not None:
            updates.offer(slot, mention)
    for segment in slot_context.segments:
        _fill(updates, SlotCandidates(slot_context, segment))
    return updates


def _fill(updates: SlotUpdates, candidates: SlotCandidates) -> None:
    asked, mentions = candidates.asked, candidates.mentions()
    for mention in (one for one in mentions if one.negated):
        for slot in (slot for slot in candidates.slots if candidates.takes(slot, mention)):
            updates.deny(slot, mention)
    mentions = [one for one in mentions if not one.negated]
    alone = {one.entity for one in mentions if sum(candidates.takes(slot, one) for slot in candidates.slots) == 1}
    mentions = weightiest(
        updates.slot_context.text, without_alternatives(updates.slot_context.text, mentions), alone=alone
    )
    if asked is not None and _answers_as_text(updates, asked) and not _says_others(candidates, mentions):
        updates.offer_text(asked, _worded(asked, candidates.text))
        return
    if (anew := reworded(updates.slot_context, candidates)) is not None:
        updates.offer_text(anew[0], _worded(*anew))
        return
    denied = any(one.negated for one in candidates.mentions())
    yes = None if denied and updates.slot_context.corrects else updates.slot_context.yes
    if asked is not None and asked.name not in updates.filled and asked.type == "boolean" and yes is not None:
        updates.keep(asked, yes, updates.slot_context.text, "intent")
    _assign(updates, candidates, mentions)
    _take_wanted(updates, candidates)
    take_intents(updates, candidates)
    _look_closer(updates, candidates, asked)


def _answers_as_text(updates: SlotUpdates, asked: Slot) -> bool:
    """A slot that takes nothing but the whole message takes it, unless the message corrects something else."""
    domain, free = updates.slot_context.domain, asked.name not in updates.filled and not updates.slot_context.corrects
    from_entities = any(isinstance(one, FromEntity) for one in mappings_of(domain, asked))
    return free and not from_entities and takes_text(domain, asked)


def _worded(slot: Slot, text: str) -> str:
    """All of the answer where the domain maps the slot to the text; else what of it is the value."""
    return text.strip() if slot.mappings else _named(slot, text)


def _named(slot: Slot, text: str) -> str:
    return stated(text.strip(), of=f"{slot.name} {slot.description or ''}")


def _says_others(candidates: SlotCandidates, mentions: list[EntityFound]) -> bool:
    """Whether the answer is nothing but values of other slots: "two, mild please" is no address."""
    rest, at = "", candidates.segment.start
    for one in mentions:
        rest, at = rest + " " + candidates.slot_context.text[at : one.start], max(at, one.end)
    rest += " " + candidates.slot_context.text[at : candidates.segment.end]
    return bool(mentions) and _SAYS_NOTHING.fullmatch(plain(rest)) is not None


def _assign(updates: SlotUpdates, candidates: SlotCandidates, mentions: list[EntityFound]) -> None:
    """All values at once."""
    slots = {slot.name: slot for slot in candidates.slots}
    many = [slot.name for slot in candidates.slots if slot.type == "list"]
    places: dict[tuple[int, int], dict[str, tuple[float, EntityFound]]] = {}  # one place may be several entities
    for mention, row in zip(mentions, scores_of(updates, candidates, mentions), strict=True):
        known = places.setdefault((mention.start, mention.end), {})
        known |= {name: (score, mention) for name, score in row.items() if name not in known or score > known[name][0]}
    scores = [{name: score for name, (score, _) in known.items()} for known in places.values()]
    for name, known in zip(assigned(scores, many), places.values(), strict=True):
        if name is not None and updates.offer(slots[name], known[name][1]) and len(known) > 1:
            updates.reasons.append(why(updates, candidates, slots[name], known[name][1]))


def _take_wanted(updates: SlotUpdates, candidates: SlotCandidates) -> None:
    """ "With a receipt", "no receipt": a boolean that is called by its name is answered, asked for or not."""
    booleans = {slot.name: slot for slot in candidates.slots if slot.type == "boolean" and not slot.mappings}
    for start, end, name in candidates.names:
        inside = candidates.segment.start <= start and end <= candidates.segment.end
        if not inside or name not in booleans or name in updates.filled:
            continue
        said = wanted(updates.slot_context.text, start, end)
        if said is not None:
            updates.keep(booleans[name], said, updates.slot_context.text[start:end], "text")


def take_intents(updates: SlotUpdates, candidates: SlotCandidates) -> None:
    """Slots that are mapped to an intent take what it says."""
    slot_context, intents = updates.slot_context, candidates.segment.intents
    for slot in candidates.slots:
        if slot.name in updates.filled:
            continue
        for mapping in slot.mappings:
            if not isinstance(mapping, FromIntent) or not intents.intersection(mapping.intents):
                continue
            value = mapping.value
            if not isinstance(value, list):
                value = fit(slot, value, str(value), language=slot_context.language, now=slot_context.now)
            if value is not None and (not mapping.asked or slot_context.asked == slot.name):
                updates.keep(slot, value, candidates.text, "intent")


def _look_closer(updates: SlotUpdates, candidates: SlotCandidates, asked: Slot | None) -> None:
    """The asked slot, or one that is named in a correction, by its type: "8" is a time if the time was asked for."""
    changes = updates.slot_context.corrects or updates.slot_context.confirming
    names = names_in(candidates.text, candidates.slots) if changes else []
    for slot in (asked, *(slot_named(updates.slot_context.domain, name) for _, _, name in names)):
        if slot is None or slot.name in updates.filled or slot.name in updates.refused:
            continue
        if (found := _by_type(updates, candidates, slot)) is not None:
            updates.offer(slot, found)
        elif slot is asked and not updates.filled and _in_own_words(updates, candidates, slot):
            updates.offer_text(slot, _named(slot, candidates.text))


def _by_type(updates: SlotUpdates, candidates: SlotCandidates, slot: Slot) -> EntityFound | None:
    """The first value of the slot's type that no other slot has taken."""
    for entity in loose_entities(slot):
        for one in find_entities(
            candidates.text,
            [entity],
            language=updates.slot_context.language,
            now=updates.slot_context.now,
            asked=entity.kind,
        ):
            if slot.type == "time" and one.source == "number" and not _alone(candidates.text, one):
                continue  # "I have 2 kids" tells no hour
            start, end = one.start + candidates.segment.start, one.end + candidates.segment.start
            if (start, end) not in updates.used and not _is_denied(updates.slot_context, start, end):
                return one.model_copy(update={"start": start, "end": end})
    return None


def _alone(text: str, one: EntityFound) -> bool:
    return (
        is_bare(text, 0, len(text), [(one.start, one.end)], wordless=True) and not text[one.end - 2 : one.end].isalpha()
    )


def _is_denied(slot_context: SlotContext, start: int, end: int) -> bool:
    return any(one.negated and one.start <= start and end <= one.end for one in slot_context.entities)


def _in_own_words(updates: SlotUpdates, candidates: SlotCandidates, slot: Slot) -> bool:
    if updates.slot_context.corrects or updates.slot_context.yes is not None:
        return False
    return takes_text(updates.slot_context.domain, slot) or short_answer(
        updates.slot_context.domain, slot, candidates.text
    )
