"""The Assistant: a model with instructions and tools."""

from typing import Annotated, Any, Literal

from pydantic import Field

from zhuli.types.assistants.tools import AssistantTool, NewToolResources, ReasoningEffort, ResponseFormat, ToolResources
from zhuli.types.safety.guard import Guards
from zhuli.types.wire import Metadata, Request, Wire, optional

Model = Annotated[str, Field(min_length=1)]
AssistantName = Annotated[str, Field(max_length=256)]
Description = Annotated[str, Field(max_length=512)]
Instructions = Annotated[str, Field(max_length=256_000)]
Tools = Annotated[list[AssistantTool], Field(max_length=128)]
Temperature = Annotated[float, Field(ge=0, le=2)]
TopP = Annotated[float, Field(ge=0, le=1)]


class AssistantCreate(Request):
    """Ours: `domain`, the id of the domain by which messages are understood; `guards`, what is looked for and done about it."""

    model: Model
    name: AssistantName | None = None
    description: Description | None = None
    instructions: Instructions | None = None
    tools: Tools | None = None
    tool_resources: NewToolResources | None = None
    metadata: Metadata | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: ReasoningEffort | None = None
    domain: str | None = None
    guards: Guards | None = None


class AssistantModify(Request):
    """Each given field overwrites; lists replace the whole list."""

    model: Model | None = None
    name: AssistantName | None = None
    description: Description | None = None
    instructions: Instructions | None = None
    tools: Tools | None = None
    tool_resources: ToolResources | None = None
    metadata: Metadata | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: ReasoningEffort | None = None
    domain: str | None = None
    guards: Guards | None = None


class Assistant(Wire):
    """As it is stored and shown. created_at: Unix seconds, as every time on the wire."""

    id: str
    object: Literal["assistant"] = "assistant"
    created_at: int
    name: str | None = None
    description: str | None = None
    model: str
    instructions: str | None = None
    tools: list[AssistantTool] = []
    tool_resources: ToolResources | None = ToolResources()
    metadata: dict[str, Any] = {}
    temperature: float | None = 1.0
    top_p: float | None = 1.0
    response_format: ResponseFormat | None = "auto"
    reasoning_effort: ReasoningEffort | None = None
    domain: str | None = optional()
    guards: Guards | None = optional()
