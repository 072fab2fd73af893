"""Conversations with tools as a model learns from them: told in the prompt where its template knows none, as when it serves."""

from collections.abc import Sequence

from zhuli.models.engines.tool_prompt import with_tools_told
from zhuli.types.models.generation import ChatMessage, ToolDefinition


def told(
    messages: Sequence[ChatMessage], tools: Sequence[ToolDefinition], numbers: Sequence[int] = ()
) -> tuple[list[ChatMessage], list[int]]:
    """The conversation without anything that takes a template with tools, and where in it the messages of `numbers` are.

    Those are the assistant's. Results of tools become a user's message, several of them one, so that numbers change.
    """
    said = [number for number, message in enumerate(messages) if message["role"] == "assistant"]
    plain = with_tools_told(messages, tools)
    there = [number for number, message in enumerate(plain) if message["role"] == "assistant"]
    moved = dict(zip(said, there, strict=True))
    return plain, [moved[number] for number in numbers]
