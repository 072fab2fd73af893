"""Forms are filled over turns: asked for in their order, confirmed, acted upon, validated, left."""

import pytest

from tests.units.understanding.conversation import Conversation
from tests.units.understanding.dialogue_domains import ENGLISH, changed


@pytest.fixture
def talk() -> Conversation:
    return Conversation(ENGLISH)


def test_slots_are_asked_for_in_the_forms_order_and_the_form_acts_when_it_is_confirmed(talk: Conversation) -> None:
    assert talk.says("hi", "greet").act == "respond" and talk.reply == "Hello!"
    assert talk.says("I want a table", "book").act == "ask" and talk.reply == "For how many?"
    assert talk.says("four").slot == "date"
    assert talk.says("tomorrow").slot == "time"
    assert talk.says("7pm").act == "confirm" and talk.reply == "4 people on 2026-11-24 at 19:00?"
    done = talk.says("yes")
    assert (done.act, done.function, done.response) == ("call", "book_table", "booked")
    assert done.arguments == {"people": 4, "date": "2026-11-24", "time": "19:00"}
    assert talk.slots == {} and talk.forms == []


def test_one_message_fills_several_slots_optional_ones_too(talk: Conversation) -> None:
    talk.says("a Thai table by the window for 4 on Friday at 7pm at Chez Nous", "book venue=Chez_Nous")
    assert talk.decision.act == "confirm"
    assert talk.slots == {
        "cuisine": "thai",
        "extras": ["window"],
        "people": 4,
        "date": "2026-11-27",
        "time": "19:00",
        "venue": "Chez Nous",
    }


def test_a_bare_value_is_an_answer_and_not_out_of_scope(talk: Conversation) -> None:
    talk.says("a table", "book")
    talk.says("4")
    assert talk.utterance.intent is not None and talk.utterance.intent.name == "book"
    assert talk.state.intent == "book" and talk.asked == "date"


def test_an_answer_to_another_question_is_taken_and_the_question_comes_again(talk: Conversation) -> None:
    talk.says("a table", "book")
    assert talk.says("on Friday").text == "For how many?"
    assert talk.slots == {"date": "2026-11-27"} and talk.state.asked is not None and talk.state.asked.failed == 0


def test_a_refused_value_is_never_stored_and_the_message_says_why(talk: Conversation) -> None:
    talk.says("a table", "book")
    assert talk.says("20 people").text == "We seat 1 to 12, not 20.\nFor how many?"
    assert "people" not in talk.slots and talk.asked == "people"
    assert talk.says("12").slot == "date"


def test_after_the_third_failed_try_the_way_out_is_offered(talk: Conversation) -> None:
    talk.says("a table", "book")
    assert "cancel" not in (talk.says("20").text or "")
    assert "cancel" not in (talk.says("30").text or "")
    assert "“cancel”" in (talk.says("40").text or "") and "“agent”" in talk.reply
    assert talk.says("cancel").act == "cancel" and talk.forms == []


def test_a_category_takes_synonyms_and_typing_errors_and_says_its_choices() -> None:
    form = {"name": "table", "slots": ["cuisine"], "action": {"type": "respond", "response": "hello"}}
    forms = [form, *(one.model_dump() for one in ENGLISH.forms if one.name != "table")]
    for said in ("siamese", "Thai", "I'd like thai food", "THAI!"):
        talk = Conversation(changed(ENGLISH, forms=forms))
        assert talk.says("a table", "book").slot == "cuisine"
        talk.says(said)
        assert talk.state.slots["cuisine"].history[-1].value == "thai"
    talk = Conversation(changed(ENGLISH, forms=forms))
    talk.says("a table", "book")
    talk.says("itallian")
    assert talk.state.slots["cuisine"].history[-1].value == "italian"
    talk.says("a table", "book")
    assert "italian, thai, chinese" in (talk.says("no").text or "")


def test_a_boolean_is_answered_by_yes_and_no(talk: Conversation) -> None:
    talk.says("a taxi tomorrow to the Ritz", "taxi venue=the_Ritz")
    assert talk.asked == "shared"
    assert talk.says("nope").act == "respond" and talk.reply == "A taxi to the Ritz on 2026-11-24."
    assert talk.state.slots["shared"].history[-1].value is False


def test_a_list_adds_and_loses_items(talk: Conversation) -> None:
    talk.says("a table by the window", "book")
    talk.says("also a highchair and the terrace")
    assert talk.slots["extras"] == ["window", "highchair", "terrace"]
    talk.says("no highchair")
    assert talk.slots["extras"] == ["window", "terrace"]


def test_a_text_slot_takes_the_whole_answer_but_not_a_question(talk: Conversation) -> None:
    talk.says("I want to rate you", "review")
    talk.says("5 stars")
    assert talk.says("what are your hours?", "hours").text == "We open at 9.\nBack to where we were: What do you say?"
    assert talk.says("why do you ask?").act == "talk" and talk.asked == "comment"
    done = talk.says("the food was great, 10 out of 10")
    assert (done.act, done.instructions) == ("talk", "Thank them.")
    assert talk.state.slots["comment"].history[-1].value == "the food was great, 10 out of 10"


