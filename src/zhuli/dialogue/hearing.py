"""From what an understander read to what was meant here: the state decides what a short answer is about.

In this order: entities, by rule and learned, with what the message denies; yes, no and their like; what each stretch is about
(wishes), or which of the offered intents was chosen; what is cancelled and opened; what the message refers to; and which slots
take what (filling). It changes nothing: tracking does, from what was heard.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from zhuli.dialogue.answering import chosen, keeps, leaves, only_says
from zhuli.dialogue.believing import Belief, scored
from zhuli.dialogue.calling import names_in
from zhuli.dialogue.closing import closed, stale
from zhuli.dialogue.filling import Filling
from zhuli.dialogue.heard import Heard
from zhuli.dialogue.mappings import form_named, implied_entities, slot_named, slots_of, typed_entity
from zhuli.dialogue.referring import resolved
from zhuli.dialogue.scene import Scene, Segment
from zhuli.dialogue.state import fold
from zhuli.dialogue.wishes import Listener, Part, Wish
from zhuli.language.acts import act_of, correction
from zhuli.language.entities import find_entities
from zhuli.language.merging import merged
from zhuli.language.negation import with_negation
from zhuli.language.references import Reference, references
from zhuli.types.domain import OUT_OF_SCOPE, Act, DomainFields, Entity, Language, Slot
from zhuli.types.understanding import Asked, DialogueState, EntityFound, IntentScore, Reading, StateChange, TopicOpened

_Said = Act | Literal["correct"] | None


@dataclass(frozen=True, slots=True)
class _Turn:
    """The message and where it meets the dialogue; what every step below needs."""

    domain: DomainFields
    state: DialogueState
    text: str
    language: Language | None
    now: datetime
    asked: Asked | None

    @property
    def slot(self) -> Slot | None:
        return slot_named(self.domain, self.asked.slot) if self.asked else None


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
    state = fold(stale(domain, state), state)
    turn = _Turn(domain, state, text, language, now, _open_question(domain, state))
    entities = _entities(turn, [] if only_says(text) else whole.entities)
    said, corrects = _said(turn, parts), correction(text, language)
    act: Act | None = None if said == "correct" else said
    corrects = corrects or said == "correct" or keeps(text)
    listener = Listener(
        domain=domain,
        state=state,
        text=text,
        asked=turn.slot,
        values=entities,
        loose=_loose(turn),
        referred=[_pointing(reference) for reference in references(text, language)],
        named=(corrects or _confirming(turn.asked))
        and bool(names_in(text, slots_of(domain, form_named(domain, state.form)))),
        act=act,
        corrects=corrects,
    )
    wishes = _chosen(turn, act) or listener.wishes(whole, parts)
    act = _act(turn, act, wishes)
    wishes = [_by_act(turn, wish, act) for wish in wishes]
    return _Understood(turn, whole, entities, wishes, act, corrects).heard()


@dataclass(frozen=True, slots=True)
class _Understood:
    """What is known of the message before its slots are filled."""

    turn: _Turn
    whole: Reading
    entities: list[EntityFound]
    wishes: list[Wish]
    act: Act | None
    corrects: bool

    def heard(self) -> Heard:
        """All of it, with what follows for slots and topics; of a thread that a person has, only what was said."""
        turn, intents = self.turn, [_score(self.turn, wish) for wish in self.wishes]
        main = next((one for one, wish in zip(intents, self.wishes, strict=True) if _form_of(turn, wish)), intents[0])
        cancels = turn.state.form if self.act == "cancel" else None
        gone: list[StateChange] = closed(turn.domain, turn.state, "cancelled") if cancels else []
        scene = self._scene(fold(gone, turn.state), cancels=bool(cancels))
        filling = Filling(scene).run() if not turn.state.handed_over else Filling(scene)
        return Heard(
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
            filled=list(filling.filled.values()),
            cleared=filling.cleared,
            refused=list(filling.refused.values()),
            named=self._named(scene, filling),
            goes_on=keeps(turn.text),
            cancels=cancels,
            opened=[] if turn.state.handed_over else self._opened(cancels=bool(cancels)),
        )

    def _opened(self, *, cancels: bool) -> list[TopicOpened]:
        """Forms to open, so that the one that was named first ends on top. One that is open already goes on."""
        forms: dict[str, TopicOpened] = {}
        for wish in self.wishes:
            form = form_named(self.turn.domain, wish.intent.form) if wish.intent else None
            alone = len(self.wishes) == 1
            if form is None or wish.intent is None or (cancels and alone):
                continue
            if form.name != self.turn.state.form or cancels:
                forms.setdefault(form.name, TopicOpened(intent=wish.intent.name, form=form.name))
        return list(reversed(forms.values()))

    def _scene(self, state: DialogueState, *, cancels: bool) -> Scene:
        turn = self.turn
        segments = [] if cancels and len(self.wishes) == 1 else self._segments()
        yes = {"affirm": True, "deny": False}.get(self.act or "")
        asked = None if cancels else turn.slot
        scene = Scene(
            domain=turn.domain,
            state=state,
            text=turn.text,
            language=turn.language,
            now=turn.now,
            entities=self.entities,
            segments=segments,
            asked=asked.name if asked else None,
            yes=yes,
            corrects=self.corrects,
            confirming=_confirming(turn.asked),
            referred=_referred(turn, state, segments),
        )
        return scene

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

    def _named(self, scene: Scene, filling: Filling) -> str | None:
        """A slot of the open form that is to be changed, without saying to what: "the time is wrong"."""
        if not (self.corrects or scene.confirming) or filling.filled or filling.refused or not self.turn.state.topics:
            return None
        slots = slots_of(self.turn.domain, form_named(self.turn.domain, self.turn.state.form))
        if not any(segment.answers for segment in scene.segments) or self.act == "affirm":
            return None
        return next((name for _, _, name in names_in(self.turn.text, slots)), None)

    def _reasons(self) -> list[str]:
        reasons = [_why(self.turn, wish) for wish in self.wishes]
        if self.act:
            reasons.append(f"It says: {self.act}.")
        if self.corrects:
            reasons.append("It corrects something.")
        return reasons


def _open_question(domain: DomainFields, state: DialogueState) -> Asked | None:
    """What was asked, if the domain still has what it is about."""
    asked = state.asked
    if asked is None or asked.slot is None:
        return asked if asked and (asked.intents or form_named(domain, state.form)) else None
    slots = slots_of(domain, form_named(domain, state.form))
    return asked if any(slot.name == asked.slot for slot in slots) else None


def _confirming(asked: Asked | None) -> bool:
    return asked is not None and asked.slot is None and not asked.intents


def _entities(turn: _Turn, learned: Sequence[EntityFound]) -> list[EntityFound]:
    """By rule and learned, those that the slots imply among them, in the order of the message."""
    wanted = [*turn.domain.entities, *implied_entities(turn.domain)]
    rules = find_entities(turn.text, wanted, language=turn.language, now=turn.now)
    return with_negation(turn.text, merged(rules, learned), turn.language)


def _loose(turn: _Turn) -> list[EntityFound]:
    """What could be a value of the asked slot by its type, whatever entity it waits for."""
    entity = typed_entity(turn.slot) if turn.slot else None
    if entity is None:
        return []
    wanted = [entity, Entity(name=entity.name, kind="number")] if entity.kind == "time" else [entity]
    return [one for want in wanted for one in find_entities(turn.text, [want], language=turn.language, now=turn.now)]


def _said(turn: _Turn, parts: Sequence[Part]) -> _Said:
    """What the words say, of the whole message or else of how it begins: "yes, and what are your hours?"."""
    said = act_of(turn.text, turn.language)
    if said is None and parts:
        (start, end), _ = parts[0]
        said = act_of(turn.text[start:end], turn.language)
    if said != "handover" and turn.state.form is not None:
        topic = turn.state.topics[-1]
        return "cancel" if leaves(turn.text, [turn.state.form, topic.intent]) else said
    return said


def _act(turn: _Turn, said: Act | None, wishes: Sequence[Wish]) -> Act | None:
    """By wording, or else by an intent that has an act.

    A wish of its own is not taken for cancelling or calling a person because of a word in it, unless it is only that word.
    """
    meant = next((wish.intent.act for wish in wishes if wish.intent and wish.intent.act), None)
    own = any(wish.intent and not wish.intent.act and not wish.informs for wish in wishes)
    if said in ("cancel", "handover") and own and (turn.state.form is None or len(turn.text.split()) > 3):
        said = None
    act = said or meant
    return None if act == "cancel" and keeps(turn.text) else act


def _by_act(turn: _Turn, wish: Wish, act: Act | None) -> Wish:
    """What no intent was believed of, but says yes, no or the like, is the domain's intent for that."""
    intent = next((intent for intent in turn.domain.intents if intent.act == act), None)
    if act is None or intent is None or wish.intent is not None or wish.informs:
        return wish
    return replace(wish, intent=intent, belief=Belief(intent.name, wish.belief.threshold, wish.belief.threshold))


