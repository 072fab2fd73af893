"""An understander reads single messages; what was asked says better what some of them mean."""

import pytest

from tests.units.understanding.conversation import Conversation
from tests.units.understanding.dialogue_domains import CHINESE, ENGLISH, changed


@pytest.fixture
def talk() -> Conversation:
    return Conversation(ENGLISH)


def test_a_plain_yes_is_no_greeting_whatever_is_read() -> None:
    talk = Conversation(CHINESE, language="zh")
    talk.says("订餐，四位，明天晚上七点", "订餐")
    done = talk.says("好的，可以", "问候")
    assert (done.act, done.text) == ("call", None)


def test_a_plain_yes_answers_a_yes_or_no_question_whatever_is_read(talk: Conversation) -> None:
    talk.says("a taxi tomorrow to the Ritz", "taxi venue=the_Ritz")
    assert talk.says("yes, that is fine", "greet").text == "A taxi to the Ritz on 2026-11-24."


def test_a_plain_no_is_no_name(talk: Conversation) -> None:
    talk.says("a taxi tomorrow", "taxi")
    talk.says("No.", "venue=No")
    assert "destination" not in talk.slots and talk.asked == "destination"


def test_a_value_of_the_asked_slot_wins_over_out_of_scope(talk: Conversation) -> None:
    talk.says("a taxi tomorrow", "taxi")
    talk.says("Could you drive me over to Villa Romano in Napa?", "venue=Villa_Romano")
    assert talk.slots["destination"] == "Villa Romano"


@pytest.mark.parametrize(
    "said", ["3 people, and the time should be 8 pm", "Try 3 people at 8pm, as long as you are open then"]
)
def test_a_value_of_the_asked_slot_wins_over_an_intent_that_only_responds(talk: Conversation, said: str) -> None:
    talk.says("a table", "book")
    talk.says(said, "hours")
    assert talk.slots == {"people": 3, "time": "20:00"} and talk.reply == "Which day?"


def test_a_value_that_the_form_misses_wins_over_an_intent_that_only_responds(talk: Conversation) -> None:
    talk.says("a table for 4", "book")
    talk.says("Try for afternoon 12:45.", "hours")
    assert talk.slots == {"people": 4, "time": "12:45"} and talk.reply == "Which day?"


def test_a_yes_before_another_wish_is_no_wish_where_nothing_was_asked(talk: Conversation) -> None:
    assert talk.says("okay, what are your hours?", ["greet", "hours"]).text == "We open at 9."


def test_a_correction_wins_over_an_intent_that_only_responds() -> None:
    talk = Conversation(CHINESE, language="zh")
    talk.says("订餐，四位，明天晚上七点", "订餐")
    assert talk.says("时间改成晚上八点半", "营业时间").text == "4位，2026-11-24 20:30，对吗？"


def test_a_pattern_says_what_is_wrong_with_a_short_answer() -> None:
    order = {"type": "text", "prompt": "Which order?", "validation": {"pattern": "[0-9]{6}", "message": "Six digits."}}
    domain = changed(
        ENGLISH,
        entities=[{"name": "order", "kind": "regex", "patterns": [r"\b[0-9]{6}\b"]}],
        slots=[{"name": "order", **order}],
        intents=[
            {"name": "track", "form": "track"},
            {"name": "hours", "action": {"type": "respond", "response": "hours"}},
        ],
        forms=[{"name": "track", "slots": ["order"], "action": {"type": "call", "function": "track"}}],
    )
    talk = Conversation(domain)
    talk.says("where is my order", "track")
    assert talk.says("it's 12345").text == "Six digits.\nWhich order?"
    assert talk.says("123456").arguments == {"order": "123456"}


def test_a_clause_that_only_leads_to_the_wish_is_no_wish() -> None:
    talk = Conversation(ENGLISH)
    talk.says("this is far away, and I want to book a table", ["taxi", "book"])
    assert talk.forms == ["table", "taxi"]
    talk = Conversation(ENGLISH)
    talk.says("this is far away, I want to book a table", ["taxi", "book"])
    assert talk.forms == ["table"]


def test_a_learned_role_gives_way_to_the_word_before_the_value(talk: Conversation) -> None:
    talk.says("fly", "fly")
    talk.says("from Paris to London", "city#from=Paris city#from=London")
    assert talk.slots == {"from_city": "Paris", "to_city": "London"}


def test_there_is_where_one_went_and_never_where_one_goes_now() -> None:
    slots = [slot.model_dump() | {"keep": False} for slot in ENGLISH.slots]
    talk = Conversation(changed(ENGLISH, slots=slots))
    talk.says("fly from Paris to Rome from Wednesday to Friday", "fly city#from=Paris city#to=Rome")
    assert talk.forms == []
    talk.says("fly to Madrid", "fly city#to=Madrid")
    assert talk.asked == "from_city"
    talk.says("from there")
    assert talk.slots == {"from_city": "Rome", "to_city": "Madrid"}


def test_who_corrects_themselves_in_one_message_means_the_last(talk: Conversation) -> None:
    talk.says("a table for 4 tomorrow, no wait, Friday", "book")
    assert talk.slots == {"people": 4, "date": "2026-11-27"}


