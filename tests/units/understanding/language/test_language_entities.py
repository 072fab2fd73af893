"""Entities that are found by rule, put together: lists with typing errors, expressions, and what belongs to whom."""

import threading
import time
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from zhuli.types.understanding.domain import Entity, EntityKind, EntityValue
from zhuli.types.understanding.understanding import EntityFound
from zhuli.understanding.language.entity_extraction.entity_extraction import find_entities
from zhuli.understanding.language.entity_extraction.merging import merged
from zhuli.understanding.language.entity_extraction.pattern_size import BadPattern
from zhuli.understanding.language.entity_extraction.patterns import SearchTime, compiled, fits

NOW = datetime(2026, 11, 23, 10, 5, tzinfo=ZoneInfo("Asia/Shanghai"))


def listed(name: str, values: dict[str, list[str]]) -> Entity:
    entries = [EntityValue(value=value, synonyms=synonyms) for value, synonyms in values.items()]
    return Entity(name=name, kind="lookup", values=entries)


CUISINE = listed(
    "cuisine",
    {"Italian": ["italian food", "意大利菜"], "Chinese": ["中餐", "川菜"], "红烧肉": []}
    | {name: [] for name in ("Greek", "latte", "Thai", "burger", "sandwich", "McDonald's")},
)
CITY = listed("city", {"New York": ["NYC", "纽约"], "San Francisco": ["SF"], "London": [], "北京": [], "北京西直门": [],
                       "清华大学": [], "São Paulo": [], "C++": []})  # fmt: skip


def found(text: str, *entities: Entity) -> list[tuple[str, str, Any]]:
    return [(one.entity, one.text, one.value) for one in find_entities(text, entities, language=None, now=NOW)]


def of_kinds(*kinds: EntityKind) -> list[Entity]:
    return [Entity(name=kind, kind=kind) for kind in kinds]


@pytest.mark.parametrize(
    ("text", "words", "value"),
    [
        ("some ITALIAN FOOD please", "ITALIAN FOOD", "Italian"),
        ("ｉｔａｌｉａｎ", "ｉｔａｌｉａｎ", "Italian"),
        ("two burgers", "burgers", "burger"),
        ("sandwiches", "sandwiches", "sandwich"),
        ("at mcdonalds", "mcdonalds", "McDonald's"),
        ("McDonald’s 🍔", "McDonald’s", "McDonald's"),
        ("in New-York", "New-York", "New York"),
        ("NYC", "NYC", "New York"),
        ("sao paulo", "sao paulo", "São Paulo"),
        ("learn c++ now", "c++", "C++"),
        ("去北京西直门", "北京西直门", "北京西直门"),
        ("我想吃川菜", "川菜", "Chinese"),
        ("itallian", "itallian", "Italian"),
        ("chineese", "chineese", "Chinese"),
        ("san fransisco", "san fransisco", "San Francisco"),
        ("londn", "londn", "London"),
        ("去清华大雪", "清华大雪", "清华大学"),
    ],
)
def test_a_listed_value_is_found_however_it_is_written(text: str, words: str, value: str) -> None:
    assert [(said, meant) for _, said, meant in found(text, CUISINE, CITY)] == [(words, value)]


@pytest.mark.parametrize(
    "text", ["see you later", "green tea", "a thaw", "that", "红烧鱼", "italics", "newyorker", "unlondon"]
)
def test_other_words_are_not_taken_for_typing_errors(text: str) -> None:
    assert found(text, CUISINE, CITY) == []


def test_only_a_mistyped_value_has_a_confidence() -> None:
    right, wrong = find_entities("italian or chineese", [CUISINE], language="en", now=NOW)
    assert right.confidence is None
    assert wrong.confidence == pytest.approx(1 - 1 / 7, abs=0.001)


def test_the_digits_of_times_dates_and_telephones_are_no_numbers() -> None:
    text = "table for two at 7pm on March 5th, call 415-555-1234 or a1@b2.org"
    assert found(text, *of_kinds("number")) == [("number", "two", 2)]


def test_what_only_a_date_would_make_of_it_stays_a_number_without_one() -> None:
    assert found("at 7", *of_kinds("number")) == [("number", "7", 7)]
    assert found("at 7", *of_kinds("number", "time")) == [("time", "7", "19:00")]
    assert found("the 6th", *of_kinds("date")) == [("date", "the 6th", "2026-12-06")]


def test_a_sum_is_a_number_where_no_money_is_asked_for() -> None:
    assert found("under $50", *of_kinds("number")) == [("number", "50", 50)]
    assert found("under $50", *of_kinds("number", "money")) == [("money", "$50", {"amount": 50, "currency": "USD"})]


def test_a_number_inside_of_a_name_is_none() -> None:
    hotel = listed("hotel", {"7天优品酒店": []})
    assert found("7天优品酒店，两个人", hotel, *of_kinds("number")) == [
        ("hotel", "7天优品酒店", "7天优品酒店"),
        ("number", "两", 2),
    ]


@pytest.mark.parametrize(
    ("text", "people", "nights"),
    [
        ("3 nights for 2 people", [2], [3]),
        ("两个人住三晚", [2], [3]),
        ("two", [2], [2]),
        ("4 of us", [4], []),
        ("2 rooms", [], []),
    ],
)
def test_a_number_goes_to_the_entity_that_is_named_for_what_it_counts(
    text: str, people: list[int], nights: list[int]
) -> None:
    all_found = found(text, Entity(name="num_people", kind="number"), Entity(name="nights", kind="number"))
    assert [value for name, _, value in all_found if name == "num_people"] == people
    assert [value for name, _, value in all_found if name == "nights"] == nights


