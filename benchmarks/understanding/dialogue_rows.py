"""Rows about task dialogues: intents of users' turns, the slots that each turn fills, and the state after it.

A dialogue is followed by the server's own steps: the understander reads, the interpreter says what is meant, state tracking
says what changes, and the state is folded. What the system did is taken from the annotation, for here it is not our policy
that talks: what it asked for is asked in our state; what it offered, or asked to confirm, is given to the state, as an app
would through the API, after a message that is understood as a yes, a choice, or a new intent. Our own earlier errors stay in
the state.

joint goal: turns after which every slot that is annotated has one of its writings, and no other slot has a value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.understanding import measures
from benchmarks.understanding.bench import Bench, as_told, told_by_bm25
from benchmarks.understanding.dialogue_parts import Dialogue, DialogueSet, Turn, Values, normal
from benchmarks.understanding.domain_of import domain_of
from benchmarks.understanding.measures import Told
from benchmarks.understanding.rows import Row
from zhuli.learning.metrics.intervals import interval, resampled
from zhuli.learning.metrics.measured import Measured, Sums, means, ratio
from zhuli.ports import Understander
from zhuli.types.understanding.domain import DomainFields
from zhuli.types.understanding.understanding import Asked, DialogueState, IntentScore, SlotSet, TopicOpened
from zhuli.understanding.dialogue.interpreter import interpret
from zhuli.understanding.dialogue.state import fold
from zhuli.understanding.dialogue.state_tracking import track
from zhuli.understanding.dialogue.utterance.clause_splitting import split_clauses
from zhuli.understanding.dialogue.utterance.interpreted_utterance import InterpretedUtterance

QUICK_DIALOGUES = 5

Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class After:
    """What came of a turn: the intent of the message by itself, what it filled, why, and the state."""

    turn: Turn
    told: Told
    filled: Mapping[str, frozenset[str]]
    state: DialogueState
    reasons: Sequence[str] = ()
    ranking: Sequence[IntentScore] = ()


async def dialogues(bench: Bench, row: Row, known: DialogueSet) -> Result:
    """Intent accuracy, slot F1 of turns, joint goal accuracy; of a baseline that fills no slots, intents only."""
    most = QUICK_DIALOGUES if bench.quick else row.test or len(known.test)
    asked = list(known.test)[:most]
    turns = [turn for dialogue in asked for turn in dialogue]
    runs = []
    for seed in bench.seeds(row):
        examples = known.messages().drawn(bench.each(row), seed)
        if row.understander == "bm25":
            told = told_by_bm25(examples, [turn.message.text for turn in turns])
            runs.append(measures.measured([_plain(turn) for turn in turns], told))
            continue
        settings = await bench.settings(row, examples, known.language)
        domain = known.complete(domain_of(examples, language=known.language, type=row.understander, **settings))
        understander = await bench.understander(row, domain, known.language)
        done = list[After]()
        for number, dialogue in enumerate(asked, 1):
            done += await follow(understander, domain, dialogue, known)
            bench.advance(number / len(asked))
        runs.append(_measured(done, all_services=known.all_services))
    found = measures.averaged([_points(run) for run in runs])
    if len(runs) == 1:
        drawn = resampled(runs[0], seed=0)
        found["intervals"] = {name: interval(drawn[name]) for name in _points(runs[0])}
    return {**found, "train": len(examples), "test": len(turns), "dialogues": len(asked)}


async def follow(
    understander: Understander,
    domain: DomainFields,
    dialogue: Dialogue,
    known: DialogueSet,
    *,
    opens: bool = False,
) -> list[After]:
    """The dialogue from its first to its last turn. opens: what the system asks for opens the form that has it."""
    state, done = DialogueState(), list[After]()
    for turn in dialogue:
        state = fold([turn.asked] if turn.asked else [], _opened(domain, state, turn.asked) if opens else state)
        utterance, told = await _interpreted(understander, domain, turn, state, known)
        changes = track(domain, state, utterance, message_id=None)
        state = fold(changes, state)
        filled = {one.slot: writings(one.value, one.text) for one in changes if isinstance(one, SlotSet)}
        if _accepts(domain, utterance, told.intent):
            stated = {**turn.offered, **turn.confirmed}
            state = fold([_given(slot, value) for slot, value in stated.items() if _takes(domain, slot, filled)], state)
        done.append(After(turn, told, filled, state, utterance.reasons, utterance.ranking))
    return done


def _opened(domain: DomainFields, state: DialogueState, asked: Asked | None) -> DialogueState:
    """With the form open that has the slot which was asked for, if it is not open yet."""
    if asked is None or asked.slot is None:
        return state
    if any(asked.slot in (*form.slots, *form.optional) for form in domain.forms if form.name == state.form):
        return state
    about = [form.name for form in domain.forms if asked.slot in form.slots]
    wanted = (one for one in domain.intents if one.form in about)
    return fold([TopicOpened(intent=one.name, form=one.form) for one in wanted if one.form][:1], state)


async def _interpreted(
    understander: Understander, domain: DomainFields, turn: Turn, state: DialogueState, known: DialogueSet
) -> tuple[InterpretedUtterance, Told]:
    text = turn.message.text
    spans = split_clauses(text, known.language)
    spans = spans if len(spans) > 1 else []
    whole, *clauses = await understander.read([text, *(text[start:end] for start, end in spans)], state)
    utterance = interpret(
        domain,
        state,
        text,
        language=known.language,
        now=known.now,
        whole=whole,
        clauses=list(zip(spans, clauses, strict=True)),
    )
    return utterance, as_told(whole)


def _accepts(domain: DomainFields, utterance: InterpretedUtterance, best: str) -> bool:
    """Whether it says yes and nothing else than that, or opens a form. best: the likeliest intent of the message by itself."""
    plain = {intent.name for intent in domain.intents if intent.form is None and intent.act is None}
    return bool(utterance.opened) or (utterance.act == "affirm" and best not in plain)


def _given(slot: str, value: str) -> SlotSet:
    return SlotSet(slot=slot, value=value, text=value, how="given")


def _takes(domain: DomainFields, slot: str, filled: Values) -> bool:
    """What the message says itself stands before what the system said."""
    return slot not in filled and any(one.name == slot for one in domain.slots)


def writings(value: Any, text: str) -> frozenset[str]:
    """How the value may be compared: as it is kept, and as the user said it."""
    return frozenset({normal(value)} if isinstance(value, list) else {normal(value), normal(text)})


def _measured(done: Sequence[After], *, all_services: bool) -> Measured:
    right = [float(one.told.intent == one.turn.message.intent) for one in done]
    rows = [_counts(one.filled, one.turn.told) for one in done]
    slots = Sums(np.array(rows, np.float64), lambda sums: {"slot_f1": ratio(2 * sums[:, 0], sums[:, 1] + sums[:, 2])})
    whole = [meets(one, None) for one in done]
    one_service = [meets(one, one.turn.service) for one in done]
    goals = {
        "joint_goal": whole if all_services else one_service,
        "joint_goal_of_service": one_service,
        "joint_goal_of_all": whole,
    }
    active = [float(_active(one.state) == one.turn.active) for one in done]
    named = {} if all_services else {"active_intent": active}
    return Measured([means(accuracy=right), slots, means(**goals, **named)])


def _points(run: Measured) -> dict[str, float]:
    return {name: float(value) for name, value in run.items() if isinstance(value, float)}


def _counts(said: Values, wanted: Values) -> list[float]:
    """Right values, values that were said, values that were to be said."""
    right = sum(bool(values & wanted.get(slot, frozenset())) for slot, values in said.items())
    return [right, len(said), len(wanted)]


def meets(after: After, service: str | None) -> float:
    """Whether the state is as annotated: of this service, or of all."""
    mine = {
        name: writings(slot.value, slot.history[-1].text if slot.history else "")
        for name, slot in after.state.slots.items()
        if slot.value is not None and (service is None or name.startswith(f"{service}."))
    }
    goal = {
        name: values for name, values in after.turn.goal.items() if service is None or name.startswith(f"{service}.")
    }
    return float(mine.keys() == goal.keys() and all(mine[name] & goal[name] for name in goal))


def _active(state: DialogueState) -> str | None:
    return state.topics[-1].intent if state.topics else None


def _plain(turn: Turn) -> Any:
    """The message without its entities, for what tells intents only."""
    return type(turn.message)(turn.message.text, turn.message.intent)
