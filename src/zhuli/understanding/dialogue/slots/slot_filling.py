"""Which slot takes which value of a message.

In this order: references; what the message denies is cleared; the asked slot takes what fits it; every other value goes, in the
order of the message, to the slot that it is named for, or that has its role, or that is still empty, or (a correction) was filled
last; a boolean that is called by its name takes whether that is wanted; intents fill what they are mapped to; and what was asked
for but not found is looked for by its type, or taken as it was said. A value fills one slot. Segments that are about something
else fill no slots of the open form.
"""

from zhuli.types.understanding.domain import FromEntity, FromIntent, Slot
from zhuli.types.understanding.understanding import EntityFound
from zhuli.understanding.dialogue.forms_and_slots import slot_named
from zhuli.understanding.dialogue.slot_mappings import loose_entities, mappings_of, takes_text
from zhuli.understanding.dialogue.slots.slot_candidates import SlotCandidates
from zhuli.understanding.dialogue.slots.slot_context import SlotContext
from zhuli.understanding.dialogue.slots.slot_validation import SlotUpdates
from zhuli.understanding.dialogue.slots.slot_values import fit
from zhuli.understanding.dialogue.utterance.multi_intent import short_answer
from zhuli.understanding.dialogue.utterance.slot_names import names_in
from zhuli.understanding.language.acts.dialogue_acts import correction
from zhuli.understanding.language.acts.wanting import wanted
from zhuli.understanding.language.entity_extraction.entity_extraction import find_entities


def filled(scene: SlotContext) -> SlotUpdates:
    """What becomes of the slots."""
    kept = SlotUpdates(scene)
    for slot, mention in scene.referred:
        if kept.value_of(slot, mention) is not None:
            kept.offer(slot, mention)
    for segment in scene.segments:
        _fill(kept, SlotCandidates(scene, segment))
    return kept


def _fill(kept: SlotUpdates, matching: SlotCandidates) -> None:
    asked, mentions = matching.asked, matching.mentions()
    for mention in (one for one in mentions if one.negated):
        for slot in (slot for slot in matching.slots if matching.takes(slot, mention)):
            kept.deny(slot, mention)
    mentions = [one for one in mentions if not one.negated]
    if asked is not None and _answers_as_text(kept, asked):
        kept.offer_text(asked, matching.text.strip())
        return
    if asked is not None and asked.name not in kept.filled:
        _answer(kept, matching, asked, mentions)
    for mention in mentions:
        _place(kept, matching, mention)
    _take_wanted(kept, matching)
    _take_intents(kept, matching)
    _look_closer(kept, matching, asked)


def _answers_as_text(kept: SlotUpdates, asked: Slot) -> bool:
    """A slot that takes nothing but the whole message takes it, unless the message corrects something else."""
    domain, free = kept.scene.domain, asked.name not in kept.filled and not kept.scene.corrects
    from_entities = any(isinstance(one, FromEntity) for one in mappings_of(domain, asked))
    return free and not from_entities and takes_text(domain, asked)


def _answer(kept: SlotUpdates, matching: SlotCandidates, asked: Slot, mentions: list[EntityFound]) -> None:
    """The asked slot comes first, unless the message takes back a value that is like its own."""
    if asked.type == "boolean" and kept.scene.yes is not None:
        kept.keep(asked, kept.scene.yes, kept.scene.text, "intent")
        return
    fitting = [one for one in mentions if matching.takes(asked, one) and matching.named(one) in (None, asked.name)]
    if kept.scene.corrects and any(_filled_elsewhere(matching, asked, one) for one in fitting):
        return
    best = max(fitting, key=lambda one: matching.side(asked, one), default=None)
    if best is not None and matching.side(asked, best) >= 0:
        kept.offer(asked, best)
    elif len(mentions) == 1 and matching.is_hour(asked, mentions[0]):
        kept.offer(asked, mentions[0])


def _filled_elsewhere(matching: SlotCandidates, asked: Slot, mention: EntityFound) -> bool:
    others = (slot for slot in matching.slots if slot.name != asked.name and matching.takes(slot, mention))
    return any(matching.scene.value(slot.name) is not None for slot in others)


