"""Rules of a domain: what is done under conditions, in place of what an intent or a form does by itself."""

import json

import pytest

from tests.units.understanding.conversation import Conversation
from zhuli.types.understanding.domain import DomainFields, Rule
from zhuli.types.understanding.understanding import DialogueState
from zhuli.understanding.dialogue.responses.responses import after_call
from zhuli.understanding.domains.checks.checking import check
from zhuli.understanding.domains.yaml.reading import parse
from zhuli.understanding.domains.yaml.writing import dump

SHOP = parse("""
intents:
  greet: {action: {respond: hello}}
  "yes": {act: affirm}
  "no": {act: deny}
  thanks: {action: {respond: welcome}}
  order: {form: ordering}
  faq/price: {action: {respond: price}}
  faq/hours: {action: {respond: hours}}
  more:
  balance: {action: {call: get_balance, response: balance}}
entities:
  email: email
  product: [lamp, chair]
slots:
  email: {mappings: [{entity: email}], prompt: Your e-mail?}
  product: {mappings: [{entity: product}], prompt: Which product?, keep: false}
  stars: {mappings: [text], prompt: How many stars?, keep: false}
  surveyed: boolean
forms:
  ordering:
    slots: [product, email]
    prompts: {email: Where shall the invoice go?}
    action: {call: order}
  survey: {slots: [stars], action: {respond: thanked}}
responses:
  hello: Hello!
  help: I can take orders.
  welcome: You're welcome.
  price: Ten each.
  hours: Always.
  more_price: Ten, and five for postage.
  more_hours: Always, at night too.
  anything: Shall we go on?
  sorry: What a pity.
  great: Great.
  thanked: Thank you for the stars.
  start_over: Let us start over.
  balance: You have {total}.
  lamps: Lamps are out of stock.
rules:
- when: {intents: [greet]}
  do: [answer, {respond: help}]
- when: {done: ordering, slots: {surveyed: true}}
  do: [{call: order}]
- when: {done: ordering}
  do: [{call: order}, {respond: great}, {open: survey}]
- when: {intents: [faq], form: ordering}
  do: [answer, {respond: anything}]
- when: {intents: ["yes"], form: ordering, after: [anything]}
  do: [{respond: great}, {open: ordering}]
- when: {intents: ["no"], form: ordering}
  do: [{respond: start_over}, {respond: hello}, leave]
- when: {intents: [more], after: [/faq/price, price]}
  do: [{respond: more_price}]
- when: {intents: [more], after: [/faq]}
  do: [{respond: more_hours}]
- when: {intents: [more], after: [/faq, hours]}
  do: [{respond: more_hours}]
- when: {intents: [more], entities: {product: lamp}}
  do: [{respond: lamps}]
- when: {intents: [out_of_scope], form: ordering}
  do: [{respond: sorry}]
- when: {intents: ["yes"], after: [price]}
  do: [{respond: great}, {call: order}, {respond: thanked}]
variables: [total]
""")


@pytest.fixture
def talk() -> Conversation:
    return Conversation(SHOP)


def test_the_domain_is_sound_and_reads_back_the_same() -> None:
    assert [finding for finding in check(SHOP).findings if finding.level == "error"] == []
    assert parse(dump(SHOP)) == SHOP


def test_several_texts_are_said_one_after_the_other_with_the_intents_own_answer(talk: Conversation) -> None:
    assert talk.says("hi", "greet").text == "Hello!\nI can take orders."


def test_what_is_done_depends_on_what_was_done_before(talk: Conversation) -> None:
    assert talk.says("more", "more").act == "talk"
    talk.says("what does it cost", "faq/price")
    assert talk.says("tell me more", "more").text == "Ten, and five for postage."
    talk.says("when", "faq/hours")
    assert talk.says("tell me more", "more").text == "Always, at night too."
    assert talk.says("tell me more", "more").act == "talk"


def test_no_rule_holds_for_what_may_be_meant_in_two_ways(talk: Conversation) -> None:
    assert talk.says("well", "greet|thanks").act == "clarify"


def test_a_rule_may_wait_for_a_value_that_the_message_has(talk: Conversation) -> None:
    assert talk.says("more chairs", "more").act == "talk"
    assert talk.says("more lamps", "more").text == "Lamps are out of stock."


def test_a_call_stands_between_its_texts(talk: Conversation) -> None:
    talk.says("what does it cost", "faq/price")
    decision = talk.says("yes", "yes")
    assert (decision.act, decision.text, decision.function, decision.then) == ("call", "Great.", "order", ["thanked"])
    assert after_call(SHOP, decision, talk.state, "done") == "Great.\nThank you for the stars."


