"""What of a thread a turn reads, and the request that asks the model. Pure, but for the bytes of image files.

The history is cut at stable points: cuts move in blocks of half the window, counted from the thread's beginning. So from
turn to turn the prompt only grows at its end, until a block falls out at once; in between, a model server's prefix cache
holds all but what is new. The first message stays, as the contract says that the middle is dropped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import orjson

from zhuli.assistants.runs.history import Item
from zhuli.core.tokens import MESSAGE_OVERHEAD, estimate
from zhuli.types.assistants.run import Run
from zhuli.types.assistants.tools import FileSearchTool, FunctionTool, NamedToolChoice
from zhuli.types.models.generation import ChatMessage, GenerationRequest, ToolChoice, ToolDefinition

_FIRST_SHARE = 8
"""The first item is kept out of the cut if it takes at most 1/8 of the window."""

_ANSWER_SHARE = 4
"""Without a limit of its own the answer gets 1/4 of the context window."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Tokens left for this turn. prompt and completion are what is left of the run's own budgets, None without one."""

    context_window: int
    prompt: int | None
    completion: int | None

    @property
    def answer(self) -> int:
        """Tokens kept free for the answer."""
        share = self.context_window // _ANSWER_SHARE
        return share if self.completion is None else min(share, self.completion)

    @property
    def window(self) -> int:
        """Most tokens that the prompt may have."""
        room = self.context_window - self.answer
        return room if self.prompt is None else min(room, self.prompt)


