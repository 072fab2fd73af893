"""Encodings are recognised by what is in the file, in short files and in long ones."""

import pytest

from zhuli.core.decoding import decode
from zhuli.core.errors import Unreadable

SIMPLIFIED = [
    "你好，世界",
    "订单什么时候到？",
    "请在三天之内把货物退回来，我们会把全部的款项退给您。",
    "姓名：王小明\n电话：13800000000\n地址：北京市海淀区中关村大街一号\n",
    "人工智能是计算机科学的一个分支，它企图了解智能的实质，并生产出一种新的能以人类智能相似的方式做出反应的智能机器。"
    * 20,
]
TRADITIONAL = [
    "您好",
    "今天天氣很好，我們去公園走走。",
    "請問訂單什麼時候會到？謝謝。",
    "臺灣位於東亞，西隔臺灣海峽與中國大陸相望，總面積約三萬六千平方公里。" * 20,
]
WESTERN = ["Žluťoučký kůň", "Größe: 12 m²\nPreis: 5 €", "naïve café"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030"])
@pytest.mark.parametrize("text", SIMPLIFIED)
def test_simplified_chinese_is_read(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "big5"])
@pytest.mark.parametrize("text", TRADITIONAL)
def test_traditional_chinese_is_read(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", WESTERN)
def test_western_text_is_read(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Привет мир, как дела сегодня? Всё хорошо, спасибо.", "cp1251"),
        ("日本語のテキストです。これは試験の文章です。", "shift_jis"),
        ("日本語のテキストです。これは試験の文章です。", "euc_jp"),
    ],
)
def test_other_encodings_are_guessed(text: str, encoding: str) -> None:
    assert decode((text * 5).encode(encoding)) == text * 5


def test_chinese_cut_in_the_middle_of_a_character_is_read_up_to_there() -> None:
    assert decode("今天的天气很好，我们去公园".encode("gb18030")[:-1])[:12] == "今天的天气很好，我们去公"


def test_a_few_broken_bytes_do_not_change_the_encoding() -> None:
    assert decode("这是很长的一段文字".encode() * 10 + b"\xff") == "这是很长的一段文字" * 10 + "\ufffd"


def test_utf_16_without_a_mark_may_have_zeros_on_both_sides() -> None:
    text = "第一章 2024 年共有 31 个统一的标准。"
    assert decode(text.encode("utf-16-le")) == text


def test_nothing_is_empty_text() -> None:
    assert decode(b"") == ""


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(Unreadable, match="Save the file as UTF-8"):
        decode(bytes(range(128, 160)) + b"\x81\x01\x02\x03\x04\x05\x06\x07" * 8 + b"\xff\xfe\xfd")
