"""Interpretation of commands: from what an understander wrote of a whole message to what was meant here.

Each command is checked: a slot must belong to what is open or started now, leaving needs something that is open, what can't be
taken back needs the certainty that the domain wants. What does not hold is dropped, and the reasons say so. Everything behind
(values, validation, rules, policy, responses) is what it is for other understanders.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from zhuli.types.understanding.commands import (
    AskKnowledge,
    CallPerson,
    CancelForm,
    ClarifyIntents,
    Commands,
    MakeSmallTalk,
    SayYesOrNo,
    SetSlot,
    StartIntent,
)
from zhuli.types.understanding.domain import OUT_OF_SCOPE, Act, DomainFields, Intent, Language, Slot, SmallTalk
from zhuli.types.understanding.understanding import (
    Asked,
    DialogueState,
    EntityFound,
    IntentScore,
    Reading,
    StateChange,
    TopicOpened,
)
from zhuli.understanding.dialogue.commands.commanded_values import CommandedValues
from zhuli.understanding.dialogue.forms_and_slots import (
    form_named,
    free_slots,
    intent_named,
    open_slots,
    slot_named,
    slots_of,
    waiting_slots,
)
from zhuli.understanding.dialogue.slots.slot_candidates import SlotCandidates
from zhuli.understanding.dialogue.slots.slot_context import Segment, SlotContext
from zhuli.understanding.dialogue.slots.slot_filling import filled, take_intents
from zhuli.understanding.dialogue.slots.slot_validation import SlotUpdates
from zhuli.understanding.dialogue.state import fold
from zhuli.understanding.dialogue.topics.topic_resumption import recalled, reopening
from zhuli.understanding.dialogue.topics.topic_stack import closed
from zhuli.understanding.dialogue.utterance.interpreted_utterance import InterpretedUtterance
from zhuli.understanding.dialogue.utterance.utterance_context import UtteranceContext, entities_in, open_question
from zhuli.understanding.language.commands.command_words import in_words


def commanded(
    domain: DomainFields,
    state: DialogueState,
    text: str,
    *,
    language: Language | None,
    now: datetime,
    whole: Reading,
    commands: Commands,
) -> InterpretedUtterance:
    """What the message means in this state, by its commands; a correction brings back the form that was just done."""
    again = list(reopening(domain, state)) if _mends(domain, state, commands) else []
    asked = Asked() if again else open_question(domain, state)
    context = UtteranceContext(domain, fold(again, state), text, language, now, asked)
    utterance = _Commanded(context, whole, commands, entities_in(context, whole.entities)).utterance()
    return replace(utterance, reopened=again)


def _mends(domain: DomainFields, state: DialogueState, commands: Commands) -> bool:
    """Whether something is corrected in the form that was done last, and nothing else is wanted."""
    form = form_named(domain, state.done.form) if state.done else None
    own = {slot.name for slot in slots_of(domain, form)}
    corrects = any(isinstance(one, SetSlot) and one.corrects and one.slot in own for one in commands.given)
    return corrects and not any(isinstance(one, StartIntent | CancelForm | CallPerson) for one in commands.given)


@dataclass(slots=True)
class _Commanded:
    """One message. reasons: what was dropped, and why, in the order of the commands."""

    context: UtteranceContext
    whole: Reading
    commands: Commands
    entities: list[EntityFound]
    reasons: list[str] = field(default_factory=list)

    def utterance(self) -> InterpretedUtterance:
        context, act = self.context, self._act()
        started = self._started(act)
        cancels = context.state.form if act == "cancel" else None
        gone: list[StateChange] = closed(context.domain, context.state, "cancelled") if cancels else []
        slot_context = self._slot_context(fold(gone, context.state), started, act, cancels)
        values = CommandedValues(SlotUpdates(slot_context), self.reasons)
        if not context.state.handed_over:
            self._fill(values, started, act, cancels)
        unclear = self._unclear(started, act)
        intents = self._intents(started, act, unclear, values)
        updates, talk = values.updates, self._talk(act)
        return InterpretedUtterance(
            text=context.text,
            language=context.language,
            intents=intents,
            intent=next((one for one in intents if self._has_form(one)), intents[0]),
            ranking=[self._score(name) for name in unclear] or self.whole.ranking,
            entities=self.entities,
            act=act,
            corrects=slot_context.corrects,
            unclear=bool(unclear),
            reasons=[in_words(self.commands), *self.whole.reasons, *self.reasons],
            asked=context.asked,
            filled=list((recalled(slot_context, context.asked, started) | updates.filled).values()),
            cleared=updates.cleared,
            refused=list(updates.refused.values()),
            named=values.named,
            cancels=cancels,
            opened=[] if context.state.handed_over else self._opened(started, cancels),
            talk=talk,
            doubtful=self._doubtful(started),
            takes_back=context.state.handed_over and (act in ("cancel", "deny") or talk == "declined"),
            knowledge=any(isinstance(one, AskKnowledge) for one in self.commands.given),
        )

    def _act(self) -> Act | None:
        """Calling a person goes before leaving, and leaving before yes and no. The first two can't be taken back."""
        given, domain = self.commands.given, self.context.domain
        if any(isinstance(one, CallPerson) for one in given) and self._is_certain("to hand over"):
            return "handover"
        if any(isinstance(one, CancelForm) for one in given) and self._is_certain("to leave"):
            own = any(intent.act == "cancel" for intent in domain.intents)
            if self.context.state.form is not None or self.context.state.handed_over or own:
                return "cancel"
        yes = next((one.yes for one in given if isinstance(one, SayYesOrNo)), None)
        return None if yes is None else "affirm" if yes else "deny"

    def _is_certain(self, what: str) -> bool:
        needed, sure = self.context.domain.fallback.certainty, self.commands.certainty
        if sure < needed:
            self.reasons.append(
                f"The command {what} was dropped: the model is sure by {sure:.0%}, it takes {needed:.0%}."
            )
        return sure >= needed

    def _started(self, act: Act | None) -> list[Intent]:
        """Intents that are wanted: those that are started, or the one that a yes picks of what was offered."""
        offered = self.context.asked.intents if self.context.asked else []
        names = [one.intent for one in self.commands.given if isinstance(one, StartIntent)]
        if act == "affirm" and offered and not names:
            names = offered[:1]
        least = self.whole.threshold
        if names and self.commands.certainty < least and not set(names) & set(offered):
            sure = f"the model is sure by {self.commands.certainty:.0%}, it takes {least:.0%}"
            self.reasons.append(f"To start {', '.join(names)} was dropped: {sure}.")
            return []
        found = (intent_named(self.context.domain, name) for name in dict.fromkeys(names))
        return [intent for intent in found if intent is not None]

    def _slot_context(
        self, state: DialogueState, started: Sequence[Intent], act: Act | None, cancels: str | None
    ) -> SlotContext:
        """state: without the form that is left."""
        context = self.context
        segments = [
            Segment(0, len(context.text), form_named(context.domain, one.form), frozenset({one.name}), answers=False)
            for one in started
        ]
        return SlotContext(
            domain=context.domain,
            state=state,
            text=context.text,
            language=context.language,
            now=context.now,
            entities=self.entities,
            segments=segments,
            asked=context.slot.name if context.slot and not cancels else None,
            yes={"affirm": True, "deny": False}.get(act or ""),
            corrects=any(isinstance(one, SetSlot) and one.corrects for one in self.commands.given),
            confirming=context.confirming,
        )

    def _fill(self, values: CommandedValues, started: Sequence[Intent], act: Act | None, cancels: str | None) -> None:
        """What the commands say; what they leave to rules: a yes to a question, and what starting an intent says by itself."""
        sets = [one for one in self.commands.given if isinstance(one, SetSlot)]
        mine = {slot.name for slot in self._slots(started, values.updates.slot_context.state)}
        for one in sets:
            slot = slot_named(self.context.domain, one.slot)
            if slot is None or one.slot not in mine:
                self.reasons.append(
                    f"The value of '{one.slot}' was dropped: nothing that is open or started has this slot."
                )
            else:
                values.take(slot, one)
        updates, asked = values.updates, self.context.slot
        yes = updates.slot_context.yes
        said = {*updates.filled, *(one.slot for one in sets)}
        if yes is not None and asked and asked.type == "boolean" and asked.name not in said and not cancels:
            updates.keep(asked, yes, self.context.text, "intent")
        chosen = self.context.asked is not None and bool(self.context.asked.intents)
        if started and not sets and not chosen:
            updates.filled |= {
                name: one for name, one in filled(updates.slot_context).filled.items() if name not in updates.filled
            }
        for segment in updates.slot_context.segments:
            take_intents(updates, SlotCandidates(updates.slot_context, segment))

    def _slots(self, started: Iterable[Intent], state: DialogueState) -> list[Slot]:
        """Those that the message may fill: of what is open and waits, of what it starts, and of no form."""
        domain = self.context.domain
        new = (slot for one in started for slot in slots_of(domain, form_named(domain, one.form)))
        return [*open_slots(domain, state), *waiting_slots(domain, state), *new, *free_slots(domain)]

    def _unclear(self, started: Sequence[Intent], act: Act | None) -> list[str]:
        """Intents of which one is meant; where something is started beside, that is done."""
        found = next((one.intents for one in self.commands.given if isinstance(one, ClarifyIntents)), ())
        return [] if started or act in ("cancel", "handover") else list(found)

    def _intents(
        self, started: Sequence[Intent], act: Act | None, unclear: Sequence[str], values: CommandedValues
    ) -> list[IntentScore]:
        """Of what is started, of a yes or no that the domain has an intent for, of the open topic if it was answered."""
        if unclear:
            return [self._score(unclear[0])]
        names = [one.name for one in started]
        by_act = next((one.name for one in self.context.domain.intents if act and one.act == act), None)
        topic = self.context.state.topics[-1].intent if self.context.state.topics else None
        sets = {one.slot for one in self.commands.given if isinstance(one, SetSlot)}
        own = {slot.name for slot in open_slots(self.context.domain, self.context.state)}
        answers = bool(sets & own) or act in ("affirm", "deny") or bool(values.updates.filled)
        if topic and topic not in names and (answers or act == "cancel") and not self.context.state.handed_over:
            names = [topic, *names] if answers else names
        if by_act and not (names and act in ("affirm", "deny")):
            names = [*names, by_act]
        return [self._score(name) for name in dict.fromkeys(names)] or [self._score(OUT_OF_SCOPE)]

    def _opened(self, started: Sequence[Intent], cancels: str | None) -> list[TopicOpened]:
        """Forms to open, so that the one that was named first ends on top. One that is open already goes on."""
        forms: dict[str, TopicOpened] = {}
        for intent in started:
            form = form_named(self.context.domain, intent.form)
            if form is not None and (cancels or form.name != self.context.state.form):
                forms.setdefault(form.name, TopicOpened(intent=intent.name, form=form.name))
        return list(reversed(forms.values()))

    def _talk(self, act: Act | None) -> SmallTalk | None:
        """Leaving where nothing is open is a wish that is taken back."""
        kind = next((one.kind for one in self.commands.given if isinstance(one, MakeSmallTalk)), None)
        leaves = any(isinstance(one, CancelForm) for one in self.commands.given)
        return "declined" if kind is None and leaves and act is None else kind

    def _doubtful(self, started: Sequence[Intent]) -> frozenset[str]:
        """Intents that are not sure enough for what can't be taken back, but for one that was chosen of those offered."""
        offered = self.context.asked.intents if self.context.asked else []
        if self.commands.certainty >= self.context.domain.fallback.certainty:
            return frozenset()
        return frozenset(one.name for one in started if one.name not in offered)

    def _has_form(self, one: IntentScore) -> bool:
        intent = intent_named(self.context.domain, one.name)
        topics = self.context.state.topics
        return bool(intent and intent.form) or bool(topics and topics[-1].intent == one.name)

    def _score(self, name: str) -> IntentScore:
        return IntentScore(name=name, confidence=self.commands.certainty, start=0, end=len(self.context.text))
