"""The Thread: a conversation's container. Its messages are objects of their own."""

from typing import Any, Literal

from zhuli.types.assistants.message import MessageCreate
from zhuli.types.assistants.tools import NewToolResources, ToolResources
from zhuli.types.wire import Metadata, Request, Wire


class ThreadCreate(Request):
    messages: list[MessageCreate] | None = None
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
