"""Reviews come to a state, and reviewers' agreement to Cohen's kappa."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhuli.learning.comparing.agreement import kappa
from zhuli.learning.feedback.agreement import Counting
from zhuli.types.learning.feedback import Correction, Feedback, FeedbackTarget, Review, folded

REVIEWS = st.builds(
    Review,
    id=st.just("rev_1"),
    reviewer=st.sampled_from("abc"),
    state=st.sampled_from(["accepted", "rejected"]),
    final=st.booleans(),
    at=st.just(1),
)


def item(name: str, **words: str) -> Feedback:
    """Feedback of which each reviewer says a label."""
    made = Feedback(id=name, created_at=1, target=FeedbackTarget(type="prediction", id="p"), source="end_user")
    for reviewer, label in words.items():
        correction = Correction(label=label)
        made = made.reviewed(Review(id="r", reviewer=reviewer, state="corrected", correction=correction, at=1))
    return made


def test_kappa_is_cohen_s() -> None:
    """The example of Cohen (1960) in the form that textbooks give: 20 both yes, 5 and 10 mixed, 15 both no."""
    one = ["y"] * 25 + ["n"] * 25
    other = ["y"] * 20 + ["n"] * 5 + ["y"] * 10 + ["n"] * 15
    assert kappa(one, other) == pytest.approx(0.4)
    assert kappa([], []) is None
    assert kappa(["y"], ["y"]) is None, "where both say one word of everything, chance explains all of it"


def test_agreement_is_of_what_two_have_both_reviewed() -> None:
    counting = Counting()
    counting.add(
        [item("1", ann="x", bo="x"), item("2", ann="x", bo="y"), item("3", ann="z"), item("4", ann="y", bo="y")]
    )
    found = counting.agreement()
    assert found.disagreements == 1
    assert [(pair.reviewers, pair.items) for pair in found.data] == [(["ann", "bo"], 3)]
    assert found.data[0].agreement == pytest.approx(2 / 3)
    assert found.data[0].kappa == pytest.approx(kappa(["x", "x", "y"], ["x", "y", "y"]))


@given(st.lists(REVIEWS, max_size=8))
def test_reviewers_disagree_until_one_of_them_says_the_last_word(reviews: list[Review]) -> None:
    state, disagreement = folded(reviews)
    finals = [review for review in reviews if review.final]
    newest = {review.reviewer: review.state for review in reviews}
    assert disagreement == (not finals and len(set(newest.values())) > 1)
    assert state == (finals[-1].state if finals else reviews[-1].state if reviews else "new")
