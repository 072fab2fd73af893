"""Values as people write them: counts beside times, sums without a currency, phones, codes, names, what is settled."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from zhuli.types.understanding.domain import Entity, EntityKind, EntityValue
from zhuli.types.understanding.understanding import EntityFound
from zhuli.understanding.dialogue.slots.stated import stated, weightiest
from zhuli.understanding.language.entity_extraction.chinese_names import whole_names
from zhuli.understanding.language.entity_extraction.entity_extraction import find_entities

NOW = datetime(2026, 3, 4, 10)
"""A Wednesday."""


def found(text: str, *kinds: EntityKind, asked: EntityKind | None = None) -> list[tuple[str, Any]]:
    entities = [Entity(name=kind, kind=kind) for kind in kinds]
    language = "en" if text.isascii() else "zh"
    return [(one.entity, one.value) for one in find_entities(text, entities, language=language, now=NOW, asked=asked)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "time", "number"),
    [
        ("明天七点三个人", "19:00", 3),
        ("今晚8点6个人", "20:00", 6),
        ("晚上七点两位", "19:00", 2),
        ("周五十二点半四位", "12:30", 4),
    ],
)
def test_a_count_behind_an_hour_tells_no_minutes(text: str, time: str, number: int) -> None:
    assert found(text, "time", "number") == [("time", time), ("number", number)]


@pytest.mark.parametrize(
    ("text", "value"),
    [("7.30", "19:30"), ("seven thirty", "19:30"), ("half seven", "19:30"), ("eight fifteen", "08:15")],
)
def test_what_may_be_a_time_is_one_where_a_time_is_asked_for(text: str, value: str) -> None:
    assert found(text, "time", "number", asked="time") == [("time", value)]
    assert all(kind == "number" for kind, _ in found(text, "time", "number"))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Monday week", "2026-03-16"),
        ("xmas eve", "2026-12-24"),
        ("the first Monday in January", "2027-01-04"),
        ("at the end of this month", "2026-03-31"),
        ("fri 8pm", "2026-03-06"),
        ("除夕", "2027-02-05"),
        ("月底", "2026-03-31"),
    ],
)
def test_days_are_found_as_they_are_called(text: str, day: str) -> None:
    assert found(text, "date") == [("date", day)]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("5k to Omar", 5000),
        ("send him another 50", 50),
        ("给赵大勇打过去三千五", 3500),
        ("转８万给林芳", 80000),
        ("make it 6 thousand", 6000),
    ],
)
def test_a_sum_needs_no_currency_where_no_other_number_is_waited_for(text: str, amount: int) -> None:
    assert found(text, "money") == [("money", {"amount": amount, "currency": None})]
    assert found(text, "money", "number") == [("number", amount)]


@pytest.mark.parametrize("text", ["my card 4821 is lost", "I have 2 cards", "on the 15th", "第3个", "three people"])
def test_what_counts_or_names_something_is_no_sum(text: str) -> None:
    assert found(text, "money") == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("two grand", 2000),
        ("half a million", 500_000),
        ("1万2", 12_000),
        ("3千5", 3500),
        ("four and a half thousand", 4500),
        ("俩人", 2),
    ],
)
def test_large_numbers_are_said_in_short(text: str, value: int) -> None:
    assert found(text, "number") == [("number", value)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("fine. 07700 900123", "07700900123"),
        ("0114 496 0123", "01144960123"),
        ("电话一八六零零一二三四五六", "+8618600123456"),
    ],
)
def test_national_numbers_are_phones(text: str, value: str) -> None:
    assert found(text, "phone", "number") == [("phone", value)]


@pytest.mark.parametrize(
    ("zone", "text", "value"),
    [
        ("Europe/London", "ring me on 020 7946 0018", "+442079460018"),
        ("Europe/London", "fine. 07700 900123", "+447700900123"),
        ("Europe/Paris", "06 12 34 56 78 please", "+33612345678"),
        ("Europe/London", "+33 6 12 34 56 78", "+33612345678"),
        ("Asia/Hong_Kong", "我的电话5123 4567", "+85251234567"),
        ("Asia/Tokyo", "電話は03-1234-5678", "+81312345678"),
        ("Asia/Shanghai", "手机号 138 0013 8000", "+8613800138000"),
        ("UTC", "07700 900123", "07700900123"),
    ],
)
def test_a_number_has_the_code_of_the_country_whose_time_the_domain_has(zone: str, text: str, value: str) -> None:
    phone = [Entity(name="phone", kind="phone")]
    there = datetime(2026, 3, 10, 9, tzinfo=ZoneInfo(zone))
    assert [one.value for one in find_entities(text, phone, language="en", now=there)] == [value]


@pytest.mark.parametrize("text", ["order 12345678", "my code is 4071, room 12", "on 2026-03-21 at 10:30", "房间 2012"])
def test_other_figures_are_no_phone_in_any_country(text: str) -> None:
    phone = [Entity(name="phone", kind="phone")]
    for zone in ("Europe/London", "Asia/Hong_Kong", "America/New_York"):
        there = datetime(2026, 3, 10, 9, tzinfo=ZoneInfo(zone))
        assert find_entities(text, phone, language="en", now=there) == []


def test_any_long_number_is_a_phone_where_one_is_asked_for() -> None:
    assert found("555 0142", "phone", asked="phone") == [("phone", "5550142")]
    assert found("555 0142", "phone") == []


@pytest.mark.parametrize("text", ["gl-48213", "GL-48213", "ＧＬ－４８２１３"])
def test_codes_are_found_however_they_are_typed(text: str) -> None:
    entity = Entity(name="order", kind="regex", patterns=[r"GL-\d{5}"])
    [one] = find_entities(f"ok found it {text}", [entity], language="en", now=NOW)
    assert one.value.upper() == "GL-48213"


def test_a_code_without_a_blank_is_found_with_one() -> None:
    entity = Entity(name="booking", kind="regex", patterns=[r"R\d{4}"])
    assert [one.value for one in find_entities("got it, r 8810", [entity], language="en", now=NOW)] == ["R8810"]


def test_a_listed_verb_may_have_a_measure_word_inside() -> None:
    entity = Entity(name="job", kind="lookup", values=[EntityValue(value="保养", synonyms=["换机油"])])
    assert [one.value for one in find_entities("想过来换个机油", [entity], language="zh", now=NOW)] == ["保养"]


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("my name is Ann", "Ann"),
        ("John please", "John"),
        ("it's called ramipril", "ramipril"),
        ("Margaret Ellis", "Margaret Ellis"),
        ("Fortuna", "Fortuna"),
        ("我叫王建国", "王建国"),
        ("转给老刘吧", "老刘"),
        ("叶问", "叶问"),
    ],
)
def test_of_an_answer_the_name_is_kept(said: str, value: str) -> None:
    assert stated(said) == value


@pytest.mark.parametrize(
    ("text", "name", "whole"),
    [
        ("帮我给赵大勇打过去三千", "赵大", "赵大勇"),
        ("我妹，周小雨", "小雨", "周小雨"),
        ("王建国", "建国", "王建国"),
        ("给王芳三千", "王芳", "王芳"),
    ],
)
def test_names_of_people_in_chinese_are_whole(text: str, name: str, whole: str) -> None:
    at = text.index(name)
    one = EntityFound(entity="payee", text=name, value=name, start=at, end=at + len(name), source="learned")
    assert [found.value for found in whole_names(text, [one])] == [whole]


@pytest.mark.parametrize(
    ("text", "values"), [("再加一碗，一共三碗", [3]), ("大概十来斤，就算5公斤吧", [5]), ("6 of us, no, 7", [6, 7])]
)
def test_a_total_and_what_is_exact_settle_a_number(text: str, values: list[int]) -> None:
    numbers = find_entities(text, [Entity(name="count", kind="number")], language=None, now=NOW)
    assert [one.value for one in weightiest(text, numbers, alone={"count"})] == values
