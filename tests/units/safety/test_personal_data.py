"""Personal data is found where it is promised, in English and Chinese, and little besides."""

import pytest
from benchmarks.safety.personal_data import sentences
from hypothesis import given
from hypothesis import strategies as st

from zhuli.safety.personal_data import WORDS, find, mask
from zhuli.safety.recognisers.identity_numbers import is_resident_id
from zhuli.safety.recognisers.numbers import is_iban, luhn

PIECES = st.sampled_from(
    [
        "13812345678",
        "a@b.example",
        "我叫王小明",
        "，",
        " ",
        "11010519491231002X",
        "https://u:p@h.example/?token=abcdef",
        "１",
        "x",
        "号",
    ]
)


def test_what_is_marked_in_the_sentences_is_found_and_nothing_else() -> None:
    wrong = []
    for sentence in sentences():
        found = {(one.kind, one.start, one.end) for one in find(sentence.text, sentence.language)}
        promised = {mark[:3] for mark in sentence.marked if mark[3]}
        if found != promised:
            wrong.append((sentence.text, found ^ promised))
    assert wrong == []


def test_the_language_need_not_be_said() -> None:
    assert mask("我叫王小明，电话13812345678").text == "我叫[NAME]，电话[PHONE]"
    assert mask("Call +1 650-253-0000 or write to jo@example.com").text == "Call [PHONE] or write to [EMAIL]"


def test_wide_letters_are_read_and_places_stay() -> None:
    text = "卡号４１１１１１１１１１１１１１１１，谢谢"
    masked = mask(text)
    assert masked.text == "卡号[CARD_NUMBER]，谢谢"
    assert text[masked.found[0].start : masked.found[0].end] == "４１１１１１１１１１１１１１１１"


@pytest.mark.parametrize(
    "text", ["", "Hello there.", "你好", "a" * 100_000, "1" * 100_000, "@" * 50_000, "1-" * 50_000]
)
def test_a_text_without_any_is_left_as_it_is(text: str) -> None:
    assert mask(text).text == text


@given(st.lists(PIECES, max_size=12).map("".join))
def test_places_are_in_order_and_do_not_overlap(text: str) -> None:
    masked = mask(text)
    ends = [0, *(place for one in masked.found for place in (one.start, one.end)), len(text)]
    assert ends == sorted(ends)
    kept = "".join(text[end:start] for end, start in zip(ends[::2], ends[1::2], strict=True))
    rest = masked.text
    for one in masked.found:
        rest = rest.replace(WORDS[one.kind], "", 1)
    assert rest == kept


def test_check_digits_are_those_of_the_standards() -> None:
    assert is_resident_id("11010519491231002X")  # GB 11643-1999's own example
    assert not is_resident_id("110105194912310021")
    assert not is_resident_id("11010519491331002X")
    assert luhn("79927398713") and not luhn("79927398710")
    assert is_iban("GB82WEST12345698765432") and not is_iban("GB83WEST12345698765432")
