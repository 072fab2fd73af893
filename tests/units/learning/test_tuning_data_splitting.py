"""Parts that are held out have all labels in their shares, and nothing that training has too."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from zhuli.learning.training.data.duplicates import NearTexts, key
from zhuli.learning.training.data.splitting import split

SHARES = {"validation": 0.1, "test": 0.2}

examples = st.lists(
    st.tuples(
        st.sampled_from("abcdefghijklmnop"), st.sampled_from(["", "", "x", "y", "z"]), st.sets(st.sampled_from("PQRS"))
    ),
    max_size=60,
)


@given(examples, st.integers(0, 5))
@settings(max_examples=100, deadline=None)
def test_texts_groups_and_labels_are_never_torn_apart(drawn: list[tuple[str, str, set[str]]], seed: int) -> None:
    texts, groups, labels = ([one[part] for one in drawn] for part in range(3))
    parts = split(texts, groups, [sorted(one) for one in labels], shares=SHARES, seed=seed)
    assert sorted(index for indexes in parts.values() for index in indexes) == list(range(len(drawn)))
    for marks in (texts, groups):
        sides = {(marks[index], part) for part, indexes in parts.items() for index in indexes if marks[index]}
        assert len(sides) == len({mark for mark, _ in sides})
    known = {label for index in parts["train"] for label in labels[index]}
    assert known == {label for one in labels for label in one}


def test_each_label_has_its_share_in_each_part() -> None:
    labels = [["often"]] * 700 + [["seldom"]] * 200 + [["rare"]] * 100
    texts = [f"text {number}" for number in range(1000)]
    parts = split(texts, [""] * 1000, labels, shares=SHARES, seed=3)
    counts = {part: Counter(labels[index][0] for index in indexes) for part, indexes in parts.items()}
    assert counts == {
        "train": {"often": 490, "seldom": 140, "rare": 70},
        "validation": {"often": 70, "seldom": 20, "rare": 10},
        "test": {"often": 140, "seldom": 40, "rare": 20},
    }


def test_many_small_labels_have_their_shares_together() -> None:
    labels = [[f"label {number // 4}"] for number in range(400)]
    parts = split([str(number) for number in range(400)], [""] * 400, labels, shares=SHARES, seed=0)
    assert [len(parts[part]) for part in ("train", "validation", "test")] == [280, 40, 80]


def test_the_same_seed_gives_the_same_parts_and_another_one_others() -> None:
    texts = [str(number) for number in range(100)]
    parts = [split(texts, [""] * 100, [[]] * 100, shares=SHARES, seed=seed) for seed in (1, 1, 2)]
    assert parts[0] == parts[1] != parts[2]


def test_texts_that_differ_in_case_width_and_space_only_are_the_same() -> None:
    assert key(" Ｈello  World\n") == key("hello world") != key("hello, world")


def test_a_text_that_differs_in_a_word_is_nearly_the_same() -> None:
    texts = [f"completely other words stand in sentence number {number}, as everybody sees" for number in range(50)]
    known = NearTexts(
        [
            *texts,
            "I would like to know when my new card will arrive, please",
            "请问我的订单什么时候能送到我家里来呢谢谢",
        ]
    )
    assert known.near("I would like to know when my new card will arrive please!") == 50
    assert known.near("请问我的订单什么时候能送到我家里来呢谢谢！") == 51
    assert known.near("When does the card arrive?") is None
    assert known.near("") is None
