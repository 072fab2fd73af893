"""Transcripts of every shape, and how they are cut: each format gives the same dialogue; what can't be read is told by line."""

import io
import json
import zipfile
from typing import Any

import pytest

from zhuli.applications.support.asked_slots import kind_of, needed, slots
from zhuli.applications.support.episodes import Ask, Pair, pairs, without_offer
from zhuli.applications.support.transcripts import AGENT, USER, Dialogue, Fault, Turn, guess, read
from zhuli.core.errors import InvalidRequest

ASKED, ANSWERED = "Where is my order?", "It arrives tomorrow."
SHAPES: dict[str, Any] = {
    "jsonl": {
        "id": 7,
        "user": "u",
        "messages": [{"role": "user", "content": ASKED}, {"role": "agent", "text": ANSWERED}],
    },
    "abcd": [
        {
            "convo_id": 7,
            "scenario": {"personal": {"username": "u"}},
            "original": [["customer", ASKED], ["action", "looked"], ["agent", ANSWERED]],
        }
    ],
    "crosswoz": {"7": {"messages": [{"role": "usr", "content": ASKED}, {"role": "sys", "content": ANSWERED}]}},
    "sgd": [
        {
            "dialogue_id": 7,
            "turns": [{"speaker": "USER", "utterance": ASKED}, {"speaker": "SYSTEM", "utterance": ANSWERED}],
        }
    ],
    "zendesk": {
        "tickets": [
            {
                "id": 7,
                "requester_id": "u",
                "comments": [
                    {"author_id": "u", "plain_body": ASKED},
                    {"author_id": 2, "body": "a note", "public": False},
                    {"author_id": 2, "html_body": f"<p>{ANSWERED}</p>"},
                ],
            }
        ]
    },
    "intercom": {
        "conversations": [
            {
                "id": 7,
                "source": {"body": f"<p>{ASKED}</p>", "author": {"type": "user", "id": "u"}},
                "conversation_parts": {
                    "conversation_parts": [
                        {"part_type": "note", "body": "psst", "author": {"type": "admin"}},
                        {"part_type": "comment", "body": ANSWERED, "author": {"type": "admin"}},
                    ]
                },
            }
        ]
    },
}


@pytest.mark.parametrize("format", SHAPES)
def test_every_format_is_told_and_gives_the_same_dialogue(format: str) -> None:
    data = json.dumps(SHAPES[format]).encode()
    assert guess(data) == format
    (one,) = read(data)
    assert isinstance(one, Dialogue)
    assert (one.id, one.turns) == ("7", (Turn(USER, ASKED), Turn(AGENT, ANSWERED)))
    assert one.user == (None if format in ("crosswoz", "sgd") else "u")


def test_a_table_has_turns_or_questions() -> None:
    turns = f'id,role,text\n7,customer,"{ASKED}"\n7,nobody,x\n7,agent,{ANSWERED}\n'.encode()
    fault, one = read(turns)
    assert isinstance(fault, Fault) and fault.line == 3 and "nobody" in fault.message
    assert isinstance(one, Dialogue) and one.turns == (Turn(USER, ASKED), Turn(AGENT, ANSWERED))
    (asked,) = read(f"question;answer\n{ASKED};{ANSWERED}\n".encode())
    assert isinstance(asked, Dialogue) and asked.turns == one.turns
    with pytest.raises(InvalidRequest, match="id,role,text"):
        list(read(b"a,b\n1,2\n"))


def test_answers_may_be_labelled_and_the_label_is_that_of_the_answer_that_ended_the_matter() -> None:
    acts = [["Inform", "shop", "time", "9"], ["Recommend", "shop", "name", "A"], ["General", "bye", "none", "none"]]
    said = [{"role": "usr", "content": ASKED}, {"role": "sys", "content": ANSWERED, "dialog_act": acts}]
    (one,) = read(json.dumps({"7": {"messages": said}}).encode())
    assert isinstance(one, Dialogue) and [pair.label for pair in pairs(one)] == ["shop-name+shop-time"]
    (row,) = read(f"question,answer,macro\n{ASKED},{ANSWERED},late\n".encode())
    assert isinstance(row, Dialogue) and [pair.label for pair in pairs(row)] == ["late"]
    turns = (
        f"id,role,text,label\n7,user,{ASKED},x\n7,agent,One moment.,\n7,agent,{ANSWERED},late\n7,agent,Soon.,a+late\n"
    )
    (table,) = read(turns.encode())
    assert isinstance(table, Dialogue) and [turn.label for turn in table.turns] == [None, None, "late", "a+late"]
    assert [pair.label for pair in pairs(table)] == ["a+late"]


def test_an_archive_is_read_and_a_broken_one_refused() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("val.json", json.dumps(SHAPES["crosswoz"]))
        archive.writestr("readme.txt", "no")
    assert len(list(read(packed.getvalue()))) == 1
    with pytest.raises(InvalidRequest, match="archive"):
        list(read(packed.getvalue()[:60]))


