"""The second view of a text: which words and pieces of words it has."""

import numpy as np

from zhuli.understanding.language.intent_classification.word_features import SIZE, WordFeatures

EXAMPLES = ["my card was stolen", "where is my card", "what is the exchange rate", "我的卡被偷了", "汇率是多少"]
FEATURES = WordFeatures.of(EXAMPLES)


def alike(one: str, other: str) -> float:
    left, right = FEATURES.rows([one, other])
    return float(left @ right)


def test_rows_have_a_fixed_length_and_say_the_same_alone_and_together() -> None:
    together = FEATURES.rows(EXAMPLES)
    assert together.shape == (5, SIZE) and together.dtype == np.float32
    assert np.array_equal(np.vstack([FEATURES.rows([text]) for text in EXAMPLES]), together)


def test_a_typing_error_leaves_a_text_near_what_was_meant() -> None:
    assert alike("my card was stolne", EXAMPLES[0]) > 2 * max(
        alike("my card was stolne", text) for text in EXAMPLES[1:]
    )


def test_a_rare_word_says_more_than_a_common_one() -> None:
    assert alike("stolen", EXAMPLES[0]) > alike("card", EXAMPLES[0])


def test_chinese_texts_share_characters_and_pairs_of_them() -> None:
    assert alike("卡被偷", "我的卡被偷了") > 0.3 > abs(alike("卡被偷", "汇率是多少"))


def test_case_width_and_marks_are_no_difference() -> None:
    assert alike("MY CARD was stolen!!", EXAMPLES[0]) == alike(EXAMPLES[0], EXAMPLES[0])


def test_what_says_nothing_and_what_nobody_said_have_rows_too() -> None:
    assert not FEATURES.rows(["", " ", "?!"]).any()
    assert np.isfinite(WordFeatures.of([]).rows(["hello", "\ud800", "x" * 100_000])).all()