def test_a_name_that_no_one_could_learn_is_taken_as_it_stands(talk: Conversation) -> None:
    talk.says("a taxi tomorrow", "taxi")
    assert talk.asked == "destination"
    talk.says("Zhongguancun Software Park")
    assert talk.slots["destination"] == "Zhongguancun Software Park"


def test_the_hour_is_a_time_where_a_time_was_asked_for(talk: Conversation) -> None:
    talk.says("a table for 4 tomorrow", "book")
    talk.says("9")
    assert talk.slots["time"] == "09:00" and talk.slots["people"] == 4


def test_a_time_that_is_not_allowed_in_the_morning_is_one_in_the_evening() -> None:
    slots = [slot.model_dump() for slot in ENGLISH.slots]
    next(slot for slot in slots if slot["name"] == "time")["validation"] = {"minimum": "11:00", "maximum": "23:00"}
    talk = Conversation(changed(ENGLISH, slots=slots))
    talk.says("a table for 4 tomorrow", "book")
    talk.says("at 7")
    assert talk.slots["time"] == "19:00"
    talk.says("no, 6am")
    assert talk.slots["time"] == "19:00" and talk.utterance.refused


def test_slots_of_the_same_type_go_by_role_then_by_wording_then_by_order(talk: Conversation) -> None:
    talk.says("I want to fly", "fly")
    talk.says("to London", "city#to=London")
    assert talk.slots == {"to_city": "London"} and talk.asked == "from_city"
    talk.says("Paris", "city=Paris")
    assert talk.slots == {"to_city": "London", "from_city": "Paris"}
    talk.says("from Wednesday to Friday")
    assert talk.slots["departure_date"] == "2026-11-25" and talk.slots["return_date"] == "2026-11-27"
    assert talk.decision.act == "search" and talk.decision.query == "Paris to London"


def test_the_asked_slot_comes_before_the_other_of_its_type(talk: Conversation) -> None:
    talk.says("I want to fly", "fly")
    talk.says("from Paris to Rome", "city=Paris city=Rome")
    assert talk.asked == "departure_date" and talk.slots == {"from_city": "Paris", "to_city": "Rome"}
    talk.says("Wednesday")
    assert talk.asked == "return_date"
    talk.says("Friday")
    assert (talk.slots["departure_date"], talk.slots["return_date"]) == ("2026-11-25", "2026-11-27")


def test_a_form_that_is_left_can_be_begun_anew(talk: Conversation) -> None:
    talk.says("a table for 4 tomorrow", "book")
    assert talk.says("cancel").text == "Okay, I have cancelled that."
    assert talk.slots == {} and talk.forms == []
    assert talk.says("a table", "book").slot == "people"
    talk.says("for 3")
    assert talk.says("cancel that and book a table for 5", ["leave", "book"]).slot == "date"
    assert talk.slots == {"people": 5} and talk.forms == ["table"]


def test_dont_cancel_does_not_cancel(talk: Conversation) -> None:
    talk.says("a table for 4 tomorrow at 7pm", "book")
    assert talk.says("don't cancel", "leave").act == "confirm"
    assert talk.forms == ["table"] and talk.slots["people"] == 4


def test_initial_values_are_there_from_the_first_turn_and_after_the_form() -> None:
    slots = [slot.model_dump() for slot in ENGLISH.slots]
    next(slot for slot in slots if slot["name"] == "people")["initial"] = 2
    talk = Conversation(changed(ENGLISH, slots=slots))
    assert talk.says("a table", "book").slot == "date" and talk.slots == {"people": 2}
    talk.says("for 5")
    talk.says("cancel")
    assert talk.slots == {"people": 2}


def test_intents_fill_what_they_are_mapped_to_only_when_it_was_asked_for_if_it_says_so() -> None:
    slots = [slot.model_dump() for slot in ENGLISH.slots]
    shared = next(slot for slot in slots if slot["name"] == "shared")
    shared["mappings"] = [{"type": "intent", "intents": ["chat"], "value": True, "asked": True}]
    people = next(slot for slot in slots if slot["name"] == "people")
    people["mappings"].append({"type": "intent", "intents": ["book"], "value": 1})
    talk = Conversation(changed(ENGLISH, slots=slots))
    talk.says("a table", "book")
    assert talk.slots == {"people": 1}
    talk.says("a taxi to the Ritz", "taxi venue=the_Ritz")
    talk.says("tomorrow", "chat")
    assert "shared" not in talk.slots and talk.asked == "shared"
    talk.says("whatever you like", "chat")
    assert talk.state.slots["shared"].history[-1].value is True


def test_a_form_that_the_domain_lost_is_closed(talk: Conversation) -> None:
    talk.says("a taxi", "taxi")
    talk.says("a table", "book")
    intents = [one.model_dump() for one in ENGLISH.intents if one.form != "table"]
    forms = [one.model_dump() for one in ENGLISH.forms if one.name != "table"]
    talk.domain = changed(ENGLISH, intents=intents, forms=forms)
    assert talk.says("tomorrow").slot == "destination"
    assert talk.forms == ["taxi"] and talk.slots == {"pickup_date": "2026-11-24"}
