"""What speaks for an intent, and what for an answer, a correction, leaving or small talk: the stronger evidence decides."""

from dataclasses import replace

import pytest

from tests.units.understanding.conversation import Conversation
from tests.units.understanding.dialogue_domains import CHINESE, ENGLISH
from zhuli.types.understanding.domain import DomainFields
from zhuli.types.understanding.understanding import ActsRead, Reading
from zhuli.understanding.dialogue.utterance.clause_splitting import split_clauses

SHOP = DomainFields.model_validate(
    {
        "languages": ["en", "zh"],
        "intents": [
            {"name": "balance", "examples": ["how much is in my savings", "我的储蓄卡还有多少钱"], "form": "balance"},
            {"name": "transfer", "examples": ["send 5 to Ann from savings", "用储蓄卡转账"], "form": "transfer"},
            {"name": "order", "examples": ["I want two spades"], "form": "order"},
            {"name": "track", "examples": ["my order has not come"], "form": "tracking"},
            {"name": "alarm", "examples": ["she can't breathe"], "action": {"type": "hand_over"}},
        ],
        "entities": [
            {
                "name": "account",
                "kind": "lookup",
                "values": [
                    {"value": "savings", "synonyms": ["储蓄卡", "saver"]},
                    {"value": "current", "synonyms": ["信用卡"]},
                ],
            },
            {"name": "amount", "kind": "money"},
            {"name": "quantity", "kind": "number"},
            {"name": "thing", "kind": "lookup", "values": [{"value": "spade", "synonyms": ["spades", "铲子"]}]},
            {"name": "number", "kind": "regex", "patterns": ["G-[0-9]+"]},
        ],
        "slots": [
            {"name": "account", "keep": False, "prompt": {"en": "Which account?", "zh": "哪张卡？"}},
            {"name": "amount", "type": "number", "keep": False, "prompt": {"en": "How much?", "zh": "多少？"}},
            {"name": "thing", "keep": False, "prompt": {"en": "What?", "zh": "要什么？"}},
            {"name": "quantity", "type": "number", "keep": False, "prompt": {"en": "How many?", "zh": "几个？"}},
            {"name": "address", "mappings": [{"type": "text"}], "prompt": {"en": "Where to?", "zh": "送到哪里？"}},
            {"name": "number", "keep": False, "prompt": {"en": "Which order?", "zh": "单号？"}},
        ],
        "forms": [
            {
                "name": "balance",
                "slots": ["account"],
                "action": {"type": "call", "function": "get_balance"},
            },
            {
                "name": "transfer",
                "slots": ["amount", "account"],
                "confirm": {"en": "{amount} from {account}?", "zh": "从{account}转{amount}？"},
                "action": {"type": "call", "function": "send"},
            },
            {
                "name": "order",
                "slots": ["thing", "quantity", "address"],
                "confirm": {"en": "{quantity} {thing} to {address}?", "zh": "{quantity}把{thing}送到{address}？"},
                "action": {"type": "call", "function": "order"},
            },
            {"name": "tracking", "slots": ["number"], "action": {"type": "call", "function": "find"}},
        ],
    }
)


def read_as(talk: Conversation, text: str, *ranked: tuple[str, float], acts: ActsRead | None = None) -> Reading:
    """The text read so: intents with their shares, surely within the domain."""
    reading = talk.reading(text, ranked[0][0])
    others = [one for one in reading.ranking if one.name not in dict(ranked)]
    ranking = [talk.reading(text, name).ranking[0].model_copy(update={"confidence": share}) for name, share in ranked]
    return replace(reading, ranking=[*ranking, *others], acts=acts)


@pytest.mark.parametrize(
    ("said", "account"),
    [
        ("savings first", "savings"),
        ("hm, the saver please", "savings"),
        ("the usual one. current", "current"),
        ("先看储蓄卡", "savings"),
        ("平时用的那张，信用卡", "current"),
    ],
)
def test_an_intent_for_which_only_the_answer_speaks_is_none(said: str, account: str) -> None:
    talk = Conversation(SHOP, language="en" if said.isascii() else "zh")
    talk.says("how much is in there", "balance")
    assert talk.asked == "account"
    decision = talk.read(said, read_as(talk, said, ("transfer", 0.95)))
    assert (decision.act, decision.arguments) == ("call", {"account": account})


@pytest.mark.parametrize("said", ["send something from savings", "用储蓄卡转账"])
def test_an_intent_whose_words_are_said_beside_the_answer_is_meant(said: str) -> None:
    talk = Conversation(SHOP, language="en" if said.isascii() else "zh")
    talk.says("how much is in there", "balance")
    talk.read(said, read_as(talk, said, ("transfer", 0.95)))
    assert talk.state.form == "transfer" and talk.slots["account"] == "savings"


