"""Several things at a time: digressions and returns, forms upon forms, several intents, being lost, handing over."""

import pytest

from tests.units.understanding.conversation import Conversation
from tests.units.understanding.dialogue_domains import CHINESE, ENGLISH, changed
from zhuli.types.understanding.domain import DomainFields


@pytest.fixture
def talk() -> Conversation:
    return Conversation(ENGLISH)


def test_a_digression_is_answered_and_the_question_comes_again(talk: Conversation) -> None:
    talk.says("a table", "book")
    assert talk.says("what are your hours?", "hours").text == "We open at 9.\nBack to where we were: For how many?"
    assert talk.says("4").slot == "date"


def test_a_value_in_a_digression_is_no_answer(talk: Conversation) -> None:
    talk.says("a table for 4", "book")
    talk.says("what are your opening hours tomorrow?", "hours")
    assert "date" not in talk.slots and talk.asked == "date"


def test_a_digression_may_search_call_or_talk_and_what_was_asked_stays_asked(talk: Conversation) -> None:
    talk.says("Thai food for 4", "book")
    assert talk.says("what's on the menu?", "menu").query == "menu thai" and talk.asked == "date"
    assert talk.says("what's my balance?", "balance").function == "get_balance" and talk.asked == "date"
    assert talk.says("tell me a joke", "chat").act == "talk" and talk.asked == "date"
    assert talk.says("Friday", "inform").slot == "time"


def test_an_answer_beside_a_digression_counts(talk: Conversation) -> None:
    talk.says("a table", "book")
    talk.says("4 people, and what are your hours?", ["", "hours"])
    assert talk.reply == "We open at 9.\nBack to where we were: Which day?" and talk.slots == {"people": 4}


def test_another_form_goes_on_top_and_the_first_goes_on_when_it_is_done(talk: Conversation) -> None:
    talk.says("a table for 4", "book")
    assert talk.says("I need a taxi", "taxi").slot == "pickup_date" and talk.forms == ["table", "taxi"]
    talk.says("tomorrow to the Ritz", "venue=the_Ritz")
    done = talk.says("no")
    assert (done.act, done.slot) == ("ask", "date") and talk.forms == ["table"]
    assert talk.reply == "A taxi to the Ritz on 2026-11-24.\nBack to where we were: Which day?"


def test_another_form_that_is_left_gives_way_to_the_first(talk: Conversation) -> None:
    talk.says("a table for 4", "book")
    talk.says("a taxi", "taxi")
    assert talk.says("cancel").text == "No taxi then.\nBack to where we were: Which day?"
    assert talk.forms == ["table"] and talk.slots == {"people": 4}


def test_an_answer_for_the_form_that_waits_is_taken(talk: Conversation) -> None:
    talk.says("a table for 4", "book")
    talk.says("a taxi tomorrow", "taxi")
    talk.says("the table at 7pm")
    assert talk.slots["time"] == "19:00" and talk.asked == "destination"


def test_going_back_and_forth_brings_forms_up_and_piles_none(talk: Conversation) -> None:
    for _ in range(5):
        talk.says("a table", "book")
        talk.says("a taxi", "taxi")
    assert talk.forms == ["table", "taxi"]


def test_several_intents_are_answered_in_their_order(talk: Conversation) -> None:
    talk.says("hi, book a table and what are your hours?", ["greet", "book", "hours"])
    assert talk.reply == "We open at 9.\nFor how many?" and talk.decision.act == "ask"
    assert [one.name for one in talk.utterance.intents] == ["book", "hours"]
    assert talk.utterance.intent is not None and talk.utterance.intent.name == "book"


def test_two_forms_in_a_message_are_filled_apart_and_the_first_is_asked_for_first(talk: Conversation) -> None:
    talk.says("book a table for 4 and also I need a taxi tomorrow", ["book", "taxi"])
    assert talk.slots == {"people": 4, "pickup_date": "2026-11-24"}
    assert talk.forms == ["taxi", "table"] and talk.asked == "date"


def test_a_yes_with_another_wish_confirms_and_answers(talk: Conversation) -> None:
    talk.says("a table for 4 tomorrow at 7pm", "book")
    done = talk.says("yes and what are your hours?", ["", "hours"])
    assert (done.act, done.function, done.text) == ("call", "book_table", "We open at 9.")


def test_yes_no_and_cancel_mean_nothing_where_nothing_was_asked(talk: Conversation) -> None:
    for said in ("yes", "no", "cancel", "ok"):
        assert talk.says(said).act == "talk"
        assert talk.slots == {} and talk.forms == []


