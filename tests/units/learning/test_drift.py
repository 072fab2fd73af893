"""Watching traffic: how often quiet traffic alarms, how soon a new group is seen, and what it is called."""

import numpy as np
import pytest

from zhuli.learning.drift import calibration, labels, naming, novelty
from zhuli.learning.drift.permutations import p_values
from zhuli.learning.drift.sample import Sample
from zhuli.learning.drift.windows import Plan, Reference, check

WIDTH, GROUPS, SEASON = 16, 6, 4
PLAN = Plan(window=50, season=SEASON, alpha=0.05)


def _traffic(random: np.random.Generator, number: int, *, new: float = 0.0) -> Sample:
    """Messages around the middles of groups; `new`: the share that is of a group which the reference never has."""
    middles = np.random.default_rng(7).normal(size=(GROUPS + 1, WIDTH)).astype(np.float32)
    codes = np.where(random.random(number) < new, GROUPS, random.integers(0, GROUPS, number))
    vectors = middles[codes] + random.normal(scale=0.5, size=(number, WIDTH)).astype(np.float32)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    said = [f"label {code}" if code < GROUPS else f"label {random.integers(0, 3)}" for code in codes]
    sure = np.clip(random.normal(0.85, 0.1, number) - 0.2 * (codes == GROUPS), 0, 1)
    return Sample(unit.astype(np.float32), said, sure, (sure < 0.5).astype(np.float32))


def _first_alarm(seed: int, *, new: float = 0.0) -> int | None:
    """The number of the window that fires first in a season, None for none."""
    random = np.random.default_rng(seed)
    reference = Reference(_traffic(random, 200))
    seen: list[Sample] = []
    for number in range(SEASON):
        seen.append(_traffic(random, PLAN.window, new=new))
        if check(reference, seen[-4:], number=number, plan=PLAN).fired:
            return number
    return None


def test_quiet_traffic_alarms_no_more_often_than_is_said() -> None:
    alarms = sum(_first_alarm(seed) is not None for seed in range(100))
    assert alarms <= 10  # of 100 seasons at 5 %; more than 10 would come once in a hundred such tests at the very bound


def test_a_new_group_fires_within_four_windows() -> None:
    found = [_first_alarm(seed, new=0.3) for seed in range(10)]
    assert all(number is not None and number < 4 for number in found)


def test_the_same_traffic_is_judged_the_same_again() -> None:
    random = np.random.default_rng(1)
    reference, window = Reference(_traffic(random, 100)), _traffic(random, 50)
    first, again = (check(reference, [window], number=3, plan=PLAN) for _ in range(2))
    assert first == again


def test_without_vectors_labels_and_confidence_are_still_watched() -> None:
    random = np.random.default_rng(2)
    before, window = _traffic(random, 200), _traffic(random, 50, new=1.0)
    blind = [Sample(None, each.labels, each.confidence, each.outside) for each in (before, window)]
    found = check(Reference(blind[0]), blind[1:], number=0, plan=PLAN)
    assert {test.name for test in found.tests} == {"labels", "confidence", "outside"}
    assert found.fired


def test_p_values_of_a_permutation_test_are_no_smaller_than_chance() -> None:
    random = np.random.default_rng(3)
    found = []
    for _ in range(300):
        values = random.integers(0, 3, 40).astype(np.float32)  # with many ties
        statistic = calibration.mean_difference(values, 15)
        found.append(p_values({"it": statistic}, window=15, others=25, most=200)["it"])
    assert np.mean(np.array(found) <= 0.1) <= 0.15
    assert np.mean(np.array(found) <= 0.5) <= 0.58


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_what_is_new_comes_first(share: float) -> None:
    random = np.random.default_rng(4)
    before, lately = _traffic(random, 300), _traffic(random, 300, new=share)
    new = lately.confidence < np.quantile(lately.confidence, share)  # sloppy: a help to see that scores are not of it
    middles = np.random.default_rng(7).normal(size=(GROUPS + 1, WIDTH))
    assert before.vectors is not None and lately.vectors is not None
    truth = (lately.vectors @ middles.T).argmax(axis=1) == GROUPS
    places = novelty.new_ones(lately.vectors, before.vectors)
    first = places[: int(truth.sum())]
    assert truth[first].mean() >= 0.8
    assert not np.array_equal(truth, new)


def test_groups_are_named_by_the_words_that_tell_them_apart() -> None:
    texts = [
        ["my parcel is lost", "where is the parcel", "the parcel never came"],
        ["change my password", "the password is wrong", "a new password please"],
        ["密码忘了", "重置密码", "修改密码"],
    ]
    found = naming.names(texts, others=["where is my card", "the card is wrong"])
    assert [each[0] for each in found] == ["parcel", "password", "密码"]


def test_the_stability_index_is_none_without_a_change_and_large_with_one() -> None:
    before = ["a"] * 500 + ["b"] * 500
    assert labels.stability(before, before) == pytest.approx(0)
    assert labels.stability(before, ["a"] * 90 + ["b"] * 10) > 0.25
    assert labels.shifts(before, ["a"] * 90 + ["b"] * 10)[0].lately in (0.9, 0.1)


def test_a_model_that_is_surer_than_right_is_told_so() -> None:
    sure = np.full(200, 0.9)
    right = (np.arange(200) % 10 < 6).astype(float)
    found = calibration.calibration(sure, right)
    assert found.shift == pytest.approx(-0.3) and found.z < -3 and found.error == pytest.approx(0.3)
    assert abs(calibration.calibration(sure, (np.arange(200) % 10 < 9).astype(float)).z) < 1
