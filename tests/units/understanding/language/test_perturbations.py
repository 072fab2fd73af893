"""Noise of the understanding benchmark: seeded, and entities stay where their words are."""

import random
from collections.abc import Iterable

import pytest
from benchmarks.understanding.edits import Edit, Span, applied
from benchmarks.understanding.perturbations import CASES, KINDS, Given, kinds_for, perturbed
from hypothesis import given
from hypothesis import strategies as some

from zhuli.types.understanding.domain import Language

ENGLISH = "Please book a table for 4 at Chez Panisse tomorrow, I want a cheap restaurant."
CHINESE = "请帮我找一个附近的酒店，价格在50元，名字叫北京饭店，谢谢。"
SAID: dict[Language, str] = {"en": ENGLISH, "zh": CHINESE}
NAMES = {"en": "Chez Panisse", "zh": "北京饭店"}


def span_of(text: str, words: str) -> Span:
    return Span(text.index(words), text.index(words) + len(words), "name")


def cases() -> Iterable[tuple[str, Language]]:
    return [(kind, language) for language in SAID for kind in kinds_for(language)]


@pytest.mark.parametrize(("kind", "language"), cases())
def test_the_same_seed_gives_the_same_noise_and_another_seed_another(kind: str, language: Language) -> None:
    texts = [f"{SAID[language]} {number}" for number in range(20)]
    noisy = [[perturbed(text, kind, seed=seed, language=language)[0] for text in texts] for seed in (1, 1, 2)]
    assert noisy[0] == noisy[1]
    assert noisy[0] != texts
    assert noisy[0] != noisy[2] or kind in ("lower", "upper")


@pytest.mark.parametrize(("kind", "language"), cases())
def test_an_entity_is_found_where_it_went(kind: str, language: Language) -> None:
    text = SAID[language]
    for seed in range(30):
        noisy, spans = perturbed(text, kind, seed=seed, language=language, spans=[span_of(text, NAMES[language])])
        for span in spans:
            found = noisy[span.start : span.end]
            assert found == found.strip()
            assert 0 <= span.start < span.end <= len(noisy)
            if "typos" not in kind:
                assert found.lower() == NAMES[language].lower()
        assert spans or kind == "half"


def test_noise_that_is_no_typing_error_puts_nothing_into_an_entity() -> None:
    for kind in ("emoji", "speech", "mixed languages"):
        for seed in range(20):
            noisy, _ = perturbed(ENGLISH, kind, seed=seed, language="en", spans=[span_of(ENGLISH, "Chez Panisse")])
            assert "chez panisse" in noisy.lower()


def test_speech_has_no_punctuation_and_says_numbers_in_words() -> None:
    noisy, _ = perturbed(ENGLISH, "speech", seed=0, language="en")
    assert not set(noisy) & set(",.4")
    assert " four " in noisy
    assert "五十元" in perturbed(CHINESE, "speech", seed=3, language="zh", spans=[span_of(CHINESE, "50元")])[0].replace(
        "员", "元"
    )


def test_half_a_sentence_is_its_beginning() -> None:
    for language, text in SAID.items():
        noisy, _ = perturbed(text, "half", seed=0, language=language)
        assert text.startswith(noisy)
        assert 0.3 * len(text) < len(noisy) < 0.9 * len(text)


def test_typing_errors_are_as_many_as_is_said() -> None:
    given_text = Given("abcdefghij" * 1000, (), "en")
    few, many = (len(KINDS[kind](given_text, random.Random(0))) for kind in ("typos", "many typos"))
    assert 0.03 < few / len(given_text.text) < 0.05
    assert 0.08 < many / len(given_text.text) < 0.12


def test_chinese_has_no_cases() -> None:
    assert not set(CASES) & set(kinds_for("zh"))
    assert set(kinds_for("en")) == set(KINDS)


@given(some.text("ab c", min_size=1, max_size=20), some.data())
def test_what_is_not_edited_stays_with_its_entity(text: str, data: some.DataObject) -> None:
    places = sorted(data.draw(some.sets(some.integers(0, len(text)), min_size=2, max_size=4)) | {0, len(text)})
    spans = [
        Span(start, end, "x") for start, end in zip(places[::2], places[1::2], strict=False) if text[start:end].strip()
    ]
    edits = [Edit(place, place, "++") for place in places]
    noisy, moved = applied(text, edits, spans)
    assert [noisy[span.start : span.end] for span in moved] == [text[span.start : span.end].strip() for span in spans]