def test_what_can_not_be_read_is_a_fault_with_its_line_and_the_rest_goes_on() -> None:
    good = json.dumps(SHAPES["jsonl"])
    found = list(read(f"{good}\n{{broken\n\n{good[:-2]}\n[1]\n".encode(), format="jsonl"))
    assert [one.line for one in found] == [1, 2, 4, 5]
    assert [isinstance(one, Fault) for one in found] == [False, True, True, True]
    (odd,) = read(json.dumps({**SHAPES["jsonl"], "id": "a\0b"}).encode())
    assert isinstance(odd, Dialogue) and odd.id == "ab"


def dialogue(*texts: str) -> Dialogue:
    """Turns in turn, the user's first."""
    return Dialogue("d", tuple(Turn((USER, AGENT)[place % 2], text) for place, text in enumerate(texts)))


def test_a_question_is_paired_with_the_answer_that_ended_it() -> None:
    found = pairs(
        dialogue(
            "hi there!", "Hello, how can I help you?",
            "I want to return my shoes", "Sure, may I have your order ID please?",
            "12345", "You can send them back for free. Is there anything else I can help you with?",
            "It still doesn't work, the label is broken", "I have sent you a new label by email.",
            "Great, thanks! ", "You are welcome!",
            "What are your opening hours?", "We are open from 9 to 5.",
            "Thank you, bye", "Have a nice day!",
        )
    )  # fmt: skip
    assert [(one.question, one.answer) for one in found] == [
        ("I want to return my shoes", "I have sent you a new label by email."),
        ("What are your opening hours?", "We are open from 9 to 5."),
    ]
    assert [(ask.question, ask.reply) for ask in found[0].asks] == [("Sure, may I have your order ID please?", "12345")]


@pytest.mark.parametrize(
    "answer",
    [
        "Open Orders: it says where your parcel is.",
        "We write to you when it is back in the shop",
        "The size is on the label, which is inside the collar.",
        "Ask the person who signed the contract.",
        "That depends on how many you order.",
    ],
)
def test_an_answer_may_have_words_that_also_ask(answer: str) -> None:
    """Only where they ask is the matter still open."""
    assert pairs(dialogue("How do I find out?", answer)) == [Pair("How do I find out?", answer)]


@pytest.mark.parametrize(
    "asked",
    ["What is your order number", "Okay, what's the order number", "Sure. When did you order", "And from which shop?"],
)
def test_what_is_asked_back_needs_no_question_mark(asked: str) -> None:
    """Agents type fast."""
    found = pairs(dialogue("Where is my parcel?", asked, "Number seven", "It comes tomorrow."))
    assert found == [Pair("Where is my parcel?", "It comes tomorrow.", asks=(Ask(asked, "Number seven"),))]


def test_words_that_only_put_off_are_no_answer() -> None:
    assert (
        pairs(dialogue("When do promo codes expire?", "sure! let me check that. one moment please", "exactly!")) == []
    )


@pytest.mark.parametrize("phrase", ["您好", "您的", "不用了", "thanks so much "])
def test_phrases_that_can_be_cut_in_many_ways_are_read_as_fast_as_others(phrase: str) -> None:
    """Tried in all the ways in which it can be cut, such a row takes longer than anyone waits."""
    row = phrase * (200 // len(phrase) - 1) + "1"
    assert pairs(dialogue(row, row)) == [Pair(row, row)]


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("It comes tomorrow. Is there anything else I can help you with? Bye", "It comes tomorrow. Bye"),
        ("电话是123，请问还有什么可以帮您？再见", "电话是123，再见"),
        ("a b " * 1_950, ("a b " * 1_950).strip()),
        ("anything else " * 500, ""),
    ],
)
def test_an_offer_of_more_is_no_part_of_an_answer(said: str, left: str) -> None:
    """However long the answer is: a look at each sentence from each of its places would take longer than anyone waits."""
    assert without_offer(said) == left


def test_chinese_thanks_end_a_matter_too() -> None:
    found = pairs(dialogue("请问酒店的电话是多少？", "电话是010-63553377。", "好的，谢谢！", "不客气，祝您生活愉快！"))
    assert found == [Pair("请问酒店的电话是多少？", "电话是010-63553377。")]


def test_what_agents_ask_back_becomes_slots_of_the_intent() -> None:
    asks = [
        [Ask("Sure, may I have your order ID please?", "12345"), Ask("And your full name?", "Ann")],
        [Ask("Could you give me the order number?", "777")],
        [],
    ]
    assert needed(asks, least=1) == ["order_number", "name"]
    assert needed(asks, least=2) == ["order_number"]
    found = slots([ask for some in asks for ask in some])
    assert found["order_number"] == {"type": "text", "prompt": "Could you give me the order number?", "support": 2}
    assert kind_of("请问您的订单号是多少？") == "order_number" and kind_of("It is sunny.") is None
