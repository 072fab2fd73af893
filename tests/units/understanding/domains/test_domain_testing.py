"""Conversation tests of a domain: which turn goes otherwise, what was expected, and why; and how examples are read."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from tests.units.understanding.conversation import NOW, Conversation
from zhuli.core.errors import InvalidRequest
from zhuli.types.understanding.domain import DomainFields
from zhuli.types.understanding.domain_test import ConversationTest, TurnDifference
from zhuli.types.understanding.understanding import DialogueState, IntentScore, Understanding
from zhuli.understanding.dialogue.interpreter import interpret
from zhuli.understanding.dialogue.policy.policy import decide
from zhuli.understanding.dialogue.state import fold
from zhuli.understanding.dialogue.state_tracking import track
from zhuli.understanding.domains.rasa import project
from zhuli.understanding.domains.testing.conversations import now_of, read_tests
from zhuli.understanding.domains.testing.examples import scored
from zhuli.understanding.domains.testing.meaning import same
from zhuli.understanding.domains.testing.walking import walk

BOT = """
intents: [greet, order, stars, affirm, deny, faq]
entities: [size]
slots:
  size: {type: text, mappings: [{type: from_entity, entity: size}]}
  note: {type: text, mappings: [{type: from_text}]}
responses:
  utter_greet: [{text: Hello}]
  utter_help: [{text: I sell shoes}]
  utter_more: [{text: More?}]
  utter_great: [{text: Great}]
  utter_faq/price: [{text: Ten}]
  utter_ask_size: [{text: Which size?}]
forms:
  order_form: {required_slots: [size, note]}
nlu:
- intent: greet
  examples: "- hi"
- intent: faq/price
  examples: "- price"
rules:
- rule: order
  steps: [{intent: order}, {action: order_form}, {active_loop: order_form}]
- rule: ordered
  condition: [{active_loop: order_form}]
  steps: [{action: order_form}, {active_loop: null}, {action: action_order}, {action: utter_more}]
- rule: faq
  steps: [{intent: faq}, {action: utter_faq}]
stories:
- story: greeting
  steps: [{intent: greet}, {action: utter_greet}, {action: utter_help}]
- story: more
  steps: [{action: utter_more}, {intent: affirm}, {action: utter_great}]
"""

STORIES = """
stories:
- story: all of it
  steps:
  - {intent: greet, user: hi}
  - action: utter_greet
  - action: utter_help
  - {intent: faq, user: "what is the [price](size)"}
  - action: utter_faq
  - {intent: order, user: order}
  - action: order_form
  - active_loop: order_form
  - active_loop: null
  - action: action_order
  - action: utter_more
  - {intent: affirm, user: "yes"}
  - action: utter_great
- story: wrong
  steps:
  - {intent: greet, user: hi}
  - action: utter_great
  - {intent: greet, user: hi}
  - action: utter_greet
  - action: utter_help
"""

READ_AS = {"hi": "greet", "order": "order", "what is the price": "faq/price", "yes": "affirm"}


@pytest.fixture(scope="module")
def bot() -> DomainFields:
    return project.read({"bot.yml": BOT})[0]


def walked(domain: DomainFields, test: ConversationTest) -> tuple[int, list[TurnDifference]]:
    """With an understander that reads what READ_AS says."""

    async def understand(text: str, state: DialogueState) -> Understanding:
        reading = Conversation(domain).reading(text, READ_AS.get(text, ""))
        utterance = interpret(domain, state, text, language="en", now=NOW, whole=reading, clauses=[])
        tracked = track(domain, state, utterance, message_id=None)
        decision, decided = decide(domain, fold(tracked, state), utterance)
        return Understanding(
            id="und",
            created_at=0,
            domain="dom",
            version=1,
            text=text,
            intent=utterance.intent,
            changes=[*tracked, *decided],
            decision=decision,
        )

    done = asyncio.run(walk(domain, test, understand))
    return done.turns, done.differences


def test_rasas_own_test_stories_are_walked_with_forms_that_the_app_fills(bot: DomainFields) -> None:
    whole, _ = read_tests({"test_stories.yml": STORIES}, bot)
    assert walked(bot, whole) == (5, [])


def test_a_turn_that_goes_otherwise_says_what_was_expected_and_why_and_spoils_no_other(bot: DomainFields) -> None:
    _, wrong = read_tests({"test_stories.yml": STORIES}, bot)
    turns, (difference,) = walked(bot, wrong)
    assert (turns, difference.conversation, difference.turn, difference.user) == (2, "wrong", 1, "hi")
    assert (difference.what, difference.expected, difference.found) == (
        "does",
        ["utter_great"],
        ["utter_greet", "utter_help"],
    )
    assert "It was read as greet." in difference.why


OURS = """
now: 2026-03-04T10:00:00
conversations:
- name: ordering
  turns:
  - user: hi
    expect: {intent: greet, says: utter_greet, form: null, calls: {}, hand_over: false}
  - user: order
    expect: {form: order_form, asks: size, slots: {size: null}, confirms: false}
  - user: "yes"
    expect: {either: [{asks: note}, {asks: size}]}
