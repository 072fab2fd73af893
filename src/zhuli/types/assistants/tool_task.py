"""What a tool that runs in the server is told about the run that it works for."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


async def _unseen(piece: dict[str, Any]) -> None:
    """Nobody follows."""


@dataclass(frozen=True, slots=True)
class ToolTask:
    """One call's surroundings.

    project, thread_id, run_id: for whom. Runs of a thread come one after the other, each perhaps in another process.
    settings: what the assistant or run says of the tool.
    stores: the vector stores of the run and its thread. words: the user's newest message, for when the model did not say
    what to look for. most: how many results, where the settings don't say.
    room: tokens that the result may take in the prompt. count: tokens of each text.
    show: adds a piece to what followers see of the call while it runs, merged as the SDKs merge deltas (texts are joined).
    The output is shown when the call is done, unless pieces of it were shown before, as {"output": …}.
    """

    project: str
    thread_id: str
    run_id: str
    settings: Mapping[str, Any]
    stores: Sequence[str]
    words: str
    most: int
    room: int
    count: Callable[[Sequence[str]], Awaitable[list[int]]]
    show: Callable[[dict[str, Any]], Awaitable[None]] = _unseen
