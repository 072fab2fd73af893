"""What a tool that runs in the server is told about the run that it works for."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from zhuli.types.assistants.tools import FileSearchSettings


@dataclass(frozen=True, slots=True)
class ToolTask:
    """One call's surroundings.

    words: the user's newest message, for when the model did not say what to look for. most: how many results, where
    the settings don't say. room: tokens that the results may take in the prompt. count: tokens of each text.
    """

    project: str
    stores: Sequence[str]
    settings: FileSearchSettings
    words: str
    most: int
    room: int
    count: Callable[[Sequence[str]], Awaitable[list[int]]]
