"""Walks a conversation through a domain, turn by turn, and says where it goes otherwise than expected, and why."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from zhuli.types.understanding.domain import DomainFields, Slot
from zhuli.types.understanding.domain_test import ConversationTest, Expectation, TestTurn, TurnDifference
from zhuli.types.understanding.understanding import (
    Asked,
    Decision,
    DialogueState,
    Did,
    HandedOver,
    SlotCleared,
    SlotSet,
    StateChange,
    TopicClosed,
    TopicOpened,
    TurnTaken,
    Understanding,
)
from zhuli.understanding.dialogue.forms_and_slots import asked_for, form_named, slot_named
from zhuli.understanding.dialogue.policy.policy import decide
from zhuli.understanding.dialogue.responses.responses import held
from zhuli.understanding.dialogue.state import fold
from zhuli.understanding.dialogue.utterance.interpreted_utterance import InterpretedUtterance
from zhuli.understanding.domains.imports.notes import function_name
from zhuli.understanding.domains.testing.meaning import same

Understand = Callable[[str, DialogueState], Awaitable[Understanding]]
"""A message in a state, understood."""

_GIVEN: dict[str, Any] = {
    "text": "x",
    "number": 1,
    "boolean": True,
    "date": "2030-01-01",
    "time": "12:00",
    "list": ["x"],
}
"""What the app fills slots with that no message does."""


@dataclass(frozen=True, slots=True)
class Walked:
    """turns: expectations that were looked at: one for each message, one for each form that the app completed."""

    turns: int
    differences: list[TurnDifference]


async def walk(domain: DomainFields, test: ConversationTest, understand: Understand) -> Walked:
    """Through all turns, whatever goes wrong."""
    state, turns, found = DialogueState(), 0, list[TurnDifference]()
    for number, turn in enumerate(test.turns, start=1):
        made = await understand(turn.user, state)
        after = fold(made.changes, state)
        expect, then = turn.expect, turn.then
        if turn.completes is not None and after.form != turn.completes:  # the message itself was enough
            expect = _at_once(expect, turn)
            then = []
        wrong = _difference(domain, test, number, turn, expect, made, after)
        turns += 1
        if wrong is not None:
            found.append(wrong)
            after = _corrected(domain, state, made, turn, after) if test.corrected else after
        state = fold(_given(domain, turn.given, after), after)
        if turn.completes is not None and then:
            turns += 1
            state, wrong = _completed(domain, test, number, turn, state)
            found += [wrong] if wrong is not None else []
        state = fold(_given(domain, turn.given_then, state), state)
    return Walked(turns, found)


def names_done(decision: Decision | None, changes: Sequence[StateChange], form: str | None) -> list[str]:
    """Responses and functions, then the form if it asks something; or what else is done, by its act."""
    asks = any(isinstance(change, Asked) and not change.intents for change in changes)
    names = [*(decision.did if decision else []), *([form] if asks and form else [])]
    if not names and decision is not None and decision.act in ("talk", "hand_over", "clarify", "cancel", "search"):
        return [decision.act]
    return names


def _at_once(expect: Expectation, turn: TestTurn) -> Expectation:
    done = [name for name in expect.does or [] if name != turn.completes]
    return expect.model_copy(update={"does": [*done, *turn.then]})


def _difference(
    domain: DomainFields,
    test: ConversationTest,
    number: int,
    turn: TestTurn,
    expect: Expectation,
    made: Understanding,
    state: DialogueState,
) -> TurnDifference | None:
    wrong = next(_wrong(expect, made, state), None)
    if wrong is None:
        return None
    what, expected, found = wrong
    read = f"It was read as {made.intent.name if made.intent else 'nothing'}."
    why = " ".join([read, *made.reasons, made.decision.why if made.decision else ""]).strip()
    return TurnDifference(
        conversation=test.name, turn=number, user=turn.user, what=what, expected=expected, found=found, why=why
    )


def _wrong(expect: Expectation, made: Understanding, state: DialogueState) -> Iterator[tuple[str, Any, Any]]:
    """Field by field; of `either` the first alternative, if none of them is so."""
    decision = made.decision or Decision(act="talk")
    intents = [one.name for one in made.intents] or ([made.intent.name] if made.intent else [])
    if expect.intent is not None and expect.intent not in intents:
        yield "intent", expect.intent, intents
    done = names_done(made.decision, made.changes, state.form)
    if expect.does is not None and not _same(expect.does, done):
        yield "does", expect.does, done
    if expect.says is not None and not any(_is(expect.says, name) for name in decision.did):
        yield "says", expect.says, decision.text or decision.act
    called = {decision.function: decision.arguments or {}} if decision.function else {}
    if expect.calls is not None and not _called(expect.calls, called):
        yield "calls", expect.calls, called
    asked = state.asked.slot if state.asked else None
    if expect.asks is not None and asked != expect.asks:
        yield "asks", expect.asks, asked
    confirms = state.asked is not None and state.asked.slot is None and not state.asked.intents
    if expect.confirms is not None and confirms != expect.confirms:
        yield "confirms", expect.confirms, confirms
    if "form" in expect.model_fields_set and state.form != expect.form:
        yield "form", expect.form, state.form
    values = {name: held(state, name) for name in expect.slots}
    if not all(same(values[name], value) for name, value in expect.slots.items()):
        yield "slots", expect.slots, values
    if expect.hand_over is not None and (decision.act == "hand_over") != expect.hand_over:
        yield "hand_over", expect.hand_over, decision.act
    if expect.either and all(any(True for _ in _wrong(one, made, state)) for one in expect.either):
        yield next(_wrong(expect.either[0], made, state))


def _same(expected: Sequence[str], done: Sequence[str]) -> bool:
    return len(expected) == len(done) and all(_is(one, other) for one, other in zip(expected, done, strict=True))


def _is(expected: str, done: str) -> bool:
    """`utter_faq` is any answer of the retrieval intent, and a response any of its variations; functions have clean names."""
    if done in (expected, function_name(expected)) or done.startswith(f"{expected}/"):
        return True
    return done.startswith(f"{expected}.") and done.removeprefix(f"{expected}.").isdigit()


def _called(expected: dict[str, dict[str, Any]], called: dict[str, dict[str, Any]]) -> bool:
    if expected.keys() != called.keys():
        return False
    return all(same(called[name].get(key), value) for name, given in expected.items() for key, value in given.items())


def _given(domain: DomainFields, given: dict[str, Any], state: DialogueState) -> Iterator[StateChange]:
    """What the app sets, where a slot of this type can hold it and no message set it already."""
    for name, value in given.items():
        slot = slot_named(domain, name)
        if slot is None or (value is not None and held(state, name) is not None):
            continue
        if value is None:
            yield SlotCleared(slot=name, why="given")
        elif (fitting := _fitting(slot, value)) is not None:
            yield SlotSet(slot=name, value=fitting, how="given")


def _fitting(slot: Slot, value: Any) -> Any:
    if slot.type == "text":
        return str(value)
    if slot.type == "category":
        return value if value in [one.value for one in slot.values] else None
    return value if type(value) is type(_GIVEN[slot.type]) else None


def _completed(
    domain: DomainFields, test: ConversationTest, number: int, turn: TestTurn, state: DialogueState
) -> tuple[DialogueState, TurnDifference | None]:
    """The app fills what the form misses, and the policy goes on."""
    form = form_named(domain, turn.completes)
    for name in asked_for(form) if form else []:
        slot = slot_named(domain, name)
        if slot is not None and held(state, name) is None:
            value = slot.values[0].value if slot.type == "category" else _GIVEN[slot.type]
            state = fold([SlotSet(slot=name, value=value, how="given")], state)
    state = fold([TurnTaken(language=state.language, intent=state.intent)], state)
    decision, changes = decide(domain, state, InterpretedUtterance("", state.language))
    state = fold(changes, state)
    done = names_done(decision, changes, state.form)
    if _same(turn.then, done):
        return state, None
    if test.corrected and any(rule.when.after for rule in domain.rules):
        state = fold([Did(names=_as_done(domain, turn.then))], state)
    said = f"(the form {turn.completes} is filled)"
    return state, TurnDifference(
        conversation=test.name, turn=number, user=said, what="then", expected=turn.then, found=done, why=decision.why
    )


def _as_done(domain: DomainFields, names: Sequence[str]) -> list[str]:
    """As Did has them: without forms, functions by their clean names."""
    did = (name for name in names if form_named(domain, name) is None)
    return [name if name.startswith("utter_") or name in domain.responses else function_name(name) for name in did]


def _corrected(
    domain: DomainFields, before: DialogueState, made: Understanding, turn: TestTurn, after: DialogueState
) -> DialogueState:
    """The state as if the turn had gone as expected: what was done, and which form is open."""
    kept = [change for change in made.changes if isinstance(change, TurnTaken | SlotSet | SlotCleared)]
    state = fold(kept, before)
    changes: list[StateChange] = [HandedOver(released=True)]
    if any(rule.when.after for rule in domain.rules):
        said = f"/{turn.meant or state.intent or 'out_of_scope'}"
        changes.append(Did(names=[said, *_as_done(domain, turn.expect.does or [])]))
    wanted = turn.completes or turn.open
    if wanted != state.form:
        changes += [TopicClosed(how="cancelled")] * len(state.topics)
        form = form_named(domain, wanted)
        if form is not None:
            changes.append(TopicOpened(intent=turn.meant or state.intent or form.name, form=form.name))
    state = fold(changes, state)
    form = form_named(domain, state.form)
    missing = next((name for name in asked_for(form) if held(state, name) is None), None) if form else None
    asks = form is not None and form.name in (turn.expect.does or []) and missing is not None
    return fold([Asked(slot=missing)], state) if asks else state
