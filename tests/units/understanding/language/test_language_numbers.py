"""Numbers, sums, telephone numbers and addresses, as people write and say them in English and Chinese."""

from typing import Any

import pytest

from zhuli.understanding.language.entity_extraction.emails import find_emails
from zhuli.understanding.language.entity_extraction.phones import find_phones
from zhuli.understanding.language.numbers.money import find_money
from zhuli.understanding.language.numbers.numbers import find_numbers
from zhuli.understanding.language.plain_text import plain
from zhuli.understanding.language.spans import Span


def said(text: str, spans: list[Span]) -> list[tuple[str, Any]]:
    return [(text[span.start : span.end], span.value) for span in spans]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a table for two please", [("two", 2)]),
        ("we are TWENTY-FIVE people", [("TWENTY-FIVE", 25)]),
        ("two hundred and five dollars", [("two hundred and five", 205)]),
        ("three thousand two hundred and twelve", [("three thousand two hundred and twelve", 3212)]),
        ("half a dozen eggs", [("half a dozen", 6)]),
        ("half an hour", [("half", 0.5)]),
        ("two and a half hours", [("two and a half", 2.5)]),
        ("a couple of rooms", [("a couple of", 2)]),
        ("3 tickets, 2 adults and 1 child", [("3", 3), ("2", 2), ("1", 1)]),
        ("for 2 or 3 people", [("2", 2), ("3", 3)]),
        ("rated 4.5 or more", [("4.5", 4.5)]),
        ("1,000 units", [("1,000", 1000)]),
        ("about 2k", [("2k", 2000)]),
        ("4ppl", [("4", 4)]),
        ("it is -5 degrees", [("-5", -5)]),
        ("between 50-100", [("50", 50), ("100", 100)]),
        ("the second one", [("second", 2)]),
        ("the 2nd option", [("2nd", 2)]),
        ("a reservation for one.", [("one", 1)]),
        ("one ticket", [("one", 1)]),
        ("２个人", [("２", 2)]),
        ("两个人", [("两", 2)]),
        ("两个半小时", [("两个半", 2.5)]),
        ("半小时", [("半", 0.5)]),
        ("二十五位客人", [("二十五", 25)]),
        ("两百五", [("两百五", 250)]),
        ("一千零五个", [("一千零五", 1005)]),
        ("1.5万元", [("1.5万", 15000)]),
        ("两三个人", [("两", 2), ("三", 3)]),
        ("一个人", [("一", 1)]),
        ("要第三个", [("三", 3)]),
        ("评分4.5分以上", [("4.5", 4.5)]),
        ("1小时 - 2小时", [("1", 1), ("2", 2)]),
        ("五", [("五", 5)]),
        ("我要两间房，三晚 😀", [("两", 2), ("三", 3)]),
    ],
)
def test_a_number_is_read(text: str, found: list[tuple[str, float]]) -> None:
    assert said(text, find_numbers(plain(text))) == found


@pytest.mark.parametrize(
    "text",
    [
        "that one is good", "find me one in Oakland", "one way flights", "a good one", "flight CA1234", "version 1.2.3",
        "just a second", "推荐一家餐馆", "一个合适的酒店", "八达岭长城", "五道口", "一起去吧", "便宜一点", "万一不行呢", "三明治",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_number_is_none(text: str) -> None:
    assert find_numbers(plain(text)) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("under $20", [(20, "USD")]),
        ("20 dollars or £15.50", [(20, "USD"), (15.5, "GBP")]),
        ("two hundred dollars", [(200, "USD")]),
        ("$2k", [(2000, "USD")]),
        ("1,500.50 euros", [(1500.5, "EUR")]),
        ("50 cents", [(0.5, "USD")]),
        ("between 50 and 100 dollars", [(50, "USD"), (100, "USD")]),
        ("$50-100", [(50, "USD"), (100, "USD")]),
        ("100 RMB", [(100, "CNY")]),
        ("￥200", [(200, "CNY")]),
        ("200元一晚", [(200, "CNY")]),
        ("两百块左右", [(200, "CNY")]),
        ("三块五", [(3.5, "CNY")]),
        ("二十块零五毛", [(20.5, "CNY")]),
        ("人均消费50-100元的餐馆", [(50, "CNY"), (100, "CNY")]),
        ("5000日元", [(5000, "JPY")]),
        ("HK$50", [(50, "HKD")]),
        ("两块蛋糕", []),
        ("元旦", []),
        ("for 50 people", []),
    ],
)
def test_a_sum_has_an_amount_and_a_currency(text: str, found: list[tuple[float, str]]) -> None:
    assert [(span.value["amount"], span.value["currency"]) for span in find_money(plain(text))] == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("call 415-555-1234 now", "+14155551234"),
        ("(415) 555-1234", "+14155551234"),
        ("4155551234", "+14155551234"),
        ("+44 20 7946 0958", "+442079460958"),
        ("+86 (0)10 6216 5588", "+861062165588"),
        ("我的电话是13800138000，谢谢", "+8613800138000"),
        ("138 0013 8000", "+8613800138000"),
        ("０１０－６２１６５５８８", "+861062165588"),
        ("01065139661", "+861065139661"),
        ("400-810-1234", "+864008101234"),
    ],
)
def test_a_telephone_number_gets_its_country(text: str, found: str) -> None:
    assert [span.value for span in find_phones(plain(text), chinese=True)] == [found]


@pytest.mark.parametrize("text", ["order 123456789012345678", "67080561", "2026-11-23", "5/3/2026", "1.2.3.4"])
def test_other_digits_are_no_telephone_number(text: str) -> None:
    assert find_phones(plain(text), chinese=True) == []


def test_addresses_are_found_inside_of_sentences() -> None:
    text = "Mail Bob.Smith+x@Example.co.uk. 或者发到zhang@qq.com好吗, not to a@b or x@@y.com"
    assert [span.value for span in find_emails(plain(text))] == ["bob.smith+x@example.co.uk", "zhang@qq.com"]
