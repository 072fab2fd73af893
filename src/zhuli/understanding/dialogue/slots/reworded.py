"""A text that the last message gave, given anew: "no, it's 14 Orchard Lane", 不是，送到创业大厦B座."""

import re
from typing import Final

from zhuli.types.understanding.domain import Slot
from zhuli.understanding.dialogue.forms_and_slots import open_slots
from zhuli.understanding.dialogue.slot_mappings import takes_text
from zhuli.understanding.dialogue.slots.slot_candidates import SlotCandidates
from zhuli.understanding.dialogue.slots.slot_context import SlotContext
from zhuli.understanding.dialogue.utterance.answers import is_question, only_says, unsaid_words
from zhuli.understanding.language.plain_text import plain

_ANEW: Final = re.compile(
    r"^\W*(?:(?:no+|nope|nah|sorry|wait|oh|oops|actually|wrong)\b[ ,.!]*)+"
    r"(?:it'?s|it is|it should be|it should say|i meant|i mean|that should be|make it|make that|send it to|bring it to|"
    r"deliver (?:it )?to|put it under|put)\s+(?P<rest>\S.*)$"
    r"|^\W*(?:(?:啊|哦|噢|哎|唉|抱歉|不好意思|不是|不对|不|错了|说错了|写错了|记错了|搞错了)[ ,.!了]*)+"
    r"(?:应该)?(?:是|送到|寄到|送去|寄去|改到|改成|改送到?|写|填)(?P<chinese>\S.*)$",
    re.DOTALL,
)
"""Takes back what was said, and leads to what is to stand in its place."""


def reworded(context: SlotContext, candidates: SlotCandidates) -> tuple[Slot, str] | None:
    """The text slot of the open form that the last message filled, and what it is to be now; None where nothing is put anew.

    A value that is found and of another slot goes there: "no, it's 3 people" is no name.
    """
    match = _ANEW.match(plain(context.text))
    slot = _told_last(context)
    if match is None or slot is None or not context.corrects or not candidates.segment.answers:
        return None
    start = match.start("rest") if match["rest"] else match.start("chinese")
    text = context.text[start:].strip(" ,.!。，！")
    if is_question(text) or only_says(text) or _is_of_others(context, candidates, slot, start):
        return None
    return slot, text


def _told_last(context: SlotContext) -> Slot | None:
    slots = (slot for slot in open_slots(context.domain, context.state) if takes_text(context.domain, slot))
    told = (slot for slot in slots if context.value(slot.name) is not None and _is_newest(context, slot))
    return next(told, None)


def _is_newest(context: SlotContext, slot: Slot) -> bool:
    last = context.state.slots[slot.name].history[-1]
    return last.turn == context.state.turn and last.text == last.value


def _is_of_others(context: SlotContext, candidates: SlotCandidates, slot: Slot, start: int) -> bool:
    """Whether what is put anew holds a value of another slot, and is no address with a number in it as before."""
    mentions = [
        one
        for one in candidates.mentions()
        if one.start >= start and not one.negated and not candidates.takes(slot, one)
    ]
    if not mentions:
        return False
    places = [(one.start, one.end) for one in mentions]
    beside = unsaid_words(plain(context.text), start, len(context.text), places)
    numbered = any(letter.isdigit() for letter in str(context.value(slot.name)))
    few = len(beside) < (2 if numbered else 4)
    return few or any(one.source != "number" for one in mentions)
