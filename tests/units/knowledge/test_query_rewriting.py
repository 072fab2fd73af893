"""Queries written by a model, and the user's words where it can't."""

import json

import pytest

from zhuli.knowledge.retrieval.searching import query_rewriting
from zhuli.knowledge.retrieval.searching.query_rewriting import rewrite
from zhuli.plugins.backends.scripted import Plugin

WORDS = "And how long does that take?"


def model(*reply: dict[str, object]) -> Plugin:
    return Plugin("model", {"script": {"rules": [], "default": list(reply)}})


def says(value: object) -> Plugin:
    return model({"text": json.dumps(value)})


async def test_the_model_writes_one_to_three_queries() -> None:
    assert await rewrite(says({"queries": ["refund duration"]}), WORDS) == ["refund duration"]
    assert await rewrite(says({"queries": ["a", "b", "a", "c", "d"]}), WORDS) == ["a", "b", "c"]


@pytest.mark.parametrize("value", [{}, [], {"queries": []}, {"queries": [" ", 3]}, {"queries": "refund"}, 1])
async def test_an_answer_of_another_form_leaves_the_users_words(value: object) -> None:
    assert await rewrite(says(value), WORDS) == [WORDS]


async def test_an_answer_that_is_no_json_leaves_the_users_words() -> None:
    assert await rewrite(model({"text": "Sure! Here are"}), WORDS) == [WORDS]


@pytest.mark.parametrize("fault", ["refuse", "rate_limit", "server_error", "cut"])
async def test_a_model_that_fails_leaves_the_users_words(fault: str) -> None:
    assert await rewrite(model({"fault": fault}), WORDS) == [WORDS]


async def test_a_model_that_takes_too_long_leaves_the_users_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_rewriting, "MOST_SECONDS", 0.05)
    assert await rewrite(model({"fault": "stall"}), WORDS) == [WORDS]
