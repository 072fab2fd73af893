"""The Thread: a conversation's container. Its messages are objects of their own."""

from typing import Annotated, Any, Literal

from pydantic import Field

from zhuli.types.assistants.message import MOST_MESSAGES, MessageCreate
from zhuli.types.assistants.tools import NewToolResources, ToolResources
from zhuli.types.wire import Metadata, Request, Wire


class ThreadCreate(Request):
    """A new thread, with its first messages."""

    messages: Annotated[list[MessageCreate], Field(max_length=MOST_MESSAGES)] | None = None
    tool_resources: NewToolResources | None = None
    metadata: Metadata | None = None


class ThreadModify(Request):
    """Each given field overwrites."""

    tool_resources: ToolResources | None = None
    metadata: Metadata | None = None


class Thread(Wire):
    """A conversation's container; its messages are listed by themselves."""

    id: str
    object: Literal["thread"] = "thread"
    created_at: int
    tool_resources: ToolResources | None = ToolResources()
    metadata: dict[str, Any] = {}
