"""Requests with very many values: they are checked without a call of Python for each, and the first fault ends the looking."""

import sys
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from zhuli.types.knowledge.embedding import EmbeddingRequest
from zhuli.types.models.text_completion import TextRequest

REQUESTS = [(EmbeddingRequest, "input"), (TextRequest, "prompt")]


def calls(of: Callable[[], object]) -> int:
    """How many functions of Python are called."""
    count = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(note)
    try:
        of()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(("kind", "field"), REQUESTS)
def test_tokens_are_not_looked_at_one_by_one(kind: type[BaseModel], field: str) -> None:
    body = {"model": "m", field: [[1000] * 2_000] * 100}
    assert calls(lambda: kind.model_validate(body)) < 1_000


@pytest.mark.parametrize(("kind", "field"), REQUESTS)
def test_tokens_may_be_written_as_decimal_numbers(kind: type[BaseModel], field: str) -> None:
    read = getattr(kind.model_validate({"model": "m", field: [[1.0, 2], [3]]}), field)
    assert read == [[1, 2], [3]] and all(type(token) is int for tokens in read for token in tokens)


@pytest.mark.parametrize(("kind", "field"), REQUESTS)
@pytest.mark.parametrize("wrong", ["x", -1, 1.5, 2**63, None])
def test_very_many_wrong_tokens_are_one_fault(kind: type[BaseModel], field: str, wrong: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        kind.model_validate({"model": "m", field: [[1, *[wrong] * 10_000]]})
    assert refused.value.error_count() == 1
