"""The state is the fold of what happened: whole, in pieces, again."""

from hypothesis import given, settings
from hypothesis import strategies as st

from zhuli.types.understanding.understanding import (
    Asked,
    Confirmed,
    DialogueState,
    HandedOver,
    SlotCleared,
    SlotSet,
    StateChange,
    TopicClosed,
    TopicOpened,
    TurnTaken,
)
from zhuli.understanding.dialogue.state import MOST_TOPICS, fold

names = st.sampled_from(["a", "b", "c"])
forms = st.one_of(st.none(), st.sampled_from([f"form{n}" for n in range(12)]))
values = st.one_of(st.integers(), st.text(max_size=3), st.lists(st.integers(), max_size=2))
changes = st.one_of(
    st.builds(TurnTaken, intent=st.one_of(st.none(), names), language=st.sampled_from([None, "en", "zh"])),
    st.builds(SlotSet, slot=names, value=values, how=st.just("entity")),
    st.builds(SlotCleared, slot=names, why=st.just("given")),
    st.builds(TopicOpened, intent=names, form=forms),
    st.builds(TopicClosed, how=st.sampled_from(["done", "cancelled"]), values=st.just({"date": "2026-11-24"})),
    st.builds(Asked, slot=st.one_of(st.none(), names), intents=st.lists(names, max_size=2)),
    st.builds(Confirmed),
    st.builds(HandedOver, released=st.booleans()),
)
histories = st.lists(changes, max_size=30)


@settings(max_examples=30, deadline=None)
@given(histories, histories)
def test_folding_in_pieces_is_folding_at_once(before: list[StateChange], after: list[StateChange]) -> None:
    assert fold([*before, *after]) == fold(after, fold(before))


@settings(max_examples=30, deadline=None)
@given(histories)
def test_a_state_survives_its_json_and_is_not_altered_by_folding_on(history: list[StateChange]) -> None:
    state = fold(history)
    written = state.model_dump_json()
    assert DialogueState.model_validate_json(written) == state
    fold(history, state)
    assert state.model_dump_json() == written


@settings(max_examples=30, deadline=None)
@given(histories)
def test_a_form_is_on_the_stack_once_and_the_stack_is_bounded(history: list[StateChange]) -> None:
    topics = [topic.form for topic in fold(history).topics]
    assert len(topics) <= MOST_TOPICS
    assert len([form for form in topics if form]) == len({form for form in topics if form})


def test_a_slot_remembers_what_it_held_and_where_from() -> None:
    state = fold(
        [
            TurnTaken(message_id="msg_1", language="zh", intent="book", confidence=0.9),
            SlotSet(slot="date", value="2026-11-24", text="明天", how="entity", message_id="msg_1"),
            TurnTaken(message_id="msg_2"),
            SlotSet(slot="date", value="2026-11-25", text="后天", how="correction", message_id="msg_2"),
            SlotCleared(slot="date", why="form_done"),
        ]
    )
    history = state.slots["date"].history
    assert state.slots["date"].value is None and [one.value for one in history] == ["2026-11-24", "2026-11-25"]
    assert [(one.turn, one.how, one.message_id) for one in history] == [
        (1, "entity", "msg_1"),
        (2, "correction", "msg_2"),
    ]
    assert (state.turn, state.language, state.intent) == (2, "zh", None)


def test_what_was_asked_is_forgotten_with_the_next_message_and_the_next_topic() -> None:
    opened: list[StateChange] = [TopicOpened(intent="book", form="table"), Asked(slot="date")]
    assert fold(opened).asked == Asked(slot="date")
    for after in (TurnTaken(), TopicOpened(intent="taxi", form="taxi"), TopicClosed(how="done")):
        assert fold([*opened, after]).asked is None


def test_opening_a_form_that_waits_brings_it_up() -> None:
    state = fold([TopicOpened(intent=name, form=name) for name in ("table", "taxi", "table")])
    assert [topic.form for topic in state.topics] == ["taxi", "table"] and state.form == "table"


def test_closing_and_confirming_nothing_changes_nothing() -> None:
    assert fold([TopicClosed(how="done"), Confirmed()]) == DialogueState()


def test_a_thread_is_a_persons_until_it_is_released() -> None:
    assert fold([HandedOver()]).handed_over
    assert not fold([HandedOver(), HandedOver(released=True)]).handed_over
