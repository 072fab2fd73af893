"""The recommender's arithmetic: explanations are what moves a score most, features have one truth, lists keep to their rules."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from zhuli.applications.recommender.crediting import sign_test
from zhuli.applications.recommender.live import Live
from zhuli.applications.recommender.method import fitting, impressions, lists, model, ranking, scoring
from zhuli.applications.recommender.method.interest import unit
from zhuli.applications.recommender.method.items import Items
from zhuli.applications.recommender.method.scoring import History
from zhuli.applications.recommender.recommending import recommend, scores
from zhuli.types.applications.recommender import RecommendationsCreate, Way

TOPICS, EACH = 5, 12
ITEMS = TOPICS * EACH


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Live:
    """Sixty items of five topics, and a hundred users who mostly keep to one."""
    rng = np.random.default_rng(0)
    topics = np.arange(ITEMS) % TOPICS
    texts = unit(np.eye(16, dtype=np.float32)[topics] + 0.3 * rng.standard_normal((ITEMS, 16)).astype(np.float32))
    nothing = np.full(ITEMS, np.nan, np.float32)
    items = Items(texts, np.eye(TOPICS, dtype=np.float32)[topics], nothing, nothing)
    users, rows = [], []
    for user in range(100):
        own = rng.permutation(EACH)[:8] * TOPICS + user % TOPICS
        other = rng.integers(0, ITEMS, 2)
        users += [user] * 10
        rows += rng.permutation(np.concatenate([own, other])).tolist()
    count = len(users)
    events = fitting.Events(
        np.array(users), np.array(rows), np.ones(count, np.float32), np.arange(count, dtype=np.float64)
    )
    options = fitting.Options(epochs=1, rounds=20)
    made, tower = fitting.parts(events, items, options)
    folder = tmp_path_factory.mktemp("model")
    model.save(folder, made, tower, model.About([f"i{row}" for row in range(ITEMS)], list("abcde"), 0))
    learned = fitting.ranker(events, items, options)
    assert learned.booster is not None and learned.report["ndcg_ranked"] is not None
    ranking.save(learned.booster, folder / model.RANKER)
    return Live.open(folder, 16)


@pytest.mark.parametrize("way", ["ranked", "item_to_item", "interest"])
def test_what_explains_a_place_is_the_item_without_which_its_score_falls_most(live: Live, way: Way) -> None:
    history = History(np.array([0, 5, 11, 2, 6]), np.array([1.0, 0.5, 1.0, 0.3, 1.0], np.float32))
    asked = RecommendationsCreate(user="u", limit=5, way=way, explain=True)
    made = recommend(live, history, history.rows, asked, seed=1)
    assert len(made.placed) == 5 and made.reasons
    for one in made.placed:
        at = np.array([one.row])
        whole = scores(live, scoring.features(live.parts(), history, at), way)[0]
        falls = {
            int(row): whole - scores(live, scoring.features(live.parts(), history.without(row), at), way)[0]
            for row in history.rows
        }
        most = max(falls.values())
        if one.row in made.reasons:
            reason = made.reasons[one.row]
            assert reason.change == pytest.approx(most, abs=1e-4) and falls[reason.row] == pytest.approx(most, abs=1e-4)
        else:
            assert most <= 1e-4


def test_signals_that_find_candidates_are_the_features_that_rank_them(live: Live) -> None:
    history = History(np.array([3, 8, 20]), np.array([1.0, 0.3, 1.0], np.float32))
    found = scoring.signals(live.parts(), history)
    rows = np.arange(ITEMS)
    table = scoring.features(live.parts(), history, rows)
    for name in found.keys() & set(scoring.FEATURES):
        assert table[:, scoring.FEATURES.index(name)] == pytest.approx(found[name], abs=1e-4), name


def test_places_drawn_by_lot_have_the_propensities_that_are_logged() -> None:
    rng = np.random.default_rng(0)
    first = Counter(lists.drawn(range(5), most=1, share=0.4, rng=rng)[0] for _ in range(20_000))
    assert sorted({round(likely, 6) for _, likely in first}) == [0.08, 0.68]
    for (_, likely), times in first.items():
        assert times / 20_000 == pytest.approx(likely, abs=0.01)
    assert lists.drawn(range(5), most=3, share=0.0, rng=rng) == [(0, 1.0), (1, 1.0), (2, 1.0)]


def logged(rng: np.random.Generator, count: int, eta: float) -> list[impressions.Shown]:
    """Lists of ten of thirty items, lowest rows first, a third of the places by lot. The higher a row, the better it is.

    Who looks at an item takes it with 0.1 to 0.5; place k is looked at with k ** -eta.
    """
    found = []
    for user in range(count):
        drawn = lists.drawn(range(30), most=10, share=0.33, rng=rng)
        rows, likely = np.array([row for row, _ in drawn]), np.array([likely for _, likely in drawn], np.float32)
        looked = rng.random(10) < np.arange(1, 11) ** -eta
        taken = looked & (rng.random(10) < 0.1 + 0.4 * rows / 29)
        found.append(impressions.Shown(user, float(user), rows, np.arange(10), likely, taken.astype(np.int64)))
    return found


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_how_places_are_looked_at_is_found_by_the_places_drawn_by_lot(eta: float) -> None:
    found = impressions.position_bias(logged(np.random.default_rng(1), 6_000, eta))
    assert found == pytest.approx(eta, abs=0.15)
    assert impressions.position_bias(logged(np.random.default_rng(1), 20, eta)) is None


def test_trees_that_learn_of_weighed_clicks_do_not_take_standing_high_for_being_good() -> None:
    log = logged(np.random.default_rng(2), 4_000, 1.0)
    eta = impressions.position_bias(log)
    assert eta is not None

    def table(rows: Any) -> Any:
        found = np.zeros((len(rows), len(scoring.FEATURES)), np.float32)
        found[:, 0] = rows
        return found

    def order(bias: float) -> float:
        """How the scores of the ten items that mostly stand high go with how good they are: Spearman's correlation."""
        groups = [
            ranking.Group(one.user, table(one.rows), taken, weight)
            for one in log
            for taken, weight in impressions.clicks(one, bias)
        ]
        scores = np.asarray(ranking.learn(groups, rounds=60, seed=0).predict(table(np.arange(10))))
        return float(spearmanr(scores, np.arange(10)).statistic)

    assert order(0.0) < 0, "as if nothing were known of places: the first is the best"
    assert order(eta) > 0.7


