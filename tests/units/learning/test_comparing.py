"""Comparisons of two models on the same examples: what is chance, what an interval holds, what a gate lets through."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.harness.later import later

with later:
    import numpy as np
    from scipy.stats import binomtest
    from sklearn.metrics import cohen_kappa_score

from zhuli.learning.comparing import chance
from zhuli.learning.comparing.agreement import agreement
from zhuli.learning.comparing.gate import gate
from zhuli.learning.comparing.pairs import Pair, by_slice, compare, compare_pairs
from zhuli.learning.comparing.slicing import slices_of
from zhuli.types.learning.comparison import AuditGap

RIGHTS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=60)
SCORES = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30)


def flipped(number: int, *, gained: int, lost: int, slices: dict[str, str] | None = None) -> list[Pair]:
    """So many pairs, of which some changed sides."""
    changes = [(0, 1)] * gained + [(1, 0)] * lost
    return [Pair(*each, slices or {}) for each in [*changes, *([(1, 1)] * (number - len(changes)))]]


@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar_is_the_exact_binomial_test(gained: int, lost: int) -> None:
    both, falls = chance.mcnemar(gained, lost)
    if not gained + lost:
        assert (both, falls) == (1, 1)
        return
    assert both == pytest.approx(binomtest(gained, gained + lost).pvalue, rel=1e-6, abs=1e-300)
    assert falls == pytest.approx(binomtest(lost, gained + lost, alternative="greater").pvalue, rel=1e-6, abs=1e-300)


def test_mcnemar_takes_a_million_changes() -> None:
    both, falls = chance.mcnemar(500_000, 500_000)
    assert both == 1 and falls == pytest.approx(0.5, abs=0.001)
    assert chance.mcnemar(510_000, 490_000)[0] < 1e-80


@given(RIGHTS | SCORES)
def test_what_is_compared_with_itself_is_no_different(pairs: list[tuple[float, float]]) -> None:
    scores = [each for each, _ in pairs]
    found = compare(scores, scores)
    assert (found.difference, found.interval, found.p, found.worse_p) == (0, (0, 0), 1, 1)
    assert (found.gained, found.lost) == (0, 0)
    assert "chance" in found.sentence.en and "偶然" in found.sentence.zh


@given(RIGHTS | SCORES)
def test_a_comparison_the_other_way_round_says_the_opposite(pairs: list[tuple[float, float]]) -> None:
    before, after = [each for each, _ in pairs], [each for _, each in pairs]
    there, back = compare(before, after), compare(after, before)
    assert there.difference == pytest.approx(-back.difference)
    assert (there.gained, there.lost) == (back.lost, back.gained)
    assert there.p == pytest.approx(back.p, abs=0 if there.test == "mcnemar" else 0.03)
    assert (
        there.interval[0] <= there.difference + 1e-9 and there.difference - 1e-9 <= there.interval[1]
    ) or there.number < 8


def test_without_a_difference_a_small_p_is_as_rare_as_it_says() -> None:
    random = np.random.default_rng(1)
    few = sum(compare(*random.integers(0, 2, size=(2, 60)).tolist()).p <= 0.05 for _ in range(200))
    assert few / 200 <= 0.08
    scores = sum(chance.sign_flips(random.normal(size=40).tolist(), seed=0)[0] <= 0.05 for _ in range(200))
    assert 0.01 <= scores / 200 <= 0.1


def test_the_interval_covers_the_true_difference_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(2)
    covered = 0
    for _ in range(200):
        before = (random.random(200) < 0.7).astype(int)
        after = np.where(random.random(200) < 0.2, (random.random(200) < 0.9).astype(int), before)
        low, high = compare(before.tolist(), after.tolist()).interval
        covered += low <= 0.2 * (0.9 - 0.7) <= high
    assert 0.9 <= covered / 200 <= 0.99


def test_a_real_difference_is_found_and_said_in_both_languages() -> None:
    found = compare_pairs(flipped(500, gained=40, lost=10))
    assert found.p < 0.001 and found.difference == pytest.approx(0.06) and found.interval[0] > 0
    assert found.sentence.en.startswith("92.0 % before, 98.0 % after on 500 examples: +6.0 points (95 % interval ")
    assert "better by more than chance (p = < 0.001)" in found.sentence.en
    assert found.sentence.zh.startswith("500 个样本，之前 92.0 %，之后 98.0 %：+6.0个百分点")


def test_scores_of_different_examples_are_not_compared() -> None:
    with pytest.raises(ValueError, match="not of the same examples"):
        compare([1, 0], [1])
    with pytest.raises(ValueError, match="nothing to compare"):
        compare([], [])


def test_slices_are_compared_each_for_itself() -> None:
    chinese, english = {"language": "zh", "topic": "card"}, {"language": "en"}
    pairs = flipped(30, gained=0, lost=12, slices=chinese) + flipped(50, gained=9, lost=0, slices=english)
    found = {each.name: each for each in by_slice(pairs)}
    assert list(found) == ["language=en", "language=zh", "topic=card"]
    assert (found["language=zh"].number, found["language=zh"].lost) == (30, 12)
    assert [each.name for each in by_slice(pairs, dimensions=["topic"])] == ["topic=card"]


def test_a_text_knows_its_language_and_length() -> None:
    assert slices_of("我想改签明天的机票", topic="travel") == {"language": "zh", "length": "medium", "topic": "travel"}
    assert slices_of("Where is my card?", source=None) == {"language": "en", "length": "short"}
    assert slices_of("word " * 40)["length"] == "long"
    assert slices_of("カードはどこですか")["language"] == "ja"
    assert slices_of("12:30")["language"] == "other"


def test_the_gate_lets_through_what_is_better_and_worse_nowhere() -> None:
    pairs = flipped(400, gained=40, lost=8, slices={"language": "en"})
    verdict = gate(compare_pairs(pairs), by_slice(pairs), {"language": 0.01})
    assert verdict.passed and [reason.code for reason in verdict.reasons] == ["better", "slice"]
    assert verdict.sentence.en == "Passed: all 2 conditions hold."


def test_the_gate_stops_what_is_not_shown_to_be_better() -> None:
    verdict = gate(compare_pairs(flipped(400, gained=9, lost=8)))
    assert not verdict.passed and not verdict.reasons[0].passed
    assert verdict.reasons[0].sentence.en.startswith("It is not shown to be better: ")


def test_the_gate_stops_a_slice_that_falls_by_more_than_its_margin() -> None:
    pairs = flipped(400, gained=60, lost=0, slices={"topic": "a"}) + flipped(
        40, gained=0, lost=16, slices={"topic": "b"}
    )
    comparison, slices = compare_pairs(pairs), by_slice(pairs)
    stopped = gate(comparison, slices, {"topic": 0.05})
    assert [reason.name for reason in stopped.reasons if not reason.passed] == ["topic=b"]
    assert gate(comparison, slices, {"topic": 0.05, "topic=b": 0.5}).passed
    assert "1 of 3 conditions do not hold" in stopped.sentence.en and "3 项条件中有 1 项不满足" in stopped.sentence.zh


def test_slices_that_move_by_chance_stop_nothing() -> None:
    random = np.random.default_rng(3)
    stopped = 0
    for _ in range(10):
        rights = random.random((77, 40)) < 0.9
        again = np.where(random.random((77, 40)) < 0.1, random.random((77, 40)) < 0.9, rights)
        slices = [
            compare(a.tolist(), b.tolist(), name=f"topic={n}")
            for n, (a, b) in enumerate(zip(rights, again, strict=True))
        ]
        verdict = gate(compare_pairs(flipped(400, gained=40, lost=0)), slices, {"topic": 0.0})
        stopped += not verdict.passed
    assert stopped <= 2


def test_the_fixed_set_may_not_fall_at_all_unless_a_margin_says_so() -> None:
    better, fixed = (
        compare_pairs(flipped(400, gained=40, lost=0)),
        compare_pairs(flipped(50, gained=0, lost=1), name="fixed"),
    )
    assert not gate(better, regression=fixed).passed
    assert gate(better, margins={"regression": 0.02}, regression=fixed).passed


def test_an_audit_over_its_bound_stops() -> None:
    better = compare_pairs(flipped(400, gained=40, lost=0))
    within = AuditGap(name="gender", gap=0.01, interval=(0.0, 0.02), most=0.05)
    assert gate(better, audits=[within]).passed
    verdict = gate(better, audits=[within, AuditGap(name="region", gap=-0.09, interval=(-0.12, -0.05), most=0.05)])
    assert [reason.name for reason in verdict.reasons if not reason.passed] == ["region"]


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=2, max_size=40))
def test_kappa_is_cohens(pairs: list[tuple[str, str]]) -> None:
    first, second = [each for each, _ in pairs], [each for _, each in pairs]
    found = agreement(first, second)
    assert found.observed == pytest.approx(sum(one == other for one, other in pairs) / len(pairs))
    if found.kappa is None:
        assert len({*first, *second}) == 1
    else:
        assert found.kappa == pytest.approx(cohen_kappa_score(first, second))
        assert found.interval is not None and not math.isnan(found.interval[0])
    assert sum(map(sum, found.matrix)) == len(pairs)


SPANS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40)


@given(SPANS)
def test_what_is_summed_before_it_is_divided_is_compared_as_a_whole(found: list[tuple[int, int, int]]) -> None:
    pairs = [
        Pair(2.0 * min(old, there), 2.0 * min(new, there), {}, (old + there, new + there)) for there, old, new in found
    ]
    comparison = compare_pairs(pairs)
    for value, parts, wholes in (
        (comparison.before, [pair.before for pair in pairs], [pair.of[0] for pair in pairs]),
        (comparison.after, [pair.after for pair in pairs], [pair.of[1] for pair in pairs]),
    ):
        assert value == pytest.approx(sum(parts) / sum(wholes) if sum(wholes) else 1.0)
    low, high = comparison.interval
    assert 0 < comparison.p <= 1 and low - 1e-9 <= high
    if all(old == new for _, old, new in found):
        assert (comparison.difference, comparison.p, low, high) == (0, 1, 0, 0)


def test_more_entities_found_are_better_by_more_than_chance_and_a_sentence_counts_in_the_slice_of_each_of_its_labels() -> (
    None
):
    slices = {"label": ("LOC", "PER")}
    pairs = [Pair(0.0 if place % 2 else 4.0, 4.0, slices, (3.0 if place % 2 else 4.0, 4.0)) for place in range(40)]
    comparison = compare_pairs(pairs)
    assert comparison.test == "bootstrap" and comparison.after == 1 and comparison.before == pytest.approx(4 / 7)
    assert comparison.p < 0.01 and comparison.worse_p > 0.9 and comparison.gained == 20
    worse = compare_pairs([Pair(pair.after, pair.before, {}, (pair.of[1], pair.of[0])) for pair in pairs])
    assert worse.worse_p < 0.01 and worse.lost == 20
    assert [each.name for each in by_slice(pairs)] == ["label=LOC", "label=PER"]
