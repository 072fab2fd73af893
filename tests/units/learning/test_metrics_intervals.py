"""Intervals around numbers: they hold what they should, are the same for the same seed, and know a difference from chance."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.harness.later import later
from zhuli.learning.metrics import answers, classification, intervals, perplexity
from zhuli.learning.metrics.measured import Measured, Sums, means

with later:
    from zhuli.learning.metrics import entities, generated


def _accuracy(right: int, wrong: int) -> Measured:
    targets = [["a"]] * (right + wrong)
    return classification.scores(targets, [["a"]] * right + [["b"]] * wrong, labels=["a", "b"])


def test_the_interval_of_a_share_is_that_of_the_normal_approximation() -> None:
    low, high = intervals.interval(intervals.resampled(_accuracy(320, 80), seed=1)["accuracy"])
    spread = 1.96 * (0.8 * 0.2 / 400) ** 0.5
    assert low == pytest.approx(0.8 - spread, abs=0.01)
    assert high == pytest.approx(0.8 + spread, abs=0.01)


def test_a_number_drawn_from_sums_is_what_measuring_the_drawn_examples_gives() -> None:
    generator = np.random.default_rng(3)
    targets = [["abc"[number]] for number in generator.integers(0, 3, 30)]
    said = [["abc"[number]] for number in generator.integers(0, 3, 30)]
    measured = classification.scores(targets, said, labels=["a", "b", "c"])
    drawn = generator.integers(0, 30, 30)
    again = classification.scores([targets[at] for at in drawn], [said[at] for at in drawn], labels=["a", "b", "c"])
    counts = np.bincount(drawn, minlength=30)[None].astype(float)
    for part in measured.sums:
        for name, values in part.scores(counts @ part.rows).items():
            assert values[0] == pytest.approx(again[name])


def test_the_same_seed_gives_the_same_interval() -> None:
    one, two, other = (intervals.resampled(_accuracy(30, 20), seed=seed)["accuracy"] for seed in (7, 7, 8))
    assert (one == two).all()
    assert (one != other).any()


def test_a_large_difference_is_sure_and_none_is_even() -> None:
    found = intervals.paired(_accuracy(50, 50), _accuracy(90, 10), seed=0)["accuracy"]
    assert found["probability"] == 1.0
    assert found["difference"][0] > 0.25
    same = intervals.paired(_accuracy(50, 50), _accuracy(50, 50), seed=0)["accuracy"]
    assert (same["probability"], same["difference"]) == (0.5, [0.0, 0.0])


def test_pairs_are_drawn_together() -> None:
    """Were each model drawn for itself, the difference would reach from -0.04 to 0.24."""
    before = Measured([means(accuracy=[0.0] * 50 + [1.0] * 50)])
    after = Measured([means(accuracy=[0.0] * 40 + [1.0] * 60)])
    low, high = intervals.paired(before, after, seed=0)["accuracy"]["difference"]
    assert 0.02 < low < 0.1 < high < 0.18


@pytest.mark.parametrize(
    "measure",
    [
        lambda: entities.scores([["B-PER", "O"], ["O", "B-LOC"]], [["B-PER", "O"], ["O", "O"]]),
        lambda: answers.scores([["Paris"], []], ["Paris", ""]),
        lambda: generated.scores(
            [["good morning to you"], ["hi"]], ["good evening to you", "hi"], language="en", kind="dialogue"
        ),
        lambda: generated.scores([["早上好"], ["是"]], ["早上", "是"], language="zh", kind="summarization"),
        lambda: perplexity.scores([3.0, 1.0], [4, 4], [2, 3]),
        lambda: classification.scores([["a"]], [["a"]], labels=["a"], probabilities=[{"a": 0.9}]),
    ],
)
def test_every_number_at_the_top_has_an_interval(measure: Callable[[], Measured]) -> None:
    measured = measure()
    drawn = intervals.resampled(measured, seed=0)
    numbers = {name for name, value in measured.items() if isinstance(value, int | float)}
    assert numbers == set(drawn)
    for name in numbers:
        assert np.isfinite(intervals.interval(drawn[name])).all()


def test_two_sets_of_numbers_can_be_joined() -> None:
    both = perplexity.scores([1.0], [1]).joined(generated.scores([["hi"]], ["hi"], language="en", kind="dialogue"))
    assert {"perplexity", "rougeL"} <= set(both)
    assert {"perplexity", "rougeL"} <= set(intervals.resampled(both, seed=0))


def test_nothing_measured_has_no_interval() -> None:
    assert intervals.resampled(Measured([Sums(np.zeros((0, 1)), lambda sums: {"sum": sums[:, 0]})]), seed=0) == {}