@pytest.mark.parametrize(
    "said",
    [
        "forget it, I'll come to your branch",
        "never mind, my wife did it already",
        "算了，我去柜台办",
        "取消吧，我直接去店里",
    ],
)
def test_plain_words_for_leaving_go_before_an_intent_that_is_hardly_believed(said: str) -> None:
    talk = Conversation(SHOP, language="en" if said.isascii() else "zh")
    talk.says("I want to send money", "transfer")
    reading = replace(read_as(talk, said, ("balance", 0.6)), in_scope=0.5, threshold=0.2)
    decision = talk.read(said, reading)
    assert decision.act == "cancel" and talk.state.form is None


@pytest.mark.parametrize(
    "said",
    [
        "I bought two spades from you and they never came",
        "the spade that I paid for has not come",
        "买的两把铲子还没到",
    ],
)
def test_a_complaint_that_names_what_was_ordered_is_no_order(said: str) -> None:
    talk = Conversation(SHOP, language="en" if said.isascii() else "zh")
    talk.read(said, read_as(talk, said, ("track", 0.75), ("order", 0.15)))
    assert talk.state.form == "tracking"


@pytest.mark.parametrize(
    ("first", "anew", "address"),
    [
        ("14 Mill Road", "no, it's 16 Mill Road", "16 Mill Road"),
        ("the old place", "sorry, send it to the new office", "the new office"),
        ("14 Mill Road", "oh wait, I meant 2 Station Lane, Bath", "2 Station Lane, Bath"),
        ("老地方", "不是，送到新华大厦B座", "新华大厦B座"),
        ("建国路8号", "说错了，是建国路18号", "建国路18号"),
    ],
)
def test_a_text_that_was_just_given_is_given_anew(first: str, anew: str, address: str) -> None:
    talk = Conversation(SHOP, language="en" if anew.isascii() else "zh")
    talk.says("a spade", "order")
    talk.says("3", "")
    talk.says(first, "")
    assert talk.says(anew, "").act == "confirm"
    assert talk.slots == {"thing": "spade", "quantity": 3, "address": address}


@pytest.mark.parametrize(("anew", "count"), [("no, it's 4 spades", 4), ("no, make it two", 2), ("不对，是四把", 4)])
def test_a_number_that_is_put_right_is_no_address(anew: str, count: int) -> None:
    talk = Conversation(SHOP, language="en" if anew.isascii() else "zh")
    talk.says("a spade", "order")
    talk.says("3", "")
    talk.says("14 Mill Road", "")
    talk.says(anew, "")
    assert talk.slots == {"thing": "spade", "quantity": count, "address": "14 Mill Road"}


@pytest.mark.parametrize("said", ["7 Elm Street. he's at school then", "榆树街7号。他那时在上学"])
def test_half_an_answer_calls_nobody_for_what_it_is_like(said: str) -> None:
    talk = Conversation(SHOP, language="en" if said.isascii() else "zh")
    talk.says("a spade", "order")
    talk.says("3", "")
    spans = split_clauses(said, talk.language)
    assert len(spans) == 2
    clauses = [(spans[0], talk.reading(said, "")), (spans[1], read_as(talk, said, ("alarm", 0.74)))]
    talk.read(said, talk.reading(said, ""), clauses)
    assert not talk.state.handed_over


@pytest.mark.parametrize(
    "said",
    [
        "ok, I'll think about it, don't book a table yet",
        "good to know. please don't book anything",
        "我再想想，别订餐",
        "知道了，先不用预订餐桌",
    ],
)
def test_a_wish_that_is_denied_behind_something_else_is_none(said: str) -> None:
    talk = Conversation(ENGLISH if said.isascii() else CHINESE, language="en" if said.isascii() else "zh")
    name = "book" if said.isascii() else "订餐"
    reading = replace(read_as(talk, said, (name, 0.7)), acts=ActsRead({}, frozenset()))
    talk.read(said, reading)
    assert talk.state.form is None


@pytest.mark.parametrize(
    "said", ["it is my aunt's birthday on Sunday and there are six of us", "周日我妈过生日，我们一共六个人"]
)
def test_who_tells_why_wants_a_table_all_the_same(said: str) -> None:
    talk = Conversation(ENGLISH if said.isascii() else CHINESE, language="en" if said.isascii() else "zh")
    name = "book" if said.isascii() else "订餐"
    acts = ActsRead({"small_talk": 0.8}, frozenset({"small_talk"}))
    reading = replace(read_as(talk, said, (name, 0.92), acts=acts), in_scope=0.4, threshold=0.25)
    talk.read(said, reading)
    assert talk.state.form is not None and 6 in talk.slots.values()


@pytest.mark.parametrize(
    "said", ["the river was very high that week", "there is water at the bottom", "下面一直在滴水", "那天风特别大"]
)
def test_what_is_told_to_a_question_for_a_text_may_be_about_anything(said: str) -> None:
    talk = Conversation(ENGLISH, language="en" if said.isascii() else "zh")
    talk.says("a review", "review")
    talk.says("4", "")
    acts = ActsRead({"off_topic": 0.9}, frozenset({"off_topic"}))
    talk.read(said, replace(talk.reading(said, ""), acts=acts))
    assert talk.utterance.filled[0].value == said
