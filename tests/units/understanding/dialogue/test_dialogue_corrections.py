"""What was said is taken back, denied, or pointed at again."""

import pytest

from tests.units.understanding.conversation import Conversation
from tests.units.understanding.dialogue_domains import CHINESE, ENGLISH


@pytest.fixture
def talk() -> Conversation:
    one = Conversation(ENGLISH)
    one.says("a table for 4 tomorrow", "book")
    return one


@pytest.fixture
def confirming(talk: Conversation) -> Conversation:
    assert talk.says("at 7pm").act == "confirm"
    return talk


def how(talk: Conversation, slot: str) -> str:
    return talk.state.slots[slot].history[-1].how


def test_no_with_a_value_replaces_the_last_one(talk: Conversation) -> None:
    assert talk.says("no, Friday").slot == "time"
    assert talk.slots["date"] == "2026-11-27" and how(talk, "date") == "correction"
    assert [one.value for one in talk.state.slots["date"].history] == ["2026-11-24", "2026-11-27"]


@pytest.mark.parametrize("said", ["actually make it 5", "sorry, 5 people", "I meant 5", "5 people, not 4"])
def test_a_number_replaces_the_number(talk: Conversation, said: str) -> None:
    talk.says(said)
    assert talk.slots["people"] == 5 and talk.slots["date"] == "2026-11-24" and talk.asked == "time"


def test_a_new_value_replaces_without_a_word_of_correction(talk: Conversation) -> None:
    talk.says("6 people")
    assert talk.slots["people"] == 6 and how(talk, "people") == "correction"


def test_a_slot_called_by_name_takes_the_value(confirming: Conversation) -> None:
    assert confirming.says("the time should be 8").text == "4 people on 2026-11-24 at 20:00?"
    assert confirming.says("the date is wrong, it should be Friday").text == "4 people on 2026-11-27 at 20:00?"


def test_a_no_to_the_confirmation_asks_what_to_change(confirming: Conversation) -> None:
    assert confirming.says("no").text == "What should I change?"
    assert confirming.says("the time").text == "What time?"
    assert confirming.says("8:30pm").text == "4 people on 2026-11-24 at 20:30?"
    assert confirming.says("yes").act == "call"


def test_a_no_with_a_value_corrects_and_confirms_again(confirming: Conversation) -> None:
    assert confirming.says("no, for 5 people").text == "5 people on 2026-11-24 at 19:00?"


def test_a_yes_that_changes_something_is_confirmed_again(confirming: Conversation) -> None:
    assert confirming.says("yes, but for 5 people").act == "confirm"
    assert confirming.says("yes").arguments == {"people": 5, "date": "2026-11-24", "time": "19:00"}


def test_a_yes_that_repeats_what_is_known_is_a_yes(confirming: Conversation) -> None:
    assert confirming.says("yes, for 4 people").act == "call"


def test_a_refused_correction_leaves_the_old_value(confirming: Conversation) -> None:
    assert confirming.says("no, 40 people").text == "We seat 1 to 12, not 40.\nFor how many?"
    assert confirming.slots["people"] == 4
    assert confirming.says("10").text == "10 people on 2026-11-24 at 19:00?"


def test_a_denied_value_is_cleared_and_asked_for_again(confirming: Conversation) -> None:
    assert confirming.says("no, not tomorrow").slot == "date"
    assert "date" not in confirming.slots
    assert confirming.says("Saturday").act == "confirm"


def test_a_denied_value_is_never_set(talk: Conversation) -> None:
    talk.says("not Italian")
    assert "cuisine" not in talk.slots and talk.asked == "time"
    talk.says("not Italian, Thai")
    assert talk.slots["cuisine"] == "thai"


def test_the_same_day_is_a_day_of_another_form(talk: Conversation) -> None:
    talk.says("I need a taxi", "taxi")
    assert talk.says("the same day").slot == "destination"
    assert talk.slots["pickup_date"] == "2026-11-24" and how(talk, "pickup_date") == "reference"
    assert [one.source for one in talk.utterance.entities] == ["reference"]


def test_what_a_finished_form_forgot_can_still_be_referred_to(confirming: Conversation) -> None:
    confirming.says("at Chez Nous", "inform venue=Chez_Nous")
    assert confirming.says("yes").act == "call" and "date" not in confirming.slots
    confirming.says("a taxi there on the same day", "taxi")
    assert confirming.slots["destination"] == "Chez Nous" and confirming.slots["pickup_date"] == "2026-11-24"
    assert confirming.asked == "shared"


def test_a_reference_to_nothing_fills_nothing() -> None:
    talk = Conversation(ENGLISH)
    talk.says("a taxi there on the same day", "taxi")
    assert talk.slots == {} and talk.asked == "pickup_date"


def test_chinese_corrections() -> None:
    talk = Conversation(CHINESE, language="zh")
    talk.says("我想订餐，四个人，明天", "订餐")
    assert talk.says("不对，是后天").slot == "时间" and talk.slots["日期"] == "2026-11-25"
    assert talk.says("晚上七点").text == "4位，2026-11-25 19:00，对吗？"
    assert talk.says("时间改成八点").text == "4位，2026-11-25 20:00，对吗？"
    assert talk.says("人数应该是五个").text == "5位，2026-11-25 20:00，对吗？"
    assert talk.says("不是后天，是周五").text == "5位，2026-11-27 20:00，对吗？"
    assert talk.says("对，但是六个人").text == "6位，2026-11-27 20:00，对吗？"
    done = talk.says("好的")
    assert done.arguments == {"n": 6, "at": "2026-11-27 20:00"}


def test_chinese_references_and_negation() -> None:
    talk = Conversation(CHINESE, language="zh")
    talk.says("订餐，三位，周五，不要川菜", "订餐")
    assert talk.slots == {"人数": 3, "日期": "2026-11-27"}
    talk.says("帮我叫个车", "打车")
    talk.says("同一天", "")
    assert talk.slots["用车日期"] == "2026-11-27" and talk.asked == "目的地"
    assert talk.says("海底捞", "餐厅=海底捞").text == "2026-11-27去海底捞的车已叫好。\n我们继续：几点？"
