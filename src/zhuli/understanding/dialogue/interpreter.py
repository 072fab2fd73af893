"""Interpretation: from what an understander read to what was meant here; the state decides what a short answer is about.

In this order: entities, by rule and learned, with what the message denies; dialogue acts (yes, no and their like); the intent
of each clause, or which of the offered intents was chosen; what is cancelled and opened; what the message refers to; and which
slots take what (slot filling). It changes nothing: state tracking does, from the interpreted utterance.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from zhuli.types.understanding.domain import OUT_OF_SCOPE, Act, DomainFields, Language, SmallTalk
from zhuli.types.understanding.understanding import (
    Asked,
    DialogueState,
    EntityFound,
    IntentScore,
    Reading,
    StateChange,
    TopicOpened,
)
from zhuli.understanding.dialogue.commands.command_interpreter import commanded
from zhuli.understanding.dialogue.forms_and_slots import form_named, open_slots
from zhuli.understanding.dialogue.policy.rules import ruled
from zhuli.understanding.dialogue.slots.coreference import referred
from zhuli.understanding.dialogue.slots.slot_context import Segment, SlotContext
from zhuli.understanding.dialogue.slots.slot_filling import filled
from zhuli.understanding.dialogue.slots.slot_validation import SlotUpdates
from zhuli.understanding.dialogue.state import fold
from zhuli.understanding.dialogue.topics.topic_resumption import mends, recalled, reopening
from zhuli.understanding.dialogue.topics.topic_stack import closed, stale
from zhuli.understanding.dialogue.utterance.answers import Place, keeps, only_says
from zhuli.understanding.dialogue.utterance.dialogue_acts import (
    act_meant,
    by_act,
    chosen_intent,
    first_time,
    is_weak,
    said_in,
)
from zhuli.understanding.dialogue.utterance.intent_decision import scored
from zhuli.understanding.dialogue.utterance.interpreted_utterance import InterpretedUtterance
from zhuli.understanding.dialogue.utterance.multi_intent import SURER, Clause, ClauseIntent, IntentSegmenter
from zhuli.understanding.dialogue.utterance.slot_names import names_in
from zhuli.understanding.dialogue.utterance.small_talk import (
    SURELY,
    fits,
    silent,
    small_talk_in,
    takes_back,
    tells,
    without_declined,
)
from zhuli.understanding.dialogue.utterance.stakes import without_doubtful
from zhuli.understanding.dialogue.utterance.utterance_context import (
    UtteranceContext,
    entities_in,
    loose_values,
    open_question,
)
from zhuli.understanding.language.acts.dialogue_acts import act_of, correction, tells_to
from zhuli.understanding.language.acts.references import Reference, references


def interpret(
    domain: DomainFields,
    state: DialogueState,
    text: str,
    *,
    language: Language | None,
    now: datetime,
    whole: Reading,
    clauses: Sequence[Clause],
) -> InterpretedUtterance:
    """What the message means in this state. clauses: their places with their readings; none where the text is one."""
    if not text.strip():
        return InterpretedUtterance(text, language, asked=state.asked, reasons=["The message has no words."])
    state = fold(stale(domain, state), state)
    if whole.commands is not None:
        commands = whole.commands
        made = commanded(domain, state, text, language=language, now=now, whole=whole, commands=commands)
        return ruled(domain, state, made)
    whole = without_doubtful(domain, whole)
    clauses = [(span, without_doubtful(domain, reading)) for span, reading in clauses]
    return ruled(domain, state, _read(domain, state, text, language, now, whole, clauses))


def _read(
    domain: DomainFields,
    state: DialogueState,
    text: str,
    language: Language | None,
    now: datetime,
    whole: Reading,
    clauses: Sequence[Clause],
) -> InterpretedUtterance:
    """The message as it is, or as a correction of what was just done."""
    again = list(reopening(domain, state)) if correction(text) else []
    if again:
        resumed = UtteranceContext(domain, fold(again, state), text, language, now, Asked())
        utterance = _interpreted(resumed, whole, clauses)
        if mends(domain, utterance):
            return replace(utterance, reopened=again)
    return _interpreted(
        UtteranceContext(domain, state, text, language, now, open_question(domain, state)), whole, clauses
    )


def _interpreted(context: UtteranceContext, whole: Reading, clauses: Sequence[Clause]) -> InterpretedUtterance:
    domain, state, text = context.domain, context.state, context.text
    entities = entities_in(context, [] if only_says(text) else whole.entities)
    said, corrects = said_in(context, clauses, whole.acts), correction(text)
    act: Act | None = None if said == "correct" else said
    corrects = corrects or said == "correct" or keeps(text)
    fitting = fits(context, entities) or tells(context, entities)
    if fitting and _may_answer(text, whole, act):
        act = None  # what fits the open question or form is an answer
    pointing = references(text)
    segmenter = IntentSegmenter(
        domain=domain,
        state=state,
        text=text,
        asked=context.slot,
        values=entities,
        loose=loose_values(context),
        referred=[(one.start, one.end) for one in pointing],
        named=_names(context) if corrects or context.confirming else (),
        act=act,
        corrects=corrects,
        answers=first_time(context) is not None or (context.confirming and act == "affirm" and tells_to(text)),
    )
    clause_intents = chosen_intent(context, act) or segmenter.segment(whole, clauses)
    clause_intents, declined = without_declined(context, whole.acts, clause_intents)
    talk = "declined" if declined else small_talk_in(context, whole, clause_intents, entities)
    act = None if talk == "declined" else act_meant(context, act, clause_intents)
    act = None if fitting and _may_answer(text, whole, act) else act
    talk = None if act in ("cancel", "handover") else talk
    if act == "cancel" and act_of(text) == act and all(one.informs or is_weak(one) for one in clause_intents):
        clause_intents = [silent(clause_intents[0], len(text))]
    if talk is not None and act is None:
        clause_intents = [silent(clause_intents[0], len(text))]
    clause_intents = [by_act(context, clause, act) for clause in clause_intents]
    return _Interpretation(
        context=context,
        whole=whole,
        entities=entities,
        clause_intents=clause_intents,
        act=act,
        corrects=corrects,
        pointing=pointing,
        talk=None if talk == "off_topic" else talk,
        takes_back=takes_back(context, whole.acts, act),
    ).utterance()


def _may_answer(text: str, whole: Reading, act: Act | None) -> bool:
    """Whether it leaves or asks for a person, but not in plain words: "3 persons" is no call for one."""
    if act not in ("cancel", "handover") or act_of(text) == act:
        return False
    return act == "handover" or (whole.acts is not None and whole.acts.of(act) < SURELY)


@dataclass(frozen=True, slots=True)
class _Interpretation:
    """What is known of the message before its slots are filled. pointing: what of it refers to earlier values."""

    context: UtteranceContext
    whole: Reading
    entities: list[EntityFound]
    clause_intents: list[ClauseIntent]
    act: Act | None
    corrects: bool
    pointing: list[Reference]
    talk: SmallTalk | None
    takes_back: bool

    def utterance(self) -> InterpretedUtterance:
        """All of it, with what follows for slots and topics; of a thread that a person has, only what was said."""
        context, intents = self.context, [_score(self.context, clause) for clause in self.clause_intents]
        main = next(
            (one for one, clause in zip(intents, self.clause_intents, strict=True) if _has_form(clause)), intents[0]
        )
        gone: list[StateChange] = closed(context.domain, context.state, "cancelled") if self.cancels else []
        slot_context = self._slot_context(fold(gone, context.state))
        updates = SlotUpdates(slot_context) if context.state.handed_over else filled(slot_context)
        wanted = [clause.intent for clause in self.clause_intents if clause.intent]
        return InterpretedUtterance(
            text=context.text,
            language=context.language,
            intents=intents,
            intent=main,
            ranking=self.whole.ranking,
            entities=[*self.entities, *(mention for _, mention in slot_context.referred)],
            act=self.act,
            corrects=self.corrects,
            unclear=any(clause.decision.unclear and not clause.informs for clause in self.clause_intents),
            reasons=[*self.whole.reasons, *self._reasons(), *updates.reasons],
            asked=context.asked,
            filled=list((recalled(slot_context, context.asked, wanted) | updates.filled).values()),
            cleared=updates.cleared,
            refused=list(updates.refused.values()),
            named=self._named(slot_context, updates),
            goes_on=keeps(context.text),
            cancels=self.cancels,
            opened=[] if context.state.handed_over else self._opened(),
            talk=self.talk,
            doubtful=self._doubtful(),
            takes_back=self.takes_back,
        )

    def _doubtful(self) -> frozenset[str]:
        """Intents that are decided for, but not surely enough for what can't be taken back."""
        certain = self.context.domain.fallback.certainty
        return frozenset(
            clause.intent.name
            for clause in self.clause_intents
            if clause.intent and not clause.informs and clause.decision.score < certain
        )

    @property
    def cancels(self) -> str | None:
        """The form that is left."""
        return self.context.state.form if self.act == "cancel" else None

    @property
    def only_cancels(self) -> bool:
        """Whether the message leaves a form, and wants nothing beside."""
        return self.cancels is not None and len(self.clause_intents) == 1

    def _opened(self) -> list[TopicOpened]:
        """Forms to open, so that the one that was named first ends on top. One that is open already goes on."""
        if self.only_cancels:
            return []
        forms: dict[str, TopicOpened] = {}
        for clause in self.clause_intents:
            form = form_named(self.context.domain, clause.intent.form) if clause.intent else None
            if form is None or clause.intent is None:
                continue
            if self._begins_anew(clause) if form.name == self.cancels else not clause.informs:
                forms.setdefault(form.name, TopicOpened(intent=clause.intent.name, form=form.name))
        return list(reversed(forms.values()))

    def _begins_anew(self, clause: ClauseIntent) -> bool:
        """Whether who leaves a form wants the same again, with other values: "cancel that, and book a table for five"."""
        inside = [
            one for one in self.entities if clause.start <= one.start and one.end <= clause.end and not one.negated
        ]
        return bool(inside) and clause.decision.known and clause.decision.score >= SURER

    def _slot_context(self, state: DialogueState) -> SlotContext:
        """state: without the form that is left."""
        context = self.context
        segments = [] if self.only_cancels else self._segments()
        asked = None if self.cancels else context.slot
        return SlotContext(
            domain=context.domain,
            state=state,
            text=context.text,
            language=context.language,
            now=context.now,
            entities=self.entities,
            segments=segments,
            asked=asked.name if asked else None,
            yes={"affirm": True, "deny": False}.get(self.act or ""),
            corrects=self.corrects,
            confirming=context.confirming,
            referred=referred(context, state, segments, pointing=self.pointing),
        )

    def _segments(self) -> list[Segment]:
        """Each reaches to where the next begins; the first begins with the message."""
        context, segments = self.context, list[Segment]()
        for place, clause in enumerate(self.clause_intents):
            start = 0 if place == 0 else clause.start
            end = self.clause_intents[place + 1].start if place + 1 < len(self.clause_intents) else len(context.text)
            name = context.state.form if clause.informs else (clause.intent.form if clause.intent else None)
            meant = {clause.decision.intent} | ({context.state.topics[-1].intent} if clause.informs else set())
            answers = clause.informs and self.act not in ("cancel", "handover")
            restates = clause.intent is not None and clause.intent.form is not None and clause.informs
            segments.append(Segment(start, end, form_named(context.domain, name), frozenset(meant), answers, restates))
        return segments

    def _named(self, slot_context: SlotContext, updates: SlotUpdates) -> str | None:
        """A slot of the open form that is to be changed, without saying to what: "the time is wrong"."""
        if (
            not (self.corrects or slot_context.confirming)
            or updates.filled
            or updates.refused
            or not self.context.state.topics
        ):
            return None
        if not any(segment.answers for segment in slot_context.segments) or self.act == "affirm":
            return None
        slots = open_slots(self.context.domain, self.context.state)
        return next((name for _, _, name in names_in(self.context.text, slots)), None)

    def _reasons(self) -> list[str]:
        reasons = [_why(self.context, clause) for clause in self.clause_intents]
        if self.talk:
            reasons.append(f"It is small talk: {self.talk}.")
        if self.act:
            reasons.append(f"It says: {self.act}.")
        if self.corrects:
            reasons.append("It corrects something.")
        return reasons


