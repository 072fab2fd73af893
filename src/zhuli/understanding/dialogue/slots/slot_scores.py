"""How well each value of a message suits each slot that could take it: what the assignment of values to slots weighs.

Weightiest first: that the slot may hold the value at all; that the message calls the slot by its name; that it was asked for;
that it is the open form's; role and wording ("from", "to"); that it is empty, or in a correction that it is not; which was
filled last. Each outweighs all that come behind it.
"""

import re
from collections.abc import Sequence
from typing import Final

from zhuli.types.understanding.domain import Slot
from zhuli.types.understanding.understanding import EntityFound
from zhuli.understanding.dialogue.slots.slot_candidates import SlotCandidates
from zhuli.understanding.dialogue.slots.slot_validation import SlotUpdates
from zhuli.understanding.dialogue.utterance.slot_names import side_of_name
from zhuli.understanding.language.acts.dialogue_acts import correction
from zhuli.understanding.language.plain_text import plain

VALID, NAMED, ASKED, CURRENT, SIDE, STATE, NEWEST, NEWS, SURE, ORDER = 1024, 512, 256, 128, 48, 24, 8, 6, 4, 0.01
"""NEWS: of a value that the slot does not hold already."""

_STAYS: Final = re.compile(r"(?:[住待呆玩停留租用]到|\b(?:until|till|through))\s*$")
"""Before a day or hour that ends something: the slot for its beginning keeps what it has."""

GUESSED: Final = 0.75
"""How sure a learned entity must be, to fill a text slot that nobody has asked for."""


def scores_of(
    updates: SlotUpdates, candidates: SlotCandidates, mentions: Sequence[EntityFound]
) -> list[dict[str, float]]:
    """Of each mention, by slot; nothing for one that is used, guessed, or taken back by what follows."""
    return [
        {} if _is_out(updates, candidates, mentions, place) else _row(updates, candidates, mentions, place)
        for place in range(len(mentions))
    ]


def _row(
    updates: SlotUpdates, candidates: SlotCandidates, mentions: Sequence[EntityFound], place: int
) -> dict[str, float]:
    mention, asked = mentions[place], candidates.asked
    if asked is not None and len(mentions) == 1 and candidates.is_hour(asked, mention):
        return {asked.name: VALID} if asked.name not in updates.filled else {}
    taking = candidates.taking(mention)
    rank = sum(one.entity == mention.entity for one in mentions[:place])
    return {
        slot.name: _suits(updates, candidates, slot, mention, alone=len(taking) == 1) - ORDER * (rank - at) ** 2
        for at, slot in enumerate(taking)
        if _is_free(updates, candidates, slot, mention)
    }


def _suits(updates: SlotUpdates, candidates: SlotCandidates, slot: Slot, mention: EntityFound, *, alone: bool) -> float:
    context, side, value = updates.slot_context, candidates.side(slot, mention), updates.value_of(slot, mention)
    empty = context.value(slot.name) is None
    score = VALID if value is not None else 1.0
    score += NEWS * (value != context.value(slot.name))
    score += NAMED * (slot.name == candidates.named(mention))
    score += ASKED * is_answer(candidates, slot, mention)
    score += CURRENT * (slot in candidates.current)
    score += SIDE * (0 if alone else side)
    score += STATE * (empty != context.corrects)
    score += NEWEST * (0 if empty else context.turn_of(slot.name) / (1 + context.state.turn))
    return score + SURE * (mention.confidence or 1.0) + (mention.start * ORDER / 10 if context.corrects else 0)


def is_answer(candidates: SlotCandidates, slot: Slot, mention: EntityFound) -> bool:
    """Whether it would answer the question, unless the message takes back a value that is like its own."""
    asked = candidates.asked
    if asked is None or slot.name != asked.name or candidates.named(mention) not in (None, slot.name):
        return False
    if candidates.side(slot, mention) < 0 or not candidates.takes(slot, mention):
        return False
    others = [one for one in candidates.slots if one.name != slot.name and candidates.takes(one, mention)]
    held = any(candidates.slot_context.value(one.name) is not None for one in others)
    return not (candidates.slot_context.corrects and held)


def why(updates: SlotUpdates, candidates: SlotCandidates, slot: Slot, mention: EntityFound) -> str:
    """The weightiest reason for where the value goes."""
    reasons = (
        (candidates.named(mention) == slot.name, "it is called by name"),
        (is_answer(candidates, slot, mention), "it was asked for"),
        (candidates.side(slot, mention) > 0, "the words around it say so"),
        (updates.slot_context.value(slot.name) is None, "it is still empty"),
    )
    return f"'{mention.text}' is for '{slot.name}': {next((said for so, said in reasons if so), 'it is corrected')}."


def _is_out(updates: SlotUpdates, candidates: SlotCandidates, mentions: Sequence[EntityFound], place: int) -> bool:
    mention = mentions[place]
    if (mention.start, mention.end) in updates.used or _is_guessed(updates, candidates, mention):
        return True
    later = (one for one in mentions[place + 1 :] if one.entity == mention.entity and one.start >= mention.end)
    return any(correction(updates.slot_context.text[mention.end : one.end]) for one in later)


def _is_guessed(updates: SlotUpdates, candidates: SlotCandidates, mention: EntityFound) -> bool:
    """Whether it may be any words: learned of few examples, not asked for, and without a role or a name that says what it is."""
    asked, named = updates.slot_context.asked, candidates.named(mention)
    open_text = all(slot.type == "text" and slot.name != asked for slot in candidates.taking(mention))
    learned = mention.source == "learned" and mention.role is None and named is None
    return learned and open_text and (mention.confidence or 1.0) < GUESSED


def _is_free(updates: SlotUpdates, candidates: SlotCandidates, slot: Slot, mention: EntityFound) -> bool:
    """Not filled by this message already, and not to be replaced by a number that happens to be there."""
    if slot.name in updates.filled:
        return slot.type == "list" or updates.slot_context.corrects or _takes_back(updates, mention)
    if updates.slot_context.value(slot.name) is None or slot.type == "list":
        return True
    if _STAYS.search(plain(updates.slot_context.text[: mention.start])) and side_of_name(slot.name) != "to":
        return False
    meant = candidates.named(mention) == slot.name or updates.slot_context.asked in (None, slot.name)
    return meant or not candidates.by_chance(mention)


def _takes_back(updates: SlotUpdates, mention: EntityFound) -> bool:
    """ "Tomorrow, no wait, Friday": what stands between two values says that the first was wrong."""
    before = max((end for _, end in updates.used if end <= mention.start), default=None)
    return before is not None and correction(updates.slot_context.text[before : mention.end])
