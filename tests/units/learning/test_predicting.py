"""Predictor: requests that wait are batched, take turns, and get an answer or an error whatever happens to the child."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from zhuli.core.errors import BackendError, InvalidRequest, NotFound, Unavailable
from zhuli.learning.predicting.asking import MOST_INPUTS, best, inputs_of
from zhuli.learning.predicting.predictor import Answer, Predictor
from zhuli.learning.predicting.waiting import MOST_INPUTS as BATCH
from zhuli.learning.predicting.waiting import MOST_SLOW_INPUTS
from zhuli.testing.controlled_link import ControlledChildren

TOPICS, INTENTS = Path("topics"), Path("intents")


@pytest.fixture
def children() -> ControlledChildren:
    return ControlledChildren()


@pytest.fixture
async def predictor(children: ControlledChildren) -> AsyncIterator[Predictor]:
    predictor = Predictor(seconds=30, models=4, start=children.start)
    yield predictor
    await predictor.aclose()


def ask(predictor: Predictor, *inputs: str, of: Path = TOPICS, **options: Any) -> "asyncio.Task[list[Answer]]":
    named = {f"input[{index}]": given for index, given in enumerate(inputs)}
    return asyncio.create_task(predictor.predict(of.name, of, named, **options))


async def outputs(task: "asyncio.Task[list[Answer]]") -> list[Any]:
    return [answer.output for answer in await task]


async def test_what_waits_for_one_model_goes_into_one_batch(predictor: Predictor, children: ControlledChildren) -> None:
    first = ask(predictor, "a")
    child = await children.child()
    await child.question()
    others = [ask(predictor, "b", "c"), ask(predictor, "d")]
    await asyncio.sleep(0)
    assert await child.answer() == ["a"]
    assert sorted(await child.answer()) == ["b", "c", "d"]
    assert [await outputs(task) for task in [first, *others]] == [["A"], ["B", "C"], ["D"]]
    assert len(children.links) == 1


async def test_models_take_turns(predictor: Predictor, children: ControlledChildren) -> None:
    long = ask(predictor, *(f"long {number}" for number in range(3 * BATCH)))
    child = await children.child()
    await child.question()
    other = ask(predictor, "other", of=INTENTS)
    await asyncio.sleep(0)
    sizes = [len(await child.answer()) for _ in range(4)]
    assert sizes == [BATCH, 1, BATCH, BATCH]
    assert await outputs(other) == ["OTHER"] and len(await long) == 3 * BATCH


async def test_a_short_request_does_not_wait_for_all_of_a_long_one(
    predictor: Predictor, children: ControlledChildren
) -> None:
    long = ask(predictor, *(f"long {number}" for number in range(3 * BATCH)))
    child = await children.child()
    await child.question()
    short = ask(predictor, "short")
    await asyncio.sleep(0)
    await child.answer()
    assert "short" in await child.answer()
    assert await outputs(short) == ["SHORT"] and not long.done()
    for _ in range(2):
        await child.answer()
    assert len(await long) == 3 * BATCH


@pytest.mark.parametrize("option", ["explain", "slow"])
async def test_what_takes_long_goes_in_small_batches(
    predictor: Predictor, children: ControlledChildren, option: str
) -> None:
    task = ask(predictor, *"abcdef", **{option: True})
    child = await children.child()
    assert len(await child.answer()) == MOST_SLOW_INPUTS
    assert len(await child.answer()) == 6 - MOST_SLOW_INPUTS
    assert await outputs(task) == list("ABCDEF")


async def test_a_refused_input_is_named_and_harms_no_other_request(
    predictor: Predictor, children: ControlledChildren
) -> None:
    good, bad = ask(predictor, "a"), ask(predictor, "b", "c")
    await asyncio.sleep(0)
    child = await children.child()
    answers = {
        "a": {"output": 1, "tokens": 1},
        "b": {"output": 2, "tokens": 1},
        "c": {"refused": "Expected a text."},
    }
    inputs = (await child.question())["inputs"]
    await child.answer({"answers": [answers[given] for given in inputs]})
    assert await outputs(good) == [1]
    with pytest.raises(InvalidRequest, match=r"Invalid 'input\[1\]'.*Expected a text") as refusal:
        await bad
    assert refusal.value.param == "input[1]"


async def test_a_child_that_dies_is_replaced_and_the_request_answered(
    predictor: Predictor, children: ControlledChildren
) -> None:
    task = ask(predictor, "a", "b")
    await (await children.child(1)).die()
    await (await children.child(2)).answer()
    assert await outputs(task) == ["A", "B"]


async def test_a_request_that_kills_two_children_fails_and_takes_no_other_with_it(
    predictor: Predictor, children: ControlledChildren
) -> None:
    deadly, harmless = ask(predictor, "deadly"), ask(predictor, "harmless")
    await asyncio.sleep(0)
    first = await children.child(1)
    assert len((await first.question())["inputs"]) == 2
    await first.die()
    second = await children.child(2)
    assert (await second.question())["inputs"] == ["deadly"]
    await second.die()
    with pytest.raises(Unavailable, match="signal 9"):
        await deadly
    await (await children.child(3)).answer()
    assert await outputs(harmless) == ["HARMLESS"]


async def test_a_child_that_takes_too_long_is_ended(children: ControlledChildren) -> None:
    predictor = Predictor(seconds=0.05, models=4, start=children.start)
    with pytest.raises(Unavailable, match="takes longer than"):
        await ask(predictor, "a")
    again = ask(predictor, "b")
    await (await children.child(2)).answer()
    assert await outputs(again) == ["B"]
    assert not children.links[0].alive
    await predictor.aclose()


async def test_who_has_left_is_not_answered(predictor: Predictor, children: ControlledChildren) -> None:
    first = ask(predictor, "a")
    child = await children.child()
    await child.question()
    left, stays = ask(predictor, "left"), ask(predictor, "stays")
    await asyncio.sleep(0)
    left.cancel()
    await asyncio.wait([left])
    await child.answer()
    assert await child.answer() == ["stays"]
    assert await outputs(first) == ["A"] and await outputs(stays) == ["STAYS"]


async def test_a_model_that_is_gone_is_not_found(predictor: Predictor, children: ControlledChildren) -> None:
    task = ask(predictor, "a")
    await (await children.child()).answer({"gone": True})
    with pytest.raises(NotFound):
        await task


async def test_a_model_that_fails_says_why_and_others_go_on(predictor: Predictor, children: ControlledChildren) -> None:
    task, other = ask(predictor, "a"), ask(predictor, "b", of=INTENTS)
    child = await children.child()
    await child.answer({"failed": "Its weights are broken."})
    with pytest.raises(BackendError, match="weights are broken"):
        await task
    await child.answer()
    assert await outputs(other) == ["B"]


async def test_stopping_ends_what_waits(predictor: Predictor, children: ControlledChildren) -> None:
    asked, waiting = ask(predictor, "a"), ask(predictor, "b", of=INTENTS)
    await (await children.child()).question()
    await predictor.aclose()
    for task in (asked, waiting):
        with pytest.raises(Unavailable, match="stopping"):
            await task
    assert not children.links[0].alive


def test_inputs_are_named_as_the_client_gave_them() -> None:
    assert inputs_of("one") == {"input": "one"}
    assert inputs_of({"question": "?", "context": "!"}) == {"input": {"question": "?", "context": "!"}}
    assert inputs_of(["one", "two"]) == {"input[0]": "one", "input[1]": "two"}


@pytest.mark.parametrize("given", [[], ["x"] * (MOST_INPUTS + 1)])
def test_a_list_has_some_inputs_and_not_too_many(given: list[str]) -> None:
    with pytest.raises(InvalidRequest, match=f"1 to {MOST_INPUTS}"):
        inputs_of(given)


def test_top_k_keeps_the_best_labels() -> None:
    labels = [{"label": "a", "score": 0.7}, {"label": "b", "score": 0.2}, {"label": "c", "score": 0.1}]
    assert best(labels, 2) == labels[:2]
    assert best(labels, None) == labels


async def test_who_leaves_is_not_answered_beyond_the_batch_that_the_child_has(
    predictor: Predictor, children: ControlledChildren
) -> None:
    long = ask(predictor, *(f"long {number}" for number in range(3 * BATCH)))
    child = await children.child()
    await child.question()
    other = ask(predictor, "other", of=INTENTS)
    await asyncio.sleep(0)
    long.cancel()
    with pytest.raises(asyncio.CancelledError):
        await long
    assert [len(await child.answer()) for _ in range(2)] == [BATCH, 1]
    assert await outputs(other) == ["OTHER"]
