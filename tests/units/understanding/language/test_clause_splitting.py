"""Where a message may have several intents."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhuli.types.understanding.domain import Language
from zhuli.understanding.dialogue.utterance.clause_splitting import MOST_CLAUSES, split_clauses


def parts(text: str, language: Language) -> list[str]:
    return [text[start:end] for start, end in split_clauses(text, language)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hi, book a table and what are your hours?", ["hi", "book a table", "what are your hours?"]),
        ("Yes please. Can you tell me the address?", ["Yes please", "Can you tell me the address?"]),
        ("I need a taxi, then find me a hotel", ["I need a taxi", "find me a hotel"]),
        ("no, tomorrow", ["no", "tomorrow"]),
        ("cancel that and book a table for 3", ["cancel that", "book a table for 3"]),
        ("fish and chips for two", ["fish and chips for two"]),
        ("from Monday to Friday", ["from Monday to Friday"]),
        ("a table for 4, tomorrow at 7.30 pm", ["a table for 4, tomorrow at 7.30 pm"]),
    ],
)
def test_english(text: str, expected: list[str]) -> None:
    assert parts(text, "en") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("你好，我想订一张桌子，另外你们几点开门？", ["你好", "我想订一张桌子", "另外你们几点开门？"]),
        ("好的，帮我叫辆车。", ["好的", "帮我叫辆车"]),
        ("四个人，明天晚上七点", ["四个人，明天晚上七点"]),
        ("推荐一家川菜馆", ["推荐一家川菜馆"]),
    ],
)
def test_chinese(text: str, expected: list[str]) -> None:
    assert parts(text, "zh") == expected


@pytest.mark.parametrize("text", ["", "...", "  ", "?!", "。。。"])
def test_a_text_without_words_is_one_part(text: str) -> None:
    assert split_clauses(text, None) == [(0, len(text))]


@settings(max_examples=60, deadline=None)
@given(
    st.text(alphabet=st.sampled_from("ab ,.!?\nandthen你好，。我想 "), max_size=80), st.sampled_from(["en", "zh", None])
)
def test_parts_are_in_order_apart_and_few(text: str, language: Language | None) -> None:
    spans = split_clauses(text, language)
    assert 1 <= len(spans) <= MOST_CLAUSES
    assert all(0 <= start <= end <= len(text) for start, end in spans)
    assert all(one[1] <= other[0] for one, other in pairwise(spans))
