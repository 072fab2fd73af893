"""From what an understander read to what was meant here: the state decides what a short answer is about.

In this order: entities, by rule and learned, with what the message denies; yes, no and their like; what each stretch is about
(wishes), or which of the offered intents was chosen; what is cancelled and opened; what the message refers to; and which slots
take what (filling). It changes nothing: tracking does, from what was heard.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from zhuli.types.understanding.domain import OUT_OF_SCOPE, Act, DomainFields, Language
from zhuli.types.understanding.understanding import (
    Asked,
    DialogueState,
    EntityFound,
    IntentScore,
    Reading,
    StateChange,
    TopicOpened,
)
from zhuli.understanding.dialogue.forms_and_slots import form_named, open_slots
from zhuli.understanding.dialogue.slots.coreference import referred
from zhuli.understanding.dialogue.slots.slot_context import Segment, SlotContext
from zhuli.understanding.dialogue.slots.slot_filling import filled
from zhuli.understanding.dialogue.slots.slot_validation import SlotUpdates
from zhuli.understanding.dialogue.state import fold
from zhuli.understanding.dialogue.topics.topic_resumption import mends, recalled, reopening
from zhuli.understanding.dialogue.topics.topic_stack import closed, stale
from zhuli.understanding.dialogue.utterance.answers import Place, keeps, only_says
from zhuli.understanding.dialogue.utterance.dialogue_acts import act_meant, by_act, chosen_wish, said_in
from zhuli.understanding.dialogue.utterance.intent_decision import scored
from zhuli.understanding.dialogue.utterance.interpreted_utterance import Filled, InterpretedUtterance
from zhuli.understanding.dialogue.utterance.multi_intent import Listener, Part, Wish
from zhuli.understanding.dialogue.utterance.slot_names import names_in
from zhuli.understanding.dialogue.utterance.utterance_context import Turn, entities_in, loose_values, open_question
from zhuli.understanding.language.acts.dialogue_acts import correction
from zhuli.understanding.language.acts.references import Reference, references


def hear(
    domain: DomainFields,
    state: DialogueState,
    text: str,
    *,
    language: Language | None,
    now: datetime,
    whole: Reading,
    parts: Sequence[Part],
) -> InterpretedUtterance:
    """What the message means in this state. parts: readings of the parts of the text; none where it is one."""
    if not text.strip():
        return InterpretedUtterance(text, language, asked=state.asked, reasons=["The message has no words."])
    state = fold(stale(domain, state), state)
    again = list(reopening(domain, state)) if correction(text) else []
    if again:
        resumed = Turn(domain, fold(again, state), text, language, now, Asked())
        heard = _heard(resumed, whole, parts)
        if mends(domain, heard):
            return replace(heard, reopened=again)
    return _heard(Turn(domain, state, text, language, now, open_question(domain, state)), whole, parts)


def _heard(turn: Turn, whole: Reading, parts: Sequence[Part]) -> InterpretedUtterance:
    domain, state, text = turn.domain, turn.state, turn.text
    entities = entities_in(turn, [] if only_says(text) else whole.entities)
    said, corrects = said_in(turn, parts), correction(text)
    act: Act | None = None if said == "correct" else said
    corrects = corrects or said == "correct" or keeps(text)
    pointing = references(text)
    listener = Listener(
        domain=domain,
        state=state,
        text=text,
        asked=turn.slot,
        values=entities,
        loose=loose_values(turn),
        referred=[(one.start, one.end) for one in pointing],
        named=_names(turn) if corrects or turn.confirming else (),
        act=act,
        corrects=corrects,
    )
    wishes = chosen_wish(turn, act) or listener.wishes(whole, parts)
    act = act_meant(turn, act, wishes)
    wishes = [by_act(turn, wish, act) for wish in wishes]
    return _Understood(
        turn=turn, whole=whole, entities=entities, wishes=wishes, act=act, corrects=corrects, pointing=pointing
    ).heard()


@dataclass(frozen=True, slots=True)
class _Understood:
    """What is known of the message before its slots are filled. pointing: what of it refers to earlier values."""

    turn: Turn
    whole: Reading
    entities: list[EntityFound]
    wishes: list[Wish]
    act: Act | None
    corrects: bool
    pointing: list[Reference]

    def heard(self) -> InterpretedUtterance:
        """All of it, with what follows for slots and topics; of a thread that a person has, only what was said."""
        turn, intents = self.turn, [_score(self.turn, wish) for wish in self.wishes]
        main = next((one for one, wish in zip(intents, self.wishes, strict=True) if _has_form(wish)), intents[0])
        gone: list[StateChange] = closed(turn.domain, turn.state, "cancelled") if self.cancels else []
        scene = self._scene(fold(gone, turn.state))
        kept = SlotUpdates(scene) if turn.state.handed_over else filled(scene)
        return InterpretedUtterance(
            text=turn.text,
            language=turn.language,
            intents=intents,
            intent=main,
            ranking=self.whole.ranking,
            entities=[*self.entities, *(mention for _, mention in scene.referred)],
            act=self.act,
            corrects=self.corrects,
            unclear=any(wish.belief.unclear and not wish.informs for wish in self.wishes),
            reasons=[*self.whole.reasons, *self._reasons()],
            asked=turn.asked,
            filled=list((self._recalled(scene) | kept.filled).values()),
            cleared=kept.cleared,
            refused=list(kept.refused.values()),
            named=self._named(scene, kept),
            goes_on=keeps(turn.text),
            cancels=self.cancels,
            opened=[] if turn.state.handed_over else self._opened(),
        )

    @property
    def cancels(self) -> str | None:
        """The form that is left."""
        return self.turn.state.form if self.act == "cancel" else None

    @property
    def only_cancels(self) -> bool:
        """Whether the message leaves a form, and wants nothing beside."""
        return self.cancels is not None and len(self.wishes) == 1

    def _opened(self) -> list[TopicOpened]:
        """Forms to open, so that the one that was named first ends on top. One that is open already goes on."""
        if self.only_cancels:
            return []
        forms: dict[str, TopicOpened] = {}
        for wish in self.wishes:
            form = form_named(self.turn.domain, wish.intent.form) if wish.intent else None
            if form is None or wish.intent is None:
                continue
            if self.cancels or (form.name != self.turn.state.form and not wish.informs):
                forms.setdefault(form.name, TopicOpened(intent=wish.intent.name, form=form.name))
        return list(reversed(forms.values()))

    def _scene(self, state: DialogueState) -> SlotContext:
        """state: without the form that is left."""
        turn = self.turn
        segments = [] if self.only_cancels else self._segments()
        asked = None if self.cancels else turn.slot
        return SlotContext(
            domain=turn.domain,
            state=state,
            text=turn.text,
            language=turn.language,
            now=turn.now,
            entities=self.entities,
            segments=segments,
            asked=asked.name if asked else None,
            yes={"affirm": True, "deny": False}.get(self.act or ""),
            corrects=self.corrects,
            confirming=turn.confirming,
            referred=referred(turn, state, segments, pointing=self.pointing),
        )

    def _recalled(self, scene: SlotContext) -> dict[str, Filled]:
        """Of the message for which an intent was chosen now."""
        asked = self.turn.asked
        wanted = (wish.intent for wish in self.wishes if wish.intent and asked and wish.intent.name in asked.intents)
        intent = next(wanted, None)
        return recalled(scene, asked, intent) if asked and intent else {}

    def _segments(self) -> list[Segment]:
        """Each reaches to where the next begins; the first begins with the message."""
        turn, segments = self.turn, list[Segment]()
        for place, wish in enumerate(self.wishes):
            start = 0 if place == 0 else wish.start
            end = self.wishes[place + 1].start if place + 1 < len(self.wishes) else len(turn.text)
            name = turn.state.form if wish.informs else (wish.intent.form if wish.intent else None)
            meant = {wish.belief.intent} | ({turn.state.topics[-1].intent} if wish.informs else set())
            answers = wish.informs and self.act not in ("cancel", "handover")
            restates = wish.intent is not None and wish.intent.form is not None and wish.informs
            segments.append(Segment(start, end, form_named(turn.domain, name), frozenset(meant), answers, restates))
        return segments

    def _named(self, scene: SlotContext, kept: SlotUpdates) -> str | None:
        """A slot of the open form that is to be changed, without saying to what: "the time is wrong"."""
        if not (self.corrects or scene.confirming) or kept.filled or kept.refused or not self.turn.state.topics:
            return None
        if not any(segment.answers for segment in scene.segments) or self.act == "affirm":
            return None
        slots = open_slots(self.turn.domain, self.turn.state)
        return next((name for _, _, name in names_in(self.turn.text, slots)), None)

    def _reasons(self) -> list[str]:
        reasons = [_why(self.turn, wish) for wish in self.wishes]
        if self.act:
            reasons.append(f"It says: {self.act}.")
        if self.corrects:
            reasons.append("It corrects something.")
        return reasons


def _names(turn: Turn) -> list[Place]:
    """Where the message calls slots of the open form by name."""
    slots = open_slots(turn.domain, turn.state)
    return [(start, end) for start, end, _ in names_in(turn.text, slots)]


def _score(turn: Turn, wish: Wish) -> IntentScore:
    """What is reported: an answer that is no intent by itself is about the topic."""
    if wish.intent is not None and not (wish.informs and wish.intent.act is None):
        return scored(wish.belief, wish.start, wish.end)
    if wish.informs:
        topic = turn.state.topics[-1].intent
        score = wish.belief.score if wish.belief.intent == topic else wish.belief.threshold
        return IntentScore(name=topic, confidence=min(1.0, score), start=wish.start, end=wish.end)
    if wish.belief.unclear:
        return scored(wish.belief, wish.start, wish.end)
    return IntentScore(name=OUT_OF_SCOPE, confidence=wish.belief.score, start=wish.start, end=wish.end)


def _has_form(wish: Wish) -> bool:
    return wish.informs or bool(wish.intent and wish.intent.form)


def _why(turn: Turn, wish: Wish) -> str:
    if wish.informs and (wish.intent is None or wish.intent.act is None):
        return f"It answers within '{turn.state.form}'."
    if wish.belief.unclear:
        return f"It may be any of {', '.join(wish.belief.candidates)}."
    if wish.intent is None:
        return "It is none of the domain's intents."
    return f"'{wish.intent.name}' is believed at {wish.belief.score:.2f} of {wish.belief.threshold:.2f}."
