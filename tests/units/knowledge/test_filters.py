"""Filters over the attributes of files."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from zhuli.core.errors import InvalidRequest
from zhuli.knowledge.retrieval.searching.filters import MOST_COMPARISONS, MOST_NESTED, predicate
from zhuli.types.knowledge.vector_store import Filter

READ: TypeAdapter[Filter] = TypeAdapter(Filter)


def passes(given: dict[str, Any], attributes: dict[str, Any]) -> bool:
    return predicate(READ.validate_python(given))(attributes)


def compare(kind: str, value: Any, having: Any, key: str = "key") -> bool:
    return passes({"type": kind, "key": key, "value": value}, {"key": having})


@pytest.mark.parametrize(
    ("kind", "value", "having", "expected"),
    [
        ("eq", "a", "a", True),
        ("eq", "a", "A", False),
        ("eq", 1, 1.0, True),
        ("eq", 1, True, False),
        ("eq", True, True, True),
        ("eq", "1", 1, False),
        ("ne", "1", 1, True),
        ("ne", 2, 2.0, False),
        ("gt", 5, 6, True),
        ("gt", 5, 5, False),
        ("gte", 5, 5, True),
        ("lt", 5, 4.5, True),
        ("lte", 5, 5.5, False),
        ("gt", 5, "6", False),
        ("lt", 5, "4", False),
        ("gt", 0, True, False),
        ("gte", "2024-01-01", "2024-06-30", True),
        ("lt", "2024-01-01", "2024-06-30", False),
        ("in", ["a", 2], 2.0, True),
        ("in", ["a", 2], "2", False),
        ("in", [1], True, False),
        ("nin", ["a", 2], "b", True),
        ("nin", ["a", 2], "a", False),
        ("in", [], "a", False),
        ("nin", [], "a", True),
    ],
)
def test_a_comparison_takes_types_seriously(kind: str, value: Any, having: Any, expected: bool) -> None:
    assert compare(kind, value, having) is expected


@pytest.mark.parametrize(
    ("kind", "value"), [("eq", 1), ("gt", 1), ("gte", 1), ("lt", 1), ("lte", 1), ("in", [1]), ("ne", 1), ("nin", [1])]
)
def test_a_file_without_the_key_matches_only_ne_and_nin(kind: str, value: Any) -> None:
    assert compare(kind, value, 1, key="other") is (kind in ("ne", "nin"))


def test_and_wants_all_and_or_wants_one_at_any_depth() -> None:
    german = {"type": "eq", "key": "lang", "value": "de"}
    new = {"type": "gte", "key": "year", "value": 2024}
    draft = {"type": "eq", "key": "draft", "value": True}
    either = {"type": "or", "filters": [draft, {"type": "and", "filters": [german, new]}]}
    assert passes(either, {"draft": True})
    assert passes(either, {"lang": "de", "year": 2025})
    assert not passes(either, {"lang": "de", "year": 2023})


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"type": "in", "key": "k", "value": "a"}, "filters.value"),
        ({"type": "eq", "key": "k", "value": ["a"]}, "filters.value"),
        ({"type": "gt", "key": "k", "value": True}, "filters.value"),
        ({"type": "and", "filters": []}, "filters.filters"),
        (
            {
                "type": "or",
                "filters": [{"type": "eq", "key": "k", "value": 1}, {"type": "nin", "key": "k", "value": 1}],
            },
            "filters.filters[1].value",
        ),
    ],
)
def test_a_filter_that_means_nothing_is_refused_by_name(given: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        predicate(READ.validate_python(given))
    assert refused.value.param == param


def test_filters_nest_to_a_depth_and_no_further() -> None:
    given: dict[str, Any] = {"type": "eq", "key": "k", "value": 1}
    for _ in range(MOST_NESTED - 1):
        given = {"type": "and", "filters": [given]}
    assert passes(given, {"k": 1})
    with pytest.raises(InvalidRequest, match=str(MOST_NESTED)):
        predicate(READ.validate_python({"type": "and", "filters": [given]}))


def test_a_filter_has_so_many_comparisons_and_no_more() -> None:
    leaf = {"type": "eq", "key": "k", "value": 1}
    assert passes({"type": "or", "filters": [leaf] * MOST_COMPARISONS}, {"k": 1})
    with pytest.raises(InvalidRequest, match=str(MOST_COMPARISONS)):
        predicate(READ.validate_python({"type": "or", "filters": [leaf] * (MOST_COMPARISONS + 1)}))
