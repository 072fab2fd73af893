"""Ids, token estimates, wake-up hints, and the clock that tests own."""

import asyncio
import re
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhuli.core.clock import SystemClock
from zhuli.core.hints import Hints
from zhuli.core.ids import new_id
from zhuli.core.tokens import estimate
from zhuli.testing.clock import ManualClock


class TestIds:
    @pytest.mark.parametrize("prefix", ["asst", "thread", "msg", "run", "step", "call"])
    def test_an_id_is_a_prefix_and_24_letters_or_digits(self, prefix: str) -> None:
        assert re.fullmatch(rf"{prefix}_[a-zA-Z0-9]{{24}}", new_id(prefix))

    @pytest.mark.parametrize("prefix", ["file", "chatcmpl", "sk"])
    def test_some_prefixes_have_a_hyphen(self, prefix: str) -> None:
        assert re.fullmatch(rf"{prefix}-[a-zA-Z0-9]{{24}}", new_id(prefix))

    def test_no_two_are_the_same_and_all_letters_are_used(self) -> None:
        ids = {new_id("run") for _ in range(2000)}
        assert len(ids) == 2000
        assert len(set("".join(one.removeprefix("run_") for one in ids))) == 62


class TestEstimate:
    @pytest.mark.parametrize(
        ("text", "tokens"),
        [("", 0), ("a", 1), ("abc", 1), ("abcd", 2), ("a" * 7, 2), ("a" * 35, 10), ("你好", 2), ("你好 abc", 4)],
    )
    def test_a_wide_letter_is_a_token_and_others_are_two_sevenths(self, text: str, tokens: int) -> None:
        assert estimate(text) == tokens

    @given(st.text(), st.text())
    def test_a_longer_text_has_no_fewer(self, text: str, more: str) -> None:
        assert max(estimate(text), estimate(more)) <= estimate(text + more) <= estimate(text) + estimate(more)


class TestHints:
    def test_everybody_who_listens_hears(self) -> None:
        hints, heard = Hints(), list[object]()
        with hints.call("a", heard.append), hints.call("a", heard.append), hints.call("b", heard.append):
            hints.publish("a", 1)
        assert heard == [1, 1]

    def test_nobody_hears_before_or_after(self) -> None:
        hints, heard = Hints(), list[object]()
        hints.publish("a", 1)
        with hints.call("a", heard.append):
            pass
        hints.publish("a", 2)
        assert heard == []

    def test_who_leaves_while_it_is_told_takes_nobody_elses_turn(self) -> None:
        hints, heard = Hints(), list[str]()
        first, leaving = hints.call("a", lambda _: heard.append("first")), ExitStack()
        with hints.call("a", lambda _: leaving.close()):
            leaving.enter_context(first)
            with hints.call("a", lambda _: heard.append("second")):
                hints.publish("a")
        assert heard == ["first", "second"]

    async def test_a_queue_holds_what_came_in_its_order(self) -> None:
        hints = Hints()
        with hints.listen("a") as queue:
            hints.publish("a", 1)
            hints.publish("a", 2)
            assert [await queue.get(), await queue.get()] == [1, 2]

    async def test_closing_wakes_everybody_who_listens(self) -> None:
        hints = Hints()
        with hints.listen("a") as one, hints.listen("b") as other:
            hints.close()
            assert [await one.get(), await other.get()] == [None, None]
        assert hints.closed


class TestManualClock:
    def test_it_stands_still_until_it_is_moved(self) -> None:
        clock = ManualClock(100)
        assert [clock.now(), clock.now()] == [100, 100]
        clock.move(2.5)
        assert clock.now() == 102.5

    async def test_who_sleeps_wakes_when_that_much_has_passed(self) -> None:
        clock = ManualClock()
        short, long = asyncio.create_task(clock.sleep(5)), asyncio.create_task(clock.sleep(10))
        await asyncio.sleep(0)
        clock.move(4)
        await asyncio.sleep(0)
        assert not short.done()
        clock.move(1)
        await short
        assert not long.done()
        clock.move(100)
        await long

    async def test_sleeping_for_nothing_lets_others_go_first(self) -> None:
        order: list[str] = []
        clock = ManualClock()

        async def other() -> None:
            order.append("other")

        task = asyncio.create_task(other())
        await clock.sleep(0)
        order.append("sleeper")
        await task
        assert order == ["other", "sleeper"]

    async def test_a_sleeper_that_was_cancelled_does_not_mind(self) -> None:
        clock = ManualClock()
        task = asyncio.create_task(clock.sleep(5))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        clock.move(10)
        assert task.cancelled()


async def test_the_real_clock_goes_on_by_itself() -> None:
    clock = SystemClock()
    before = clock.now()
    await clock.sleep(0.01)
    assert clock.now() > before