def select_items(items: Sequence[Item], *, window: int, block: int, newest: int | None) -> list[Item]:
    """The items that fit into `window` tokens, of the `newest` messages if that is given.

    block: tokens by which the cut moves, the same for every turn of a thread. The newest exchange is always kept whole,
    even where it alone is larger than the window.
    """
    if newest is not None:
        items = _newest_messages(items, newest)
    positions = list(accumulate((item.tokens for item in items), initial=0))
    total = positions[-1]
    if total <= window:
        return list(items)
    first = items[0] if items[0].tokens * _FIRST_SHARE <= window else None
    room = window - (first.tokens if first else 0)
    drop = -(-(total - room) // block) * block
    start = next((n for n, position in enumerate(positions) if position >= drop), len(items))
    opening = next((n for n in range(start, len(items)) if items[n].opens), len(items))
    start = min(opening, _newest_exchange(items))
    kept = list(items[start:])
    return [first, *kept] if first is not None and start > 0 else kept


def _newest_messages(items: Sequence[Item], newest: int) -> Sequence[Item]:
    """The newest messages, with the tool rounds between and after them, which are no messages of the thread."""
    places = [n for n, item in enumerate(items) if item.is_message]
    if len(places) < newest:
        return items
    return items[min(places[-newest], _newest_exchange(items)) :]


def _newest_exchange(items: Sequence[Item]) -> int:
    """Where the newest user message stands; all that follows it belongs to the run."""
    return next((n for n in range(len(items) - 1, -1, -1) if items[n].opens), max(0, len(items) - 1))


def exchange_tokens(items: Sequence[Item]) -> int:
    """Tokens of the newest exchange, which every prompt has whole."""
    return sum(item.tokens for item in items[_newest_exchange(items) :])


def fixed_tokens(run: Run, offered: Sequence[ToolDefinition] = ()) -> int:
    """Tokens of what stands before the history: instructions and tools."""
    tools = sum(estimate(tool.model_dump_json()) for tool in run.tools if isinstance(tool, FunctionTool))
    ours = sum(estimate(orjson.dumps(tool).decode()) for tool in offered)
    return estimate(run.instructions) + tools + ours + MESSAGE_OVERHEAD


def build(
    run: Run,
    items: Sequence[Item],
    *,
    budget: Budget,
    first_turn: bool,
    offered: Sequence[ToolDefinition] = (),
    may_call: bool = True,
    forced: ToolChoice | None = None,
    state_prompt: str = "",
    whole: bool = False,
) -> GenerationRequest | None:
    """The request of one turn; None when the run's prompt budget can't hold even the newest exchange.

    whole: nothing may be left out either: None where something would have to be.

    offered: functions of the server's own tools, beside the client's. may_call: whether the model may call them now; if
    not, they are left out, or stay with the choice "none" where there are no functions. forced: what makes it call the one
    that the run's tool_choice names. state_prompt: what the model is told just before the user's newest message, so that
    the prompt before it stays as it was.
    """
    functions: list[ToolDefinition] = [
        tool.model_dump(mode="json") for tool in run.tools if isinstance(tool, FunctionTool)
    ]
    if not may_call and functions:
        offered = ()
    strategy = run.truncation_strategy
    newest = strategy.last_messages if strategy is not None and strategy.type == "last_messages" else None
    fixed, beside = fixed_tokens(run, offered), state_prompt_tokens(state_prompt)
    limit = run.max_prompt_tokens or budget.context_window
    kept = select_items(
        items, window=max(1, budget.window - fixed - beside), block=max(1, (limit - fixed) // 2), newest=newest or None
    )
    if whole and fixed + beside + sum(item.tokens for item in items) > budget.window:
        return None
    if budget.prompt is not None and fixed + beside + sum(item.tokens for item in kept) > budget.prompt:
        return None
    instructions: list[ChatMessage] = [{"role": "system", "content": run.instructions}] if run.instructions else []
    tools = [*functions, *offered]
    choice = (forced or _first_choice(run)) if first_turn else _later_choice(run)
    return GenerationRequest(
        messages=[*instructions, *_with_state_prompt(kept, state_prompt)],
        tools=tools,
        tool_choice=choice if may_call or functions else "none",
        parallel_tool_calls=run.parallel_tool_calls,
        response_format=_response_format(run),
        max_tokens=budget.completion,
        temperature=_chosen(run.temperature),
        top_p=_chosen(run.top_p),
        reasoning_effort=run.reasoning_effort,
        cache_key=run.thread_id,
    )


def state_prompt_tokens(state_prompt: str) -> int:
    """Tokens of what the model is told beside the history."""
    return estimate(state_prompt) + MESSAGE_OVERHEAD if state_prompt else 0


def _with_state_prompt(kept: Sequence[Item], state_prompt: str) -> list[ChatMessage]:
    messages = [message for item in kept for message in item.messages]
    if state_prompt:
        behind = sum(len(item.messages) for item in kept[_newest_exchange(kept) :])
        messages.insert(len(messages) - behind, {"role": "system", "content": state_prompt})
    return messages


def _chosen(value: float | None) -> float | None:
    """1 is what an assistant has if nobody chose: then the model's own default holds, which small models need."""
    return None if value == 1 else value


def _first_choice(run: Run) -> ToolChoice:
    choice = run.tool_choice
    if choice == "required" and searches_by_force(run):
        return "auto"  # the search that it asks for is done by now
    if isinstance(choice, NamedToolChoice):
        return choice.model_dump(mode="json") if choice.type == "function" and choice.function else "auto"
    return choice or "auto"


def searches_by_force(run: Run) -> bool:
    """Whether the client's tool choice says that the files must be searched: by name, or as the only tool there is."""
    choice = run.tool_choice
    if isinstance(choice, NamedToolChoice):
        return choice.type == "file_search"
    return choice == "required" and all(isinstance(tool, FileSearchTool) for tool in run.tools)


def _later_choice(run: Run) -> ToolChoice:
    """A forced choice holds for the first model call of a run only, or the run would never end; "none" holds."""
    return "none" if run.tool_choice == "none" else "auto"


def _response_format(run: Run) -> dict[str, Any] | None:
    if run.response_format is None or isinstance(run.response_format, str):
        return None
    return run.response_format.model_dump(mode="json")
