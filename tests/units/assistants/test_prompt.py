"""Which part of a thread a turn reads: what fits, cut at stable points, calls never without their outputs."""

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from zhuli.assistants.runs.history import Item
from zhuli.assistants.runs.prompt import Budget, build, fixed_tokens, select_items
from zhuli.core.tokens import MESSAGE_OVERHEAD
from zhuli.types.assistants.run import Run
from zhuli.types.assistants.tools import FunctionTool, NamedToolChoice, TruncationStrategy
from zhuli.types.models.generation import GenerationRequest

WEATHER = FunctionTool.model_validate({"type": "function", "function": {"name": "weather"}})


def user(tokens: int, text: str = "?") -> Item:
    return Item([{"role": "user", "content": text}], tokens, True, None)


def answer(tokens: int) -> Item:
    return Item([{"role": "assistant", "content": "!"}], tokens, True, "run_1")


def calls(tokens: int, number: int = 0) -> Item:
    """A round of tool calls: one item, so that nothing comes between call and output."""
    asked = {"id": f"call_{number}", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    output = {"role": "tool", "tool_call_id": f"call_{number}", "content": "sunny"}
    return Item([{"role": "assistant", "content": None, "tool_calls": [asked]}, output], tokens, False, "run_1")


def a_run(**fields: Any) -> Run:
    return Run(id="run_1", created_at=0, thread_id="thread_1", assistant_id="asst_1", model="m", **fields)


def tokens_of(items: Sequence[Item]) -> int:
    return sum(item.tokens for item in items)


exchanges = st.lists(
    st.builds(
        lambda asks, rounds, answers: [user(asks), *(calls(n) for n in rounds), answer(answers)],
        st.integers(1, 60),
        st.lists(st.integers(1, 30), max_size=2),
        st.integers(1, 60),
    ),
    min_size=1,
    max_size=40,
)


def prompts_of(thread: Sequence[Sequence[Item]], *, window: int, block: int) -> list[tuple[int, list[Item]]]:
    """Each turn of a thread: how many tokens it has by then, and what of it is read."""
    items: list[Item] = []
    turns: list[tuple[int, list[Item]]] = []
    for exchange in thread:
        for item in exchange[:-1]:
            items.append(item)
            kept = select_items(items, window=window, block=block, newest=None)
            turns.append((tokens_of(items), kept))
        items.append(exchange[-1])
    return turns


class TestTheCut:
    def test_what_fits_is_read_whole(self) -> None:
        items = [user(10), answer(10), user(10)]
        assert select_items(items, window=30, block=15, newest=None) == items

    def test_nothing_is_made_of_nothing(self) -> None:
        assert select_items([], window=30, block=15, newest=None) == []

    def test_the_middle_falls_out_and_the_first_message_stays(self) -> None:
        items = [user(5), *(item for _ in range(10) for item in (answer(20), user(20)))]
        kept = select_items(items, window=200, block=100, newest=None)
        assert kept[0] is items[0]
        assert kept[1:] == items[-len(kept) + 1 :]

    def test_a_long_first_message_does_not_stay(self) -> None:
        items = [user(100), *(item for _ in range(10) for item in (answer(20), user(20)))]
        kept = select_items(items, window=200, block=100, newest=None)
        assert items[0] not in kept

    def test_the_newest_exchange_is_read_even_if_it_is_larger_than_the_window(self) -> None:
        newest = [user(500), calls(300)]
        kept = select_items([user(90), answer(90), *newest], window=100, block=50, newest=None)
        assert kept == newest

    @given(exchanges, st.integers(400, 1500))
    def test_no_prompt_is_larger_than_the_window(self, thread: list[list[Item]], window: int) -> None:
        """An exchange has at most 180 tokens here, so that the newest always fits."""
        for _, kept in prompts_of(thread, window=window, block=window // 2):
            assert tokens_of(kept) <= window

    @given(exchanges, st.integers(400, 1500))
    def test_each_prompt_begins_with_the_one_before_while_no_block_falls_out(
        self, thread: list[list[Item]], window: int
    ) -> None:
        turns = prompts_of(thread, window=window, block=window // 2)
        for (_, before), (_, kept) in itertools.pairwise(turns):
            fell_out = [item for item in before if not any(item is one for one in kept)]
            if not fell_out:
                assert kept[: len(before)] == before

    @given(exchanges, st.integers(600, 1500))
    def test_what_falls_out_is_about_half_a_window_at_once(self, thread: list[list[Item]], window: int) -> None:
        """So between two cuts the thread grows by a block, less what an exchange is off the mark."""
        block, off = window // 2, 180
        turns = prompts_of(thread, window=window, block=block)
        cuts = [n for n in range(1, len(turns)) if turns[n][1][: len(turns[n - 1][1])] != turns[n - 1][1]]
        for earlier, later in itertools.pairwise(cuts):
            assert turns[later][0] - turns[earlier][0] >= block - off

    @given(exchanges, st.integers(10, 1500))
    def test_the_newest_exchange_is_always_whole(self, thread: list[list[Item]], window: int) -> None:
        items = [item for exchange in thread for item in exchange][:-1]
        kept = select_items(items, window=window, block=max(1, window // 2), newest=None)
        newest = thread[-1][:-1]
        assert kept[-len(newest) :] == newest

    @given(exchanges, st.integers(10, 600))
    def test_a_prompt_begins_with_a_question_and_goes_on_with_one_behind_the_cut(
        self, thread: list[list[Item]], window: int
    ) -> None:
        """Chat templates insist on it, and half an exchange says nothing."""
        items = [item for exchange in thread for item in exchange][:-1]
        kept = select_items(items, window=window, block=max(1, window // 2), newest=None)
        places = [next(n for n, item in enumerate(items) if item is one) for one in kept]
        assert kept[0].opens
        for before, place, item in zip(places, places[1:], kept[1:], strict=False):
            assert place == before + 1 or item.opens


class TestLastMessages:
    THREAD = (user(1, "one"), answer(1), user(1, "two"), calls(1), answer(1), user(1, "three"))

    @pytest.mark.parametrize(("newest", "first"), [(1, 5), (2, 4), (3, 2), (4, 1), (5, 0), (100, 0)])
    def test_tool_rounds_are_no_messages(self, newest: int, first: int) -> None:
        assert select_items(self.THREAD, window=100, block=50, newest=newest) == list(self.THREAD[first:])

    def test_the_question_stays_while_the_run_works_on_it(self) -> None:
        said_and_called = Item(calls(1).messages, 1, True, "run_1")
        items = [user(1, "old"), answer(1), user(1, "new"), said_and_called]
        assert select_items(items, window=100, block=50, newest=1) == items[2:]

    def test_of_the_newest_too_only_what_fits_is_read(self) -> None:
        items = [user(1), *(item for _ in range(10) for item in (answer(20), user(20)))]
        assert tokens_of(select_items(items, window=100, block=50, newest=15)) <= 100


class TestBudget:
    @pytest.mark.parametrize(
        ("budget", "answer", "window"),
        [
            (Budget(8000, prompt=None, completion=None), 2000, 6000),
            (Budget(8000, prompt=None, completion=500), 500, 7500),
            (Budget(8000, prompt=None, completion=5000), 2000, 6000),
            (Budget(8000, prompt=1000, completion=None), 2000, 1000),
            (Budget(8000, prompt=7000, completion=None), 2000, 6000),
        ],
    )
    def test_the_answer_has_its_share_and_the_prompt_the_rest_of_window_and_budget(
        self, budget: Budget, answer: int, window: int
    ) -> None:
        assert (budget.answer, budget.window) == (answer, window)


class TestTheRequest:
    PLENTY = Budget(8000, prompt=None, completion=None)

    def request(self, run: Run, *, first_turn: bool = True, budget: Budget = PLENTY) -> GenerationRequest:
        made = build(run, [user(1, "Hi")], budget=budget, first_turn=first_turn)
        assert made is not None
        return made

    def test_instructions_are_the_first_message(self) -> None:
        made = self.request(a_run(instructions="Be brief."))
        assert made.messages == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]

    def test_without_instructions_there_is_none(self) -> None:
        assert self.request(a_run()).messages == [{"role": "user", "content": "Hi"}]

    def test_only_functions_are_offered_to_the_model(self) -> None:
        made = self.request(a_run(tools=[WEATHER, {"type": "code_interpreter"}]))
        assert [tool["function"]["name"] for tool in made.tools] == ["weather"]

    @pytest.mark.parametrize(
        ("choice", "first", "later"),
        [
            ("auto", "auto", "auto"),
            (None, "auto", "auto"),
            ("none", "none", "none"),
            ("required", "required", "auto"),
            (
                NamedToolChoice.model_validate({"type": "function", "function": {"name": "weather"}}),
                {"type": "function", "function": {"name": "weather"}},
                "auto",
            ),
            (NamedToolChoice.model_validate({"type": "file_search"}), "auto", "auto"),
        ],
    )
    def test_a_forced_choice_holds_for_the_first_turn(self, choice: Any, first: Any, later: Any) -> None:
        run = a_run(tools=[WEATHER], tool_choice=choice)
        assert self.request(run).tool_choice == first
        assert self.request(run, first_turn=False).tool_choice == later

    def test_max_tokens_is_what_is_left_of_the_completion_budget(self) -> None:
        assert self.request(a_run()).max_tokens is None
        assert self.request(a_run(), budget=Budget(8000, prompt=None, completion=77)).max_tokens == 77

    def test_requests_of_a_thread_share_their_cache_key(self) -> None:
        assert self.request(a_run()).cache_key == "thread_1"

    @pytest.mark.parametrize("format_", ["auto", None])
    def test_no_format_is_asked_for_unless_one_was(self, format_: Any) -> None:
        assert self.request(a_run(response_format=format_)).response_format is None

    def test_what_the_prompt_budget_cannot_hold_is_not_asked(self) -> None:
        run = a_run(max_prompt_tokens=256)
        assert build(run, [user(300)], budget=Budget(8000, prompt=256, completion=None), first_turn=True) is None

    def test_a_prompt_budget_cuts_before_it_refuses(self) -> None:
        run = a_run(max_prompt_tokens=256)
        thread = [user(200), answer(200), user(100, "now")]
        made = build(run, thread, budget=Budget(8000, prompt=256, completion=None), first_turn=True)
        assert made is not None
        assert [message["content"] for message in made.messages] == ["now"]

    def test_last_messages_come_from_the_truncation_strategy(self) -> None:
        strategy = TruncationStrategy(type="last_messages", last_messages=1)
        run = a_run(truncation_strategy=strategy)
        made = build(run, [user(1, "old"), answer(1), user(1, "new")], budget=self.PLENTY, first_turn=True)
        assert made is not None
        assert [message["content"] for message in made.messages] == ["new"]

    def test_what_stands_before_the_history_is_counted(self) -> None:
        assert fixed_tokens(a_run()) == MESSAGE_OVERHEAD
        assert fixed_tokens(a_run(instructions="word " * 70, tools=[WEATHER])) > 100

    @given(exchanges, st.integers(50, 600))
    def test_outputs_always_follow_their_calls(self, thread: list[list[Item]], limit: int) -> None:
        items = [item for exchange in thread for item in exchange][:-1]
        made = build(a_run(), items, budget=Budget(limit, prompt=None, completion=None), first_turn=True)
        assume(made is not None)
        assert made is not None
        for before, message in zip([{}, *made.messages], made.messages, strict=False):
            if message["role"] == "tool":
                assert message["tool_call_id"] in [call["id"] for call in before["tool_calls"]]