def _place(kept: SlotUpdates, matching: SlotCandidates, mention: EntityFound) -> None:
    """Give a value to the slot that suits it best."""
    if (mention.start, mention.end) in kept.used:
        return
    scene, named, taking = kept.scene, matching.named(mention), matching.taking(mention)

    def order(slot: Slot) -> tuple[bool, bool, int, bool, int]:
        empty = scene.value(slot.name) is None
        side = matching.side(slot, mention) if len(taking) > 1 else 0
        newest = 0 if empty else -scene.turn_of(slot.name)
        return slot.name != named, slot not in matching.current, -side, empty == scene.corrects, newest

    free = [slot for slot in taking if _is_free(kept, matching, slot, mention)]
    kept.offer_first(sorted(free, key=order), mention)


def _is_free(kept: SlotUpdates, matching: SlotCandidates, slot: Slot, mention: EntityFound) -> bool:
    """Not filled by this message already, and not to be replaced by a number that happens to be there."""
    if slot.name in kept.filled:
        return slot.type == "list" or kept.scene.corrects or _takes_back(kept, mention)
    if kept.scene.value(slot.name) is None or slot.type == "list":
        return True
    meant = matching.named(mention) == slot.name or kept.scene.asked in (None, slot.name)
    return meant or not matching.by_chance(mention)


def _takes_back(kept: SlotUpdates, mention: EntityFound) -> bool:
    """ "Tomorrow, no wait, Friday": what stands between two values says that the first was wrong."""
    before = max((end for _, end in kept.used if end <= mention.start), default=None)
    return before is not None and correction(kept.scene.text[before : mention.end])


def _take_wanted(kept: SlotUpdates, matching: SlotCandidates) -> None:
    """ "With a receipt", "no receipt": a boolean that is called by its name is answered, asked for or not."""
    booleans = {slot.name: slot for slot in matching.slots if slot.type == "boolean" and not slot.mappings}
    for start, end, name in matching.names:
        inside = matching.segment.start <= start and end <= matching.segment.end
        if not inside or name not in booleans or name in kept.filled:
            continue
        said = wanted(kept.scene.text, start, end)
        if said is not None:
            kept.keep(booleans[name], said, kept.scene.text[start:end], "text")


def _take_intents(kept: SlotUpdates, matching: SlotCandidates) -> None:
    scene, intents = kept.scene, matching.segment.intents
    for slot in matching.slots:
        if slot.name in kept.filled:
            continue
        for mapping in slot.mappings:
            if not isinstance(mapping, FromIntent) or not intents.intersection(mapping.intents):
                continue
            value = mapping.value
            if not isinstance(value, list):
                value = fit(slot, value, str(value), language=scene.language, now=scene.now)
            if value is not None and (not mapping.asked or scene.asked == slot.name):
                kept.keep(slot, value, matching.text, "intent")


def _look_closer(kept: SlotUpdates, matching: SlotCandidates, asked: Slot | None) -> None:
    """The asked slot, or one that is named in a correction, by its type: "8" is a time if the time was asked for."""
    changes = kept.scene.corrects or kept.scene.confirming
    names = names_in(matching.text, matching.slots) if changes else []
    for slot in (asked, *(slot_named(kept.scene.domain, name) for _, _, name in names)):
        if slot is None or slot.name in kept.filled or slot.name in kept.refused:
            continue
        if (found := _by_type(kept, matching, slot)) is not None:
            kept.offer(slot, found)
        elif slot is asked and not kept.filled and _in_own_words(kept, matching, slot):
            kept.offer_text(slot, matching.text.strip())


def _by_type(kept: SlotUpdates, matching: SlotCandidates, slot: Slot) -> EntityFound | None:
    """The first value of the slot's type that no other slot has taken."""
    for entity in loose_entities(slot):
        for one in find_entities(matching.text, [entity], language=kept.scene.language, now=kept.scene.now):
            start, end = one.start + matching.segment.start, one.end + matching.segment.start
            if (start, end) not in kept.used and not _is_denied(kept.scene, start, end):
                return one.model_copy(update={"start": start, "end": end})
    return None


def _is_denied(scene: SlotContext, start: int, end: int) -> bool:
    return any(one.negated and one.start <= start and end <= one.end for one in scene.entities)


def _in_own_words(kept: SlotUpdates, matching: SlotCandidates, slot: Slot) -> bool:
    if kept.scene.corrects or kept.scene.yes is not None:
        return False
    return takes_text(kept.scene.domain, slot) or short_answer(kept.scene.domain, slot, matching.text)
