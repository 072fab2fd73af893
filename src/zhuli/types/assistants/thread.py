"""The Thread: a conversation's container. Its messages are objects of their own."""

from typing import Annotated, Any, Literal

from pydantic import Field

from zhuli.types.assistants.message import MOST_MESSAGES, MessageCreate
from zhuli.types.assistants.tools import NewToolResources, ToolResources
from zhuli.types.wire import Metadata, Request, Wire


class ThreadCreate(Request):
    messages: Annotated[list[MessageCreate], Field(max_length=MOST_MESSAGES)] | None = None
    tool_resources: NewToolResources | None = None
    metadata: Metadata | None = None


class ThreadModify(Request):
    tool_resources: ToolResources | None = None
    metadata: Metadata | None = None


class Thread(Wire):
    id: str
    object: Literal["thread"] = "thread"
    created_at: int
    tool_resources: ToolResources | None = ToolResources()
    metadata: dict[str, Any] = {}