def test_out_of_scope_is_the_models_and_in_a_form_the_question_stays(talk: Conversation) -> None:
    assert talk.says("the moon is made of cheese").act == "talk" and talk.state.intent is None
    talk.says("a table for 4", "book")
    assert talk.says("who won the game yesterday?").act == "talk"
    assert talk.asked == "date" and "date" not in talk.slots
    talk.says("I like trains a lot")
    assert "“cancel”" in (talk.says("trains are so very nice").text or "")


def test_a_fallback_of_the_domains_is_said_and_the_question_comes_again() -> None:
    fallback = {"out_of_scope": {"type": "respond", "response": "hours"}}
    talk = Conversation(changed(ENGLISH, fallback=fallback))
    assert talk.says("the moon").text == "We open at 9."
    talk.says("a table", "book")
    assert talk.says("the moon is made of cheese").text == "We open at 9.\nBack to where we were: For how many?"


@pytest.mark.parametrize("said", ["the second one", "2", "taxi", "order a taxi please", "the last one"])
def test_an_unclear_message_is_clarified_and_the_choice_is_understood(talk: Conversation, said: str) -> None:
    assert talk.says("hm", "book|taxi").text == "Which do you mean?\n1. Book a table\n2. Order a taxi"
    assert talk.says(said).slot == "pickup_date" and talk.forms == ["taxi"]


def test_a_yes_to_the_choice_is_the_first_and_a_no_is_neither(talk: Conversation) -> None:
    talk.says("hm", "book|taxi")
    assert talk.says("yes").slot == "people"
    talk.says("cancel")
    talk.says("hm", "book|taxi")
    assert talk.says("neither of them").act == "talk" and talk.forms == []


def test_something_else_than_what_was_offered_is_understood(talk: Conversation) -> None:
    talk.says("hm", "book|taxi")
    assert talk.says("what are your hours?", "hours").text == "We open at 9."


@pytest.mark.parametrize("said", ["I want to talk to a human", "agent"])
def test_a_thread_that_a_person_has_is_silent_until_it_is_released(talk: Conversation, said: str) -> None:
    talk.says("a table for 4", "book")
    assert talk.says(said).act == "hand_over" and talk.state.handed_over
    waiting = talk.says("tomorrow", "book")
    assert waiting.act == "hand_over" and waiting.text != "" and talk.slots == {"people": 4}
    talk.state = talk.state.model_copy(update={"handed_over": False})
    talk.changes = [] if talk.state.handed_over else talk.changes


def test_a_form_may_end_with_handing_over() -> None:
    forms = [one.model_dump() for one in ENGLISH.forms]
    forms[1]["action"] = {"type": "hand_over"}
    talk = Conversation(changed(ENGLISH, forms=forms))
    talk.says("a table for 4", "book")
    talk.says("a taxi tomorrow to the Ritz", "taxi venue=the_Ritz")
    assert talk.says("no").act == "hand_over" and talk.state.handed_over and talk.forms == ["table"]


def test_the_reply_follows_the_language_of_the_message(talk: Conversation) -> None:
    talk.says("a table", "book")
    assert talk.says("四个人", language="zh").text == "哪一天？"
    assert talk.says("你们几点开门？", "hours", language="zh").text == "九点开门。\n我们继续：哪一天？"
    assert talk.says("tomorrow", language="en").text == "What time?"
    assert talk.state.language == "en"


def test_chinese_intents_choices_and_persons() -> None:
    talk = Conversation(CHINESE, language="zh")
    talk.says("你好，我想订餐，另外你们几点开门？", ["问候", "订餐", "营业时间"])
    assert talk.reply == "九点到二十二点。\n请问几位？"
    assert talk.says("算了").text == "好的，不订了。"
    assert talk.says("嗯嗯", "订餐|打车").text == "请问您指的是哪一个？\n1. 预订餐桌\n2. 叫出租车"
    assert talk.says("第二个").text == "哪天用车？"
    assert talk.says("转人工").text == "正在为您转接人工服务。"


def test_every_decision_says_why(talk: Conversation) -> None:
    for text, meant in (("hi", "greet"), ("a table", "book"), ("40", ""), ("4", ""), ("hm", "book|taxi"), ("", "")):
        assert talk.says(text, meant).why.endswith(".")
    assert talk.utterance.intent is None


def test_a_message_that_wants_two_functions_calls_both() -> None:
    def intent(name: str) -> dict[str, object]:
        return {"name": name, "examples": [name], "action": {"type": "call", "function": f"get_{name}"}}

    domain = DomainFields.model_validate({"intents": [intent("balance"), intent("cards")]})
    decision = Conversation(domain).says("what is my balance and show me my cards", ["balance", "cards"])
    assert decision.function == "get_balance" and [one.function for one in decision.also] == ["get_cards"]
