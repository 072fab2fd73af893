"""Going back: to a form that was acted upon, to be corrected, and to a message that was too unclear to be acted upon."""

import pytest

from tests.units.understanding.conversation import Conversation
from tests.units.understanding.dialogue_domains import CHINESE, ENGLISH
from zhuli.types.understanding.understanding import DialogueState
from zhuli.understanding.dialogue.topics.topic_resumption import MOST_TURNS


@pytest.fixture
def booked() -> Conversation:
    talk = Conversation(ENGLISH)
    talk.says("a table for 4 tomorrow at 7pm", "book")
    assert talk.says("yes").act == "call" and talk.slots == {} and talk.forms == []
    return talk


def test_a_correction_after_the_form_was_acted_upon_opens_it_again(booked: Conversation) -> None:
    assert booked.says("actually make it 5 people").text == "5 people on 2026-11-24 at 19:00?"
    assert booked.state.slots["people"].history[-1].how == "correction"
    assert booked.says("yes").arguments == {"people": 5, "date": "2026-11-24", "time": "19:00"}
    assert booked.says("sorry, I meant Friday").text == "5 people on 2026-11-27 at 19:00?"


def test_a_form_without_a_confirmation_is_acted_upon_again() -> None:
    talk = Conversation(ENGLISH)
    talk.says("a taxi tomorrow to the Ritz", "taxi venue=the_Ritz")
    assert talk.says("no").text == "A taxi to the Ritz on 2026-11-24."
    assert talk.says("wait, no, I meant Friday").text == "A taxi to the Ritz on 2026-11-27."


def test_a_correction_may_only_name_what_is_wrong(booked: Conversation) -> None:
    assert booked.says("the time is wrong").text == "What time?"
    assert booked.says("8pm").text == "4 people on 2026-11-24 at 20:00?"


def test_a_correction_that_can_not_be_is_refused(booked: Conversation) -> None:
    assert booked.says("no, 40 people").text == "We seat 1 to 12, not 40.\nFor how many?"


def test_a_form_that_was_opened_again_can_be_left(booked: Conversation) -> None:
    booked.says("actually make it 5 people")
    assert booked.says("never mind").act == "cancel" and booked.forms == []


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("actually, what are your hours tomorrow?", "hours"),
        ("actually, I need a taxi tomorrow", "taxi"),
        ("a table for 5", "book"),
        ("5 people", ""),
        ("actually, you are great", ""),
        ("that is wrong", ""),
    ],
)
def test_what_corrects_nothing_of_it_opens_nothing_again(booked: Conversation, text: str, meant: str) -> None:
    booked.says(text, meant)
    assert "time" not in booked.slots and booked.utterance.reopened == []


def test_a_correction_that_comes_late_is_about_something_else(booked: Conversation) -> None:
    for _ in range(MOST_TURNS):
        booked.says("what are your hours?", "hours")
    booked.says("actually make it 5 people")
    assert booked.forms == []


def test_what_was_cancelled_is_not_opened_again() -> None:
    talk = Conversation(ENGLISH)
    talk.says("a table for 4 tomorrow at 7pm", "book")
    talk.says("cancel")
    talk.says("actually make it 5 people")
    assert talk.forms == []


def test_a_form_that_waits_is_corrected_rather_than_one_that_is_done() -> None:
    talk = Conversation(ENGLISH)
    talk.says("a table for 4 tomorrow", "book")
    talk.says("a taxi tomorrow to the Ritz", "taxi venue=the_Ritz")
    talk.says("no")
    assert talk.says("sorry, I meant Friday").slot == "time" and talk.slots["date"] == "2026-11-27"


def test_chinese_corrections_after_the_form_was_acted_upon() -> None:
    talk = Conversation(CHINESE, language="zh")
    talk.says("我想订餐，四个人，明天晚上七点", "订餐")
    while talk.asked:
        talk.says("川菜")
    assert talk.says("对的").act in ("call", "respond")
    talk.says("不对，应该是五个人")
    assert talk.slots["人数"] == 5 and talk.forms == [talk.utterance.reopened[0].model_dump()["form"]]


def test_the_intent_that_is_chosen_takes_the_values_of_the_unclear_message() -> None:
    talk = Conversation(ENGLISH)
    talk.says("something for 4 tomorrow", "book|taxi")
    assert talk.decision.act == "clarify" and talk.slots == {}
    assert talk.says("the first one").slot == "time"
    assert talk.slots == {"people": 4, "date": "2026-11-24"}


def test_the_choice_may_say_otherwise_and_more() -> None:
    talk = Conversation(ENGLISH)
    talk.says("something for 4 tomorrow", "book|taxi")
    assert talk.says("book a table for 5", "book").slot == "time"
    assert talk.slots == {"people": 5, "date": "2026-11-24"}


def test_what_was_unclear_is_forgotten_where_something_else_is_wanted() -> None:
    talk = Conversation(ENGLISH)
    talk.says("something for 4 tomorrow", "book|fly")
    talk.says("a taxi to the Ritz", "taxi venue=the_Ritz")
    assert talk.slots == {"destination": "the Ritz"}


def test_a_state_that_needs_none_of_it_says_nothing_of_it() -> None:
    state = DialogueState()
    assert "done" not in state.model_dump()
    talk = Conversation(ENGLISH)
    talk.says("a table", "book")
    assert set(talk.state.model_dump()["asked"]) == {"type", "slot", "intents", "failed"}
