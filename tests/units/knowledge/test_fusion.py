"""Words, fusion and reranking: pure parts of search."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhuli.knowledge.retrieval.indexing.segmentation import words
from zhuli.knowledge.retrieval.searching.fusion import Candidate, fuse
from zhuli.knowledge.retrieval.searching.ranking import MOST_PHRASES, Asked, Features, features, relevance
from zhuli.types.knowledge.vectors import Hit


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Running runners RUN", {"run", "runner"}),
        ("清华大学的计算机", {"清华大学", "大学", "计算机"}),
        ("ＡＢＣ１２３", {"abc123"}),
        ("Error E-1042 in foo_bar", {"error", "e-1042", "1042", "foo_bar", "foo", "bar"}),
        ("getUserName", {"get", "user", "name"}),
        ("naïve Größe", {"naiv", "gross"}),
        ("用iPhone拍照", {"拍照", "phone"}),
        ("", set()),
        (" \n\u3000", set()),
    ],
)
def test_text_is_cut_into_words(text: str, expected: set[str]) -> None:
    assert expected <= set(words(text))


@given(st.text(max_size=200))
def test_any_text_can_be_cut_into_words_without_white_space(text: str) -> None:
    assert all(word and not word[0].isspace() and not word[-1].isspace() for word in words(text))


def test_what_both_searches_find_comes_before_what_one_finds() -> None:
    near, said = [Hit(1, 0.9), Hit(2, 0.9)], [Hit(2, 8.0), Hit(3, 8.0)]
    order = [candidate.chunk for candidate in fuse(near, said, background=0.5, ceiling=20.0)]
    assert order[0] == 2 and set(order) == {1, 2, 3}


def test_scores_do_not_depend_on_what_else_was_found() -> None:
    alone = fuse([Hit(1, 0.8)], [Hit(1, 3.0)], background=0.5, ceiling=20.0)
    among = fuse([Hit(2, 0.9), Hit(1, 0.8)], [Hit(3, 9.0), Hit(1, 3.0)], background=0.5, ceiling=20.0)
    assert alone[0] in among


def test_with_one_search_alone_its_order_stays() -> None:
    hits = [Hit(7, 0.9), Hit(5, 0.8), Hit(6, 0.7)]
    assert [candidate.chunk for candidate in fuse(hits, [], background=0.5, ceiling=0.0)] == [7, 5, 6]
    assert [candidate.chunk for candidate in fuse([], hits, background=0.5, ceiling=2.0)] == [7, 5, 6]


@given(
    st.lists(st.tuples(st.integers(0, 20), st.floats(-1, 1)), max_size=20),
    st.lists(st.tuples(st.integers(0, 20), st.floats(0, 50)), max_size=20),
    st.floats(0, 0.95),
    st.floats(0, 60),
)
def test_fused_scores_are_between_0_and_1_and_fall(
    near: list[tuple[int, float]], said: list[tuple[int, float]], background: float, ceiling: float
) -> None:
    found = fuse([Hit(*hit) for hit in near], [Hit(*hit) for hit in said], background=background, ceiling=ceiling)
    scores = [candidate.fused for candidate in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert {candidate.chunk for candidate in found} == {chunk for chunk, _ in [*near, *said]}


def seen(query: str, text: str, section: str = "") -> Features:
    idf = dict.fromkeys(words(query), 1.0)
    return features(Asked.of(query, idf), Candidate(1, 0.5, 0.5, 0.5), text, section)


def test_a_passage_with_the_words_and_phrases_of_the_query_is_more_relevant() -> None:
    query = "refund policy for goods"
    good, bad = seen(query, "Our Refund  policies: goods come back."), seen(query, "Nothing of the kind.")
    assert good.coverage > bad.coverage and relevance(good) > relevance(bad)
    assert seen(query, "The refund\npolicy is long.").phrases > seen(query, "The policy of refund.").phrases


def test_phrases_are_seen_in_chinese_too() -> None:
    assert seen("退款政策", "本店退款政策如下").phrases == 1
    assert seen("退款政策", "款退策政").phrases == 0


def test_of_a_long_query_the_first_phrases_count() -> None:
    said = [f"w{number}" for number in range(2 * MOST_PHRASES)]
    query, last = " ".join(said), " ".join(said[MOST_PHRASES - 1 : MOST_PHRASES + 1])
    assert seen(query, last).phrases == 1 / MOST_PHRASES
    assert seen(query, " ".join(said[MOST_PHRASES:])).phrases == 0


def test_headings_are_seen() -> None:
    assert seen("printer error", "Open the door.", "Printer › Errors").heading > 0
    assert seen("printer error", "Open the door.").heading == 0


def test_without_words_in_the_query_relevance_is_the_vectors_alone() -> None:
    nothing = Asked.of("…", {})
    close, far = Candidate(1, 0.5, 0.9, 0.0), Candidate(2, 0.5, 0.1, 0.0)
    assert relevance(features(nothing, close, "text", "")) > relevance(features(nothing, far, "text", ""))