def test_functions_are_called_together() -> None:
    steps = [{"type": "call", "function": "one", "arguments": {"n": 1}}, {"type": "call", "function": "two"}]
    rule = {"when": {"intents": ["more"]}, "do": [*steps, {"type": "respond", "response": "great"}]}
    talk = Conversation(SHOP.model_copy(update={"rules": [Rule.model_validate(rule)]}))
    decision = talk.says("more", "more")
    assert (decision.function, decision.arguments, decision.then) == ("one", {"n": 1}, ["great"])
    assert [(one.function, one.arguments) for one in decision.also] == [("two", {})]


def test_within_a_form_a_rule_answers_and_the_form_asks_nothing_until_it_is_gone_on_with(talk: Conversation) -> None:
    talk.says("I want to order", "order")
    assert talk.asked == "product"
    assert talk.says("what does it cost", "faq/price").text == "Ten each.\nShall we go on?"
    assert (talk.asked, talk.forms) == (None, ["ordering"])
    assert talk.says("yes", "yes").text == "Great.\nBack to where we were: Which product?"
    assert talk.says("a lamp", "").text == "Where shall the invoice go?"


def test_what_answers_the_form_is_an_answer_whatever_rules_there_are(talk: Conversation) -> None:
    talk.says("I want to order", "order")
    assert talk.says("a chair", "").slot == "email"
    assert talk.says("qwerty", "").text == "What a pity."


def test_a_rule_leaves_a_form_in_its_own_words(talk: Conversation) -> None:
    talk.says("I want to order a lamp", "order")
    decision = talk.says("no", "no")
    assert (decision.text, talk.forms, talk.slots) == ("Let us start over.\nHello!", [], {})


def test_a_form_that_is_done_leads_to_another_one(talk: Conversation) -> None:
    talk.says("order a lamp for ann@example.com", "order")
    assert (talk.decision.act, talk.decision.function, talk.forms, talk.asked) == ("call", "order", ["survey"], "stars")
    assert talk.decision.arguments == {"product": "lamp", "email": "ann@example.com"}
    assert talk.says("five", "").text == "Thank you for the stars."


def test_which_rule_holds_for_a_form_that_is_done_depends_on_slots() -> None:
    surveyed = SHOP.model_copy(
        update={
            "slots": [
                slot.model_copy(update={"initial": True}) if slot.name == "surveyed" else slot for slot in SHOP.slots
            ]
        }
    )
    talk = Conversation(surveyed)
    talk.says("order a lamp for ann@example.com", "order")
    assert (talk.decision.function, talk.forms) == ("order", [])


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ({"total": 7}, "You have 7."),
        ({"responses": [{"response": "balance", "total": 8}, {"text": "More?"}]}, "You have 8.\nMore?\nYou have ."),
        ({"responses": "none"}, "You have ."),
    ],
)  # fmt: skip
def test_a_functions_output_fills_variables_and_may_choose_what_is_said(
    talk: Conversation, output: object, said: str
) -> None:
    decision = talk.says("my balance", "balance")
    assert after_call(SHOP, decision, DialogueState(), json.dumps(output)) == said


@pytest.mark.parametrize(
    ("rule", "code", "where"),
    [
        ({"when": {}, "do": [{"type": "answer"}]}, "no_condition", "rules[0].when"),
        ({"when": {"intents": ["a", "b"]}, "do": [{"type": "leave"}]}, "undefined_intent", "rules[0].when.intents[1]"),
        ({"when": {"done": "f"}, "do": [{"type": "leave"}]}, "undefined_form", "rules[0].when.done"),
        ({"when": {"intents": ["a"], "slots": {"s": 1}}, "do": [{"type": "leave"}]}, "undefined_slot", "rules[0].when.slots.s"),
        ({"when": {"intents": ["a"]}, "do": [{"type": "respond", "response": "r"}]}, "undefined_response",
         "rules[0].do[0].response"),
        ({"when": {"intents": ["a"]}, "do": [{"type": "open", "form": "f"}]}, "undefined_form", "rules[0].do[0].form"),
        ({"when": {"intents": ["a"]}, "do": [{"type": "search"}, {"type": "talk"}]}, "two_actions", "rules[0].do"),
    ],
)  # fmt: skip
def test_a_rule_that_can_not_hold_or_names_nothing_is_found(rule: object, code: str, where: str) -> None:
    domain = DomainFields.model_validate({"intents": [{"name": "a"}], "rules": [rule]})
    assert (code, where) in [(finding.code, finding.where) for finding in check(domain).findings]