def _names(context: UtteranceContext) -> list[Place]:
    """Where the message calls slots of the open form by name."""
    slots = open_slots(context.domain, context.state)
    return [(start, end) for start, end, _ in names_in(context.text, slots)]


def _score(context: UtteranceContext, clause: ClauseIntent) -> IntentScore:
    """What is reported: an answer that is no intent by itself is about the topic."""
    if clause.intent is not None and not (clause.informs and clause.intent.act is None):
        return scored(clause.decision, clause.start, clause.end)
    if clause.informs:
        topic = context.state.topics[-1].intent
        score = clause.decision.score if clause.decision.intent == topic else clause.decision.threshold
        return IntentScore(name=topic, confidence=min(1.0, score), start=clause.start, end=clause.end)
    if clause.decision.unclear:
        return scored(clause.decision, clause.start, clause.end)
    return IntentScore(name=OUT_OF_SCOPE, confidence=clause.decision.score, start=clause.start, end=clause.end)


def _has_form(clause: ClauseIntent) -> bool:
    return clause.informs or bool(clause.intent and clause.intent.form)


def _why(context: UtteranceContext, clause: ClauseIntent) -> str:
    if clause.informs and (clause.intent is None or clause.intent.act is None):
        return f"It answers within '{context.state.form}'."
    if clause.decision.unclear:
        return f"It may be any of {', '.join(clause.decision.candidates)}."
    if clause.intent is None:
        return "It is none of the domain's intents."
    return f"'{clause.intent.name}' is believed at {clause.decision.score:.2f} of {clause.decision.threshold:.2f}."