def _chosen(turn: _Turn, act: Act | None) -> list[Wish]:
    """The one wish that was picked of those that were offered."""
    if turn.asked is None or not turn.asked.intents or act in ("cancel", "handover"):
        return []
    name = chosen(turn.domain, turn.asked.intents, turn.text, yes=act == "affirm")
    intent = next((intent for intent in turn.domain.intents if intent.name == name), None)
    if intent is None:
        return []
    informs = intent.form is not None and intent.form == turn.state.form
    return [Wish(0, len(turn.text), Belief(intent.name, 1.0, 0.0), intent, informs)]


def _score(turn: _Turn, wish: Wish) -> IntentScore:
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


def _form_of(turn: _Turn, wish: Wish) -> bool:
    return wish.informs or bool(wish.intent and wish.intent.form)


def _referred(turn: _Turn, state: DialogueState, segments: Sequence[Segment]) -> list[tuple[Slot, EntityFound]]:
    """Earlier values that the message points to, with the slot that is to take each."""
    found = references(turn.text, turn.language)
    given: list[tuple[Slot, EntityFound]] = []
    for segment in segments:
        inside = [one for one in found if segment.start <= one.start and one.end <= segment.end]
        slots = slots_of(turn.domain, segment.form)
        slots = [slot for slot in slots if _waits(turn, state, slot)]
        slots.sort(key=lambda slot: turn.slot is None or slot.name != turn.slot.name)
        for reference, slot, value in resolved(turn.domain, state, inside, slots):
            given.append((slot, _pointing(reference).model_copy(update={"entity": slot.name, "value": value.value})))
    return given


def _pointing(reference: Reference) -> EntityFound:
    """The words that refer to something, of which nothing is known yet."""
    start, end = reference.start, reference.end
    return EntityFound(entity="", text=reference.text, value=None, start=start, end=end, source="reference")


def _waits(turn: _Turn, state: DialogueState, slot: Slot) -> bool:
    known = state.slots.get(slot.name)
    return known is None or known.value is None or (turn.slot is not None and turn.slot.name == slot.name)


def _why(turn: _Turn, wish: Wish) -> str:
    if wish.informs and (wish.intent is None or wish.intent.act is None):
        return f"It answers within '{turn.state.form}'."
    if wish.belief.unclear:
        return f"It may be any of {', '.join(wish.belief.candidates)}."
    if wish.intent is None:
        return "It is none of the domain's intents."
    return f"'{wish.intent.name}' is believed at {wish.belief.score:.2f} of {wish.belief.threshold:.2f}."