"""


def test_our_own_tests_say_what_must_be_so_after_each_message(bot: DomainFields) -> None:
    (ordering,) = read_tests({"ours.yml": OURS}, bot)
    assert walked(bot, ordering) == (3, [])
    assert now_of({"ours.yml": OURS}) == "2026-03-04T10:00:00"


@pytest.mark.parametrize(
    ("expect", "what", "found"),
    [
        ({"intent": "order"}, "intent", ["greet"]),
        ({"says": "utter_faq"}, "says", "Hello\nI sell shoes"),
        ({"calls": {"action_order": {}}}, "calls", {}),
        ({"asks": "size"}, "asks", None),
        ({"confirms": True}, "confirms", False),
        ({"form": "order_form"}, "form", None),
        ({"slots": {"size": "9"}}, "slots", {"size": None}),
        ({"hand_over": True}, "hand_over", "respond"),
        ({"either": [{"asks": "size"}, {"confirms": True}]}, "asks", None),
    ],
)
def test_each_expectation_that_is_not_met_is_told(bot: DomainFields, expect: Any, what: str, found: object) -> None:
    test = ConversationTest.model_validate({"name": "t", "turns": [{"user": "hi", "expect": expect}]})
    _, (difference,) = walked(bot, test)
    assert (difference.what, difference.found) == (what, found)


def test_a_test_that_can_not_be_read_names_its_file_and_line(bot: DomainFields) -> None:
    with pytest.raises(InvalidRequest, match=r"a\.yml: Line 2: .*turns"):
        read_tests({"a.yml": "conversations:\n- name: none"}, bot)
    with pytest.raises(InvalidRequest, match=r"b\.yml: Line 2"):
        read_tests({"b.yml": "stories: [a"}, bot)


def test_examples_are_read_by_what_the_others_teach_with_confusions_and_scores_of_entities() -> None:
    domain = DomainFields.model_validate(
        {
            "intents": [
                {"name": "greet", "examples": ["hi", "hello"]},
                {"name": "bye", "examples": ["bye to [Ann](name)", "see you"]},
            ],
            "entities": [{"name": "name"}],
        }
    )
    taught: list[int] = []

    async def reads(part: DomainFields, texts: Sequence[str]) -> list[Understanding]:
        taught.append(sum(len(intent.examples) for intent in part.intents))
        return [
            Understanding(
                id="u", created_at=0, domain="d", version=1, text=text, intent=IntentScore(name="greet", confidence=1)
            )
            for text in texts
        ]

    scores = asyncio.run(scored(domain, reads, folds=2, holdout=None))
    assert (taught, scores.examples, scores.accuracy) == ([2, 2], 4, 0.5)
    assert [(one.intent, one.taken_for, one.count) for one in scores.confusions] == [("bye", "greet", 2)]
    assert [(one.name, one.precision, one.recall, one.support) for one in scores.intents] == [
        ("bye", 0.0, 0.0, 2),
        ("greet", 0.5, 1.0, 2),
    ]
    assert [(one.name, one.recall, one.support) for one in scores.entities] == [("name", 0.0, 1)]
    assert asyncio.run(scored(domain, reads, folds=0, holdout=0.5)).examples == 2


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (4, "4"),
        (950.0, "950"),
        ({"amount": 950, "currency": "GBP"}, 950),
        ("+44 7700 900123", "07700 900123"),
        ("Ann", " ann"),
        (True, "true"),
        (["a", "b"], ["a", "b"]),
        (None, None),
    ],
)
def test_values_are_compared_in_meaning(held: Any, expected: Any) -> None:
    assert same(held, expected)


@pytest.mark.parametrize(
    ("held", "expected"), [(4, "5"), (None, "x"), ("x", None), (["a"], "a"), ("", "0"), ("12", "012345")]
)
def test_values_that_mean_something_else_differ(held: Any, expected: Any) -> None:
    assert not same(held, expected)
