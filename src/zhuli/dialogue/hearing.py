"""From what an understander read to what was meant here: the state decides what a short answer is about.

In this order: a choice that was offered; yes, no and their like; each part's intent, where the parts have several; entities by
rule, learned, denied, referred to; and which slots they fill (filling). It changes nothing: tracking does, from what it heard.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from zhuli.dialogue.answering import chosen, is_bare, is_question
from zhuli.dialogue.believing import Belief, believe, scored
from zhuli.dialogue.closing import closed, stale
from zhuli.dialogue.filling import Filling
from zhuli.dialogue.heard import Heard
from zhuli.dialogue.mappings import form_named, free_slots, implied_entities, mappings_of, slot_named, slots_of, takes_text
from zhuli.dialogue.naming import names_in
from zhuli.dialogue.referring import resolved
from zhuli.dialogue.scene import Scene, Segment
from zhuli.dialogue.state import fold
from zhuli.language.acts import act_of, correction
from zhuli.language.entities import find_entities
from zhuli.language.merging import merged
from zhuli.language.negation import denied, with_negation
from zhuli.language.references import references
from zhuli.types.domain import OUT_OF_SCOPE, Act, DomainFields, Form, FromEntity, Intent, Language
from zhuli.types.understanding import Asked, DialogueState, EntityFound, IntentScore, Reading

Part = tuple[tuple[int, int], Reading]

CERTAIN = 0.5
"""What a part's intent must reach, beside the threshold, to be a wish of its own: half sentences are easily misread."""

SURER = 0.7
"""What an intent must reach to be heard instead of an answer in free text."""


def hear(
    domain: DomainFields,
    state: DialogueState,
    text: str,
    *,
    language: Language | None,
    now: datetime,
    whole: Reading,
    parts: Sequence[Part],
) -> Heard:
    """What the message means in this state. parts: readings of the parts of the text; none where it is one."""
    if not text.strip():
        return Heard(text, language, asked=state.asked, reasons=["The message has no words."])
    return _Hearing(domain, fold(stale(domain, state), state), text, language, now, whole, parts).run()


@dataclass(slots=True)
class _Unit:
    """A stretch of the message and what is believed of it; `informs`: it answers within the open form."""

    start: int
    end: int
    belief: Belief
    intent: Intent | None
    informs: bool = False


class _Hearing:
    """One message being heard. Reasons gather as it goes."""

    def __init__(
        self,
        domain: DomainFields,
        state: DialogueState,
        text: str,
        language: Language | None,
        now: datetime,
        whole: Reading,
        parts: Sequence[Part],
    ) -> None:
        self.domain, self.state, self.text, self.language, self.now = domain, state, text, language, now
        self.whole, self.parts = whole, parts
        self.reasons = list(whole.reasons)
        self.intents = {intent.name: intent for intent in domain.intents}
        self.form = form_named(domain, state.form)
        self.asked = state.asked if state.asked is None or state.asked.slot is None or self._asks_open(state.asked) else None
        self.corrects = correction(text, language)
        self.entities = self._entities()
        self.said = act_of(text, language)

    def _asks_open(self, asked: Asked) -> bool:
        return any(slot.name == asked.slot for slot in slots_of(self.domain, self.form))