def test_a_number_of_something_else_is_not_taken_even_if_nobody_else_waits_for_one() -> None:
    people = Entity(name="人数", kind="number")
    assert found("订一张桌子", people) == found("叫一辆车", people) == []
    assert found("三个人", people) == [("人数", "三", 3)]
    assert found("一张桌子", Entity(name="amount", kind="number")) == [("amount", "一", 1)]


def test_tomorrow_is_the_day_after_the_users_today() -> None:
    assert found("tomorrow", *of_kinds("date")) == [("date", "tomorrow", "2026-11-24")]


def test_an_expression_gives_its_group_or_all_that_matches() -> None:
    order = Entity(name="order", kind="regex", patterns=[r"#(?P<value>\d{4,})", r"[A-Z]{2}\d{3}"])
    assert found("order #12345 on CA123", order) == [("order", "12345", "12345"), ("order", "CA123", "CA123")]


def test_an_expression_that_would_never_end_is_stopped() -> None:
    began = time.process_time()
    assert found("a" * 1000 + "!", Entity(name="x", kind="regex", patterns=[r"(a|aa)+$"])) == []
    assert not fits(r"(a|aa)+", "a" * 1000 + "!")
    assert time.process_time() - began < 5


SLOW = [rf"({letters}|a|aa)+$" for letters in ("b" * count for count in range(1, 200))]


def test_all_expressions_of_a_message_have_a_time_together_and_those_behind_it_are_told() -> None:
    began, slow = time.thread_time(), SearchTime(0.2)
    with slow.of_all_here():
        assert found("a" * 1000 + "!", Entity(name="x", kind="regex", patterns=[*SLOW, "a!"])) == []
    assert time.thread_time() - began < 2, "two hundred have 10 s, each for itself"
    assert list(slow.unsearched) == [*SLOW, "a!"]
    assert found("a!", Entity(name="x", kind="regex", patterns=["a!"])), "the next message has its own"


def test_expressions_stop_when_they_are_told_from_another_thread() -> None:
    slow, begun = SearchTime(60), threading.Event()
    ended: list[list[tuple[str, str, Any]]] = []

    def search() -> None:
        begun.set()
        with slow.of_all_here():
            ended.append(found("a" * 1000 + "!", Entity(name="x", kind="regex", patterns=SLOW * 25)))

    searching = threading.Thread(target=search, daemon=True)
    searching.start()
    begun.wait()
    slow.stop()
    searching.join(10)
    assert ended == [[]], "it would take a minute"


LARGE = {
    "parts that are counted": "(?:" + "a?b" * 330 + "){20000}",
    "counts in counts": "(?:(?:" + "(?:a|bc)" * 120 + "){140}){140}",
    "what only the library reads": r"(?:\p{L}" + "a?b" * 300 + "){100}",
    "characters in a row": "a" * 1000,
    "characters in a row, over groups": "(?i:" + "a" * 150 + ")" + "b" * 150,
    "characters in a row, with spaces that are not there": "(?x) a #)\n b" + " c" * 300,
}


@pytest.mark.parametrize("pattern", LARGE.values(), ids=LARGE)
def test_an_expression_that_takes_long_to_compile_is_not_compiled(pattern: str) -> None:
    with pytest.raises(BadPattern, match="more than"):
        compiled(pattern)


@pytest.mark.parametrize("pattern", ["(", "(?:(?:a{1000}){1000}){1000}", "[z-a]"])
def test_what_is_no_expression_or_far_too_large_finds_nothing_and_says_why(pattern: str) -> None:
    assert found("(aaa", Entity(name="x", kind="regex", patterns=[pattern])) == []
    assert not fits(pattern, "a")
    with pytest.raises(BadPattern, match=r"\w"):
        compiled(pattern)


def test_an_expression_fits_only_the_whole_text() -> None:
    assert fits(r"\d{3}", "123")
    assert not fits(r"\d{3}", "1234")


def learned(text: str, start: int, *, role: str | None = None) -> EntityFound:
    return EntityFound(
        entity="city", text=text, value=text, start=start, end=start + len(text), source="learned", role=role
    )


def test_of_two_findings_of_one_entity_the_longer_stays_then_the_rule() -> None:
    rules = find_entities("from New York to London", [CITY], language="en", now=NOW)
    both = merged(rules, [learned("York", 9), learned("London", 17, role="destination")])
    assert [(one.text, one.source, one.role) for one in both] == [
        ("New York", "lookup", None),
        ("London", "lookup", "destination"),
    ]


def test_the_surest_of_several_learned_roles_is_taken() -> None:
    rules = find_entities("to San Francisco", [CITY], language="en", now=NOW)
    unsure = learned("Francisco", 7, role="origin").model_copy(update={"confidence": 0.4})
    sure = learned("San", 3, role="destination").model_copy(update={"confidence": 0.9})
    assert [(one.text, one.role) for one in merged(rules, [unsure, sure])] == [("San Francisco", "destination")]


def test_what_was_learned_of_roles_alone_never_stands_for_itself() -> None:
    rules = find_entities("to London", [CITY], language="en", now=NOW)
    role = learned("London please", 3, role="destination").model_copy(update={"source": "role"})
    assert [(one.text, one.role) for one in merged(rules, [role])] == [("London", "destination")]
    assert merged([], [role]) == []


def test_findings_of_other_entities_may_overlap() -> None:
    one = learned("London", 0)
    other = one.model_copy(update={"entity": "name"})
    assert merged([one], [other]) == [one, other]