def test_what_is_being_ordered_can_be_cancelled_by_name(talk: Conversation) -> None:
    talk.says("a table for 4", "book")
    talk.says("a taxi", "taxi")
    assert talk.says("no, cancel the taxi please").text == "No taxi then.\nBack to where we were: Which day?"


def test_the_forms_own_intent_again_replaces_what_it_says_anew(talk: Conversation) -> None:
    talk.says("a table for 4", "book")
    talk.says("I'd rather like to book that table for 6", "book")
    assert talk.slots == {"people": 6} and talk.asked == "date"


def test_a_number_in_an_answer_of_another_kind_replaces_nothing(talk: Conversation) -> None:
    talk.says("a table for 4", "book")
    talk.says("tomorrow if the 2 of you are there")
    assert talk.slots == {"people": 4, "date": "2026-11-24"}


def test_a_value_beside_another_forms_intent_corrects_the_open_form() -> None:
    talk = Conversation(ENGLISH)
    talk.says("Thai food for 4", "book")
    assert talk.says("not Thai, Italian", "fly").slot == "date"
    assert talk.slots == {"people": 4, "cuisine": "italian"} and talk.forms == ["table"]


def test_a_polite_correction_is_no_question() -> None:
    talk = Conversation(ENGLISH)
    talk.says("a table for 4 tomorrow at 7pm", "book")
    assert talk.says("sorry, can we do Friday at 8pm instead?", "hours").text == "4 people on 2026-11-27 at 20:00?"
    assert talk.says("actually, can you tell me if you open tomorrow?", "hours").text.startswith("We open at 9.")


def test_a_slot_that_is_named_is_to_be_changed_whatever_is_read() -> None:
    talk = Conversation(ENGLISH)
    talk.says("a table for 4 tomorrow at 7pm", "book")
    talk.says("no")
    assert talk.says("the time", "hours").text == "What time?"


def test_values_alone_are_no_wish_beside_one() -> None:
    talk = Conversation(ENGLISH)
    talk.says("a table. 4 people. tomorrow 19:30", ["hours", "", "book"])
    assert [one.name for one in talk.utterance.intents] == ["book"] and talk.decision.act == "confirm"
    assert talk.slots == {"people": 4, "date": "2026-11-24", "time": "19:30"}


def test_an_answer_behind_chatter_counts() -> None:
    talk = Conversation(ENGLISH)
    talk.says("a table", "book")
    talk.says("where do I find that? anyway we are 4.", ["", ""])
    assert talk.slots == {"people": 4} and talk.asked == "date"


def test_more_of_a_wish_goes_to_its_form() -> None:
    talk = Conversation(ENGLISH)
    talk.says("a taxi", "taxi")
    talk.says("first I want a table. For 4 people, Thai food.", ["book", "book"])
    assert talk.slots == {"people": 4, "cuisine": "thai"} and talk.forms == ["taxi", "table"]


@pytest.mark.parametrize("words", ["Oh", "Let's", "tomorrow", "er next monday"])
def test_what_is_plainly_something_else_is_no_name(words: str) -> None:
    talk = Conversation(ENGLISH)
    talk.says(words, f"book venue={words.replace(' ', '_')}")
    assert "venue" not in talk.slots


def test_hesitation_is_no_answer() -> None:
    talk = Conversation(ENGLISH)
    talk.says("a taxi tomorrow", "taxi")
    talk.says("hm")
    assert "destination" not in talk.slots and talk.asked == "destination"


def test_a_number_of_something_else_is_not_taken_unasked() -> None:
    talk = Conversation(ENGLISH)
    talk.says("a table with 2 rooms", "book")
    assert talk.slots == {} and talk.asked == "people"


def test_an_unlikely_intent_is_believed_where_its_form_waits_for_what_is_said() -> None:
    talk = Conversation(ENGLISH)
    talk.in_scope = 0.2
    talk.says("Siamese dogs and 4 cats", "chat")
    talk.says("4 cats at 7pm tomorrow", "book")
    assert talk.forms == [] and talk.slots == {}
    talk.says("italian for 4", "book")
    assert talk.slots == {"people": 4, "cuisine": "italian"}


def test_a_boolean_is_answered_by_its_name() -> None:
    talk = Conversation(ENGLISH)
    assert talk.says("a taxi tomorrow to the Ritz, not shared", "taxi venue=the_Ritz").act == "ask"
    talk.says("cancel")
    assert talk.says("a taxi to the Ritz tomorrow with shared", "taxi venue=the_Ritz").act == "respond"


def test_a_no_to_a_question_that_no_can_not_answer_tells_the_way_out() -> None:
    talk = Conversation(ENGLISH)
    talk.says("a table", "book")
    assert "say “cancel”" in (talk.says("no, thanks").text or "")
    assert "say “cancel”" not in (talk.says("bla").text or "")


def test_a_greeting_beside_a_wish_says_nothing_of_its_own() -> None:
    for text, language in (("hi, a table please", "en"), ("你好，订一张桌子", "zh")):
        talk = Conversation(ENGLISH, language=language)
        talk.says(text, ["greet", "book"])
        assert talk.slots == {} and talk.decision.text in ("For how many?", "几位？")
        assert [one.name for one in talk.utterance.intents] == ["book"]