def test_a_team_draft_gives_both_ways_the_same_number_of_picks() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        drafted = lists.interleaved([1, 2, 3, 4, 5, 6], [4, 3, 7, 8, 9, 1], most=6, rng=rng)
        assert len({row for row, _ in drafted}) == 6
        assert Counter(team for _, team in drafted) == {"a": 3, "b": 3}


def compared(rng: np.random.Generator, a: list[int], b: list[int], good: set[int], *, most: int) -> tuple[int, int]:
    """Of two thousand lists of two ways how many each won, of users who look at place k with 1 / k and then take what is good."""
    won = Counter[str]()
    for _ in range(2_000):
        drafted = lists.interleaved(a, b, most=most, rng=rng)
        taken = Counter(
            team
            for place, (row, team) in enumerate(drafted, 1)
            if rng.random() < 1 / place and rng.random() < (0.6 if row in good else 0.1)
        )
        if taken["a"] != taken["b"]:
            won["a" if taken["a"] > taken["b"] else "b"] += 1
    return won["a"], won["b"]


@pytest.mark.parametrize("most", [5, 6])
def test_interleaving_is_fair_to_two_ways_that_are_as_good_and_finds_the_better_one(most: int) -> None:
    rng, rows = np.random.default_rng(3), list(range(10))
    good = {0, 3, 4, 8}
    for other in (rows, [4, 8, 3, 0, 7, 6, 5, 2, 1, 9]):  # the same list; and others, of which what is good is as high
        mirrored = [9 - row for row in other]
        a, b = compared(rng, other, mirrored, {*good, *(9 - row for row in good)}, most=most)
        assert sign_test(a, b) > 0.01, (a, b)
    a, b = compared(rng, [0, 3, 4, 8, 1, 2, 5, 6, 7, 9], rows[::-1], good, most=most)
    assert a > b and sign_test(a, b) < 1e-6


def test_diversity_takes_what_is_unlike_the_rest() -> None:
    vectors = unit(np.array([[1, 0], [1, 0.01], [1, 0.02], [0, 1]], np.float32))
    ordered = np.array([1.0, 0.9, 0.8, 0.5], np.float32)
    assert lists.diverse(ordered, vectors, most=2, share=0.0).tolist() == [0, 1]
    assert lists.diverse(ordered, vectors, most=2, share=0.7).tolist() == [0, 3]


def test_a_model_without_its_folder_serves_texts_alone(tmp_path: Path) -> None:
    assert not Live.open(tmp_path / "none", 16).trained


def test_the_sign_test_is_exact() -> None:
    assert sign_test(0, 0) == 1.0 and sign_test(5, 5) == 1.0
    assert sign_test(4, 0) == 0.125 and sign_test(9, 1) == pytest.approx(22 / 1024)
