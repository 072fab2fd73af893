"""Wrong labels are found, suggestions are unsure, new and unlike each other, and votes count by how right voters are."""

import pytest

from tests.harness.later import later

with later:
    import numpy as np

    from zhuli.learning.datasets.noise import doubts, out_of_sample
    from zhuli.learning.datasets.suggesting import suggest
    from zhuli.learning.datasets.weak import ABSTAINS, combine, rule_votes


def blobs(seed: int, centres: int, each: int, spread: float = 0.35) -> tuple["np.ndarray", list[str]]:
    """Unit vectors around some centres, and which centre each is of."""
    order = np.random.default_rng(seed)
    middle = np.eye(16)[:centres]
    rows = np.repeat(middle, each, axis=0) + spread * order.normal(size=(centres * each, 16)) / 4
    labels = [f"c{number}" for number in range(centres) for _ in range(each)]
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), labels


def test_labels_that_were_flipped_are_found_and_few_others() -> None:
    vectors, labels = blobs(0, 5, 60)
    order = np.random.default_rng(1)
    flipped = set(order.choice(len(labels), 15, replace=False).tolist())
    given = [f"c{(int(label[1:]) + 1) % 5}" if row in flipped else label for row, label in enumerate(labels)]
    probabilities, classes = out_of_sample(vectors, given, folds=5)
    found = doubts(probabilities, given, classes)
    assert len(flipped & {doubt.row for doubt in found}) >= 14
    assert len({doubt.row for doubt in found} - flipped) <= 5
    best = found[0]
    assert best.suggested == labels[best.row]


def test_a_threshold_is_the_mean_probability_of_a_label_as_northcutt_has_it() -> None:
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.35, 0.65], [0.2, 0.8]])
    found = doubts(probabilities, ["a", "b", "b", "b"], ["a", "b"])
    assert found == []  # 0.6 of a is below 0.9, the mean of those that are called a
    found = doubts(np.array([[0.9, 0.1], [0.95, 0.05], [0.35, 0.65]]), ["a", "b", "b"], ["a", "b"])
    assert [(doubt.row, doubt.suggested) for doubt in found] == [(1, "a")]


def test_suggestions_come_from_what_is_unknown_and_are_not_alike() -> None:
    vectors, labels = blobs(0, 6, 50)
    known = [row for row, label in enumerate(labels) if label in ("c0", "c1")][::2]
    left = [row for row in range(len(labels)) if row not in set(known)]
    chosen = suggest(vectors[known], [labels[row] for row in known], vectors[left], most=12)
    of = [labels[left[one.row]] for one in chosen]
    assert len(chosen) == 12 and len({one.row for one in chosen}) == 12
    assert {"c2", "c3", "c4", "c5"} <= set(of)
    assert sum(label in ("c0", "c1") for label in of) <= 2
    assert all(one.guess in ("c0", "c1") for one in chosen)


def test_without_labels_a_batch_covers_everything() -> None:
    vectors, labels = blobs(2, 6, 50)
    chosen = suggest(vectors[:0], [], vectors, most=6)
    assert {labels[one.row] for one in chosen} == {f"c{number}" for number in range(6)}
    assert suggest(vectors[:0], [], vectors[:0], most=6) == []


def test_votes_count_by_how_right_their_voters_are_found_to_be() -> None:
    order = np.random.default_rng(0)
    truth = order.integers(0, 3, 600)
    votes = np.full((600, 6), ABSTAINS)
    for voter, accuracy in enumerate((0.9, 0.9, 0.85, 0.4, 0.4, 0.4)):
        right = order.random(600) < accuracy
        wrong = (truth + order.integers(1, 3, 600)) % 3
        said = np.where(right, truth, wrong)
        votes[:, voter] = np.where(order.random(600) < 0.8, said, ABSTAINS)
    combined = combine(votes, 3)
    assert combined.accuracies[:3].min() > 0.8
    assert combined.accuracies[3:].max() < 0.55
    voted = (votes != ABSTAINS).any(axis=1)
    most = np.array([np.bincount(row[row != ABSTAINS], minlength=3).argmax() for row in votes])
    ours = (combined.probabilities.argmax(axis=1) == truth)[voted].mean()
    assert ours > (most == truth)[voted].mean() + 0.03
    assert not combined.probabilities[~voted].any()


@pytest.mark.parametrize(
    ("rule", "hits"),
    [
        ({"keywords": ["card", "丢"], "label": "x"}, [True, False, True, False]),
        ({"pattern": "(?i)^CARDS", "label": "x"}, [False, True, False, False]),
        ({"pattern": "(a+)+$", "label": "x"}, [False, False, False, False]),
    ],
)
def test_a_rule_finds_its_words_and_no_expression_takes_for_ever(rule: dict[str, object], hits: list[bool]) -> None:
    texts = ["My Card is here", "cardS are nice", "我的卡丢了", "a" * 5_000 + "!"]
    assert rule_votes(texts, rule) == hits
