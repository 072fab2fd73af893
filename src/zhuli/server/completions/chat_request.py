"""What a chat completion asks of a model: checked against what its backend can do, older forms in their newer ones. Pure."""

from collections.abc import Collection, Sequence
from typing import Any

from zhuli.core.errors import InvalidRequest
from zhuli.server.completions.legacy_functions import with_tool_calls
from zhuli.types.models.chat import AllowedToolsChoice, ChatRequest, CustomChatTool, passed_on
from zhuli.types.models.generation import Ability, GenerationRequest, ToolChoice, ToolDefinition


def generation_of(body: ChatRequest, abilities: Collection[Ability]) -> GenerationRequest:
    """The call of the model; InvalidRequest names what this model does not do, and what would be right."""
    _check(body, abilities)
    tools, choice = _tools(body)
    messages = [message.model_dump(mode="json", exclude_unset=True) for message in body.messages]
    return GenerationRequest(
        messages=[_message(message) for message in with_tool_calls(messages)],
        tools=tools,
        tool_choice=choice,
        parallel_tool_calls=body.parallel_tool_calls is not False and body.functions is None,
        response_format=None if body.response_format is None else body.response_format.model_dump(mode="json"),
        max_tokens=body.max_completion_tokens or body.max_tokens,
        temperature=body.temperature,
        top_p=body.top_p,
        reasoning_effort=body.reasoning_effort,
        extra=passed_on(body),
    )


def _check(body: ChatRequest, abilities: Collection[Ability]) -> None:
    if body.stream_options is not None and not body.stream:
        raise InvalidRequest(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param="stream_options"
        )
    if body.logprobs and "logprobs" not in abilities:
        raise unsupported("logprobs", f"The model '{body.model}' gives no logprobs. Leave 'logprobs' out.")
    if body.top_logprobs is not None and not body.logprobs:
        raise InvalidRequest("'top_logprobs' needs 'logprobs': true.", param="top_logprobs", code="invalid_value")
    custom = [number for number, tool in enumerate(body.tools or ()) if isinstance(tool, CustomChatTool)]
    if custom and "custom_tools" not in abilities:
        raise unsupported(
            f"tools[{custom[0]}].type",
            f"The model '{body.model}' takes no custom tools. Give a function whose parameters have one string instead: "
            '{"type": "function", "function": {"name": …, "parameters": {"type": "object", "properties": {"input": '
            '{"type": "string"}}, "required": ["input"]}}}.',
        )
    for old, new in (("functions", "tools"), ("function_call", "tool_choice")):
        if getattr(body, old) is not None and (body.tools is not None or body.tool_choice is not None):
            text = f"'{old}' is the older form of '{new}': give either 'tools' and 'tool_choice', or 'functions' and "
            raise InvalidRequest(f"{text}'function_call'.", param=old, code="invalid_value")
    if body.function_call is not None and body.functions is None:
        raise InvalidRequest(
            "'function_call' is only allowed when 'functions' are given.", param="function_call", code="invalid_value"
        )


def unsupported(param: str, message: str) -> InvalidRequest:
    """The error for what the model or the server does not do."""
    return InvalidRequest(message, param=param, code="unsupported_parameter")


def _tools(body: ChatRequest) -> tuple[list[ToolDefinition], ToolChoice]:
    """The tools that are offered, and which of them must be called."""
    if body.functions is not None:
        offered = [{"type": "function", "function": each.model_dump(mode="json")} for each in body.functions]
        return offered, _legacy_choice(body.function_call)
    tools = [tool.model_dump(mode="json") for tool in body.tools or ()]
    if isinstance(body.tool_choice, AllowedToolsChoice):
        return _allowed(tools, body.tool_choice), body.tool_choice.allowed_tools.mode
    return tools, _plain(body.tool_choice)


def _legacy_choice(choice: Any) -> ToolChoice:
    if choice is None or isinstance(choice, str):
        return choice or "auto"
    return {"type": "function", "function": {"name": choice.name}}


def _allowed(tools: Sequence[ToolDefinition], choice: AllowedToolsChoice) -> list[ToolDefinition]:
    """Only these are offered: no model server need know this kind of choice."""
    known = {(tool["type"], tool[tool["type"]]["name"]): tool for tool in tools}
    allowed = []
    for number, tool in enumerate(choice.allowed_tools.tools):
        named = tool.function if tool.type == "function" else tool.custom
        place = f"tool_choice.allowed_tools.tools[{number}]"
        if named is None:
            raise InvalidRequest(
                f"Missing required parameter: '{place}.{tool.type}'.",
                param=f"{place}.{tool.type}",
                code="missing_required_parameter",
            )
        if (tool.type, named.name) not in known:
            names = ", ".join(f"'{name}'" for _, name in known) or "none"
            raise InvalidRequest(
                f"Invalid '{place}': there is no {tool.type} '{named.name}' in 'tools'. There are: {names}.",
                param=place,
                code="invalid_value",
            )
        allowed.append(known[tool.type, named.name])
    return allowed


def _plain(choice: Any) -> ToolChoice:
    if choice is None or isinstance(choice, str):
        return choice or "auto"
    plain: dict[str, Any] = choice.model_dump(mode="json")
    return plain


def _message(message: dict[str, Any]) -> dict[str, Any]:
    """Local models know "system" only; "developer" is its newer name."""
    return {**message, "role": "system"} if message["role"] == "developer" else message
