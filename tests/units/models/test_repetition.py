"""Answers that say the same without end are noticed; what only repeats a little, or was asked to, is not."""

import random

import pytest

from zhuli.models.engines.llama_answer import Answer
from zhuli.models.engines.repetition import Repetition
from zhuli.types.models.generation import GenerationRequest

PARAGRAPH = "The sea is wide, and nobody has seen the whole of it. It gives and takes, as it has always done.\n\n"


def fed(text: str, piece: int = 7) -> Repetition:
    repetition = Repetition()
    for start in range(0, len(text), piece):
        repetition.feed(text[start : start + piece])
    return repetition


@pytest.mark.parametrize(
    "unit",
    [
        PARAGRAPH,
        PARAGRAPH * 3 + "And yet.",
        '{"name": "Ann", "title": "Clerk"}, ',
        "0, ",
        " ",
        "\n",
        "海很宽，没有人看过它的全部。",
    ],
)
@pytest.mark.parametrize("piece", [1, 5, 300])
def test_what_repeats_without_end_is_a_loop(unit: str, piece: int) -> None:
    assert fed("It began well enough. " + unit * 2_000, piece).loops


def test_a_loop_is_noticed_after_four_copies_or_a_thousand_characters() -> None:
    assert not fed(PARAGRAPH * 9).loops
    assert fed(PARAGRAPH * 13).loops
    long = "".join(random.Random(1).choices("abcdefg ", k=2_000))
    assert not fed(long * 3).loops
    assert fed(long * 4 + long[:300]).loops


@pytest.mark.parametrize(
    "text",
    [
        "I will not talk in class.\n" * 30,
        "".join(f"{number}. I will not talk in class.\n" for number in range(500)),
        "".join(f'{{"name": "Person {number}", "title": "Clerk"}}, ' for number in range(500)),
        PARAGRAPH + "Something else. " + PARAGRAPH,
        "| a | b |\n| --- | --- |\n" + "".join(f"| {number} | 0 |\n" for number in range(300)),
    ],
)
def test_lists_and_lines_that_were_wanted_are_none(text: str) -> None:
    assert not fed(text).loops


def test_an_answer_that_loops_ends_as_one_that_was_too_long() -> None:
    answer = Answer(GenerationRequest(messages=[{"role": "user", "content": "Tell me of the sea."}]))
    pieces = 0
    while not answer.stutters:
        answer.read([{"choices": [{"index": 0, "delta": {"content": PARAGRAPH}, "finish_reason": None}]}])
        pieces += 1
        assert pieces < 40
    assert answer.close().finish == "length"
