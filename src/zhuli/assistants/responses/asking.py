"""What a response is asked with, as the settings of a run, and what of it a run can't say. Pure.

Tools that this server does not have are refused by name: without them the app would get another answer than it asked for.
"""

from collections.abc import Collection, Sequence
from typing import Any

from pydantic import ValidationError

from zhuli.assistants.responses import lens
from zhuli.core.errors import InvalidRequest
from zhuli.core.ids import new_id
from zhuli.types.assistants.response import (
    Asked,
    NamedTool,
    ObjectFormat,
    ResponseCreate,
    ResponseFileSearch,
    ResponseFunction,
    ResponseTool,
    SchemaFormat,
)
from zhuli.types.assistants.run import Run
from zhuli.types.assistants.tools import (
    AssistantTool,
    FileSearchResources,
    FileSearchSettings,
    FileSearchTool,
    FunctionDefinition,
    FunctionTool,
    JsonObjectFormat,
    JsonSchema,
    JsonSchemaFormat,
    NamedFunction,
    NamedToolChoice,
    RankingOptions,
    ResponseFormat,
    ServerTool,
    ToolChoice,
    ToolResources,
    TruncationStrategy,
)
from zhuli.types.refusals import refusal_of

NO_ASSISTANT = "asst_responses"
"""What a run has as its assistant where there is none. Nobody finds one under this id."""


def check(body: ResponseCreate) -> None:
    """What a schema can't say; InvalidRequest."""
    if body.conversation is not None and body.previous_response_id is not None:
        raise InvalidRequest(
            "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Ensure you are only providing one of: "
            "'previous_response_id' or 'conversation'.",
            code="mutually_exclusive_parameters",
        )
    if body.input is None and body.conversation is None and body.previous_response_id is None:
        raise InvalidRequest("Missing required parameter: 'input'.", param="input", code="missing_required_parameter")
    if body.background and body.store is False:
        raise _unsupported("background", "'background' can only be used when 'store' is true.")
    if body.prompt is not None:
        raise _unsupported("prompt", "There are no prompt templates here: give 'instructions' and 'input'.")
    if body.top_logprobs:
        raise _unsupported("top_logprobs", "Responses have no logprobs here. Leave 'top_logprobs' out.")
    if body.max_tool_calls is not None:
        raise _unsupported(
            "max_tool_calls", "'max_tool_calls' can't be set here: a run ends its rounds of calls itself."
        )


def _unsupported(param: str, message: str) -> InvalidRequest:
    return InvalidRequest(message, param=param, code="unsupported_parameter")


def run_of(
    body: ResponseCreate, tools: list[AssistantTool], choice: ToolChoice, *, thread_id: str, now: int, lifetime: int
) -> Run:
    """The queued run that answers."""
    reasoning = body.reasoning
    return Run(
        id=new_id("run"),
        created_at=now,
        expires_at=now + lifetime,
        thread_id=thread_id,
        assistant_id=NO_ASSISTANT,
        model=body.model,
        instructions=body.instructions or "",
        tools=_offered(body, tools),
        tool_resources=_resources(body),
        metadata=dict(body.metadata or {}),
        temperature=1.0 if body.temperature is None else body.temperature,
        top_p=1.0 if body.top_p is None else body.top_p,
        max_completion_tokens=body.max_output_tokens,
        truncation_strategy=TruncationStrategy(type="auto"),
        tool_choice=choice,
        parallel_tool_calls=body.parallel_tool_calls is not False,
        response_format=_format(body),
        reasoning_effort=None if reasoning is None else reasoning.effort,
        domain=body.domain,
    )


def asked_of(body: ResponseCreate, tools: list[AssistantTool], run: Run) -> Asked:
    """What of the request the run can't say."""
    thin = isinstance(body.tool_choice, NamedTool) and body.tool_choice.type == "allowed_tools"
    whole = run.model_copy(update={"tools": tools})
    return Asked(
        instructions=body.instructions is not None,
        previous_response_id=body.previous_response_id,
        conversation=body.conversation is not None,
        store=body.store is not False,
        background=bool(body.background),
        verbosity=None if body.text is None else body.text.verbosity,
        reasoning_summary=None if body.reasoning is None else body.reasoning.summary,
        truncation=body.truncation or "disabled",
        safety_identifier=body.safety_identifier,
        prompt_cache_key=body.prompt_cache_key,
        user=body.user,
        tools=lens.tools_of(whole) if thin else None,
        tool_choice=body.tool_choice.model_dump(mode="json", exclude_none=True)
        if thin and isinstance(body.tool_choice, NamedTool)
        else None,
    )


def tools_of(body: ResponseCreate, own: Collection[str]) -> list[AssistantTool]:
    """The tools as a run has them; InvalidRequest names those that this server does not have. own: the server's tools."""
    return [_tool(tool, f"tools[{n}]", own) for n, tool in enumerate(body.tools or ())]


def _tool(tool: ResponseTool, param: str, own: Collection[str]) -> AssistantTool:
    if isinstance(tool, ResponseFunction):
        definition = FunctionDefinition(
            name=tool.name, description=tool.description, parameters=tool.parameters, strict=bool(tool.strict)
        )
        return FunctionTool(type="function", function=definition)
    if isinstance(tool, ResponseFileSearch):
        return FileSearchTool(type="file_search", file_search=_settings(tool, param))
    if tool.type in own:
        try:
            return ServerTool.model_validate(tool.model_dump(mode="json"))
        except ValidationError as error:
            raise refusal_of(error, param) from None
    known = ", ".join(f"'{name}'" for name in ("function", *sorted(own)))
    why = _INSTEAD.get(tool.type, "")
    raise InvalidRequest(
        f"Tool of type '{tool.type[:64]}' is not supported by this server. Supported are: {known}.{why}",
        param=f"{param}.type",
        code="unsupported_value",
    )


_INSTEAD = {
    "custom": ' Give a function whose parameters have one string instead: {"type": "function", "name": …, "parameters": '
    '{"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}}.',
    "namespace": " Give the functions of the namespace one by one.",
}


def _settings(tool: ResponseFileSearch, param: str) -> FileSearchSettings:
    if tool.filters is not None:
        raise _unsupported(f"{param}.filters", "Searches of responses take no filters here. Leave 'filters' out.")
    if len(tool.vector_store_ids) > 1:
        raise InvalidRequest(
            f"Invalid '{param}.vector_store_ids': a response searches in one vector store here.",
            param=f"{param}.vector_store_ids",
            code="array_above_max_length",
        )
    score = None if tool.ranking_options is None else tool.ranking_options.score_threshold
    ranking = None if score is None else RankingOptions(score_threshold=score)
    return FileSearchSettings(max_num_results=tool.max_num_results, ranking_options=ranking)


def _resources(body: ResponseCreate) -> ToolResources:
    for tool in body.tools or ():
        if isinstance(tool, ResponseFileSearch):
            return ToolResources(file_search=FileSearchResources(vector_store_ids=tool.vector_store_ids))
    return ToolResources()


def choice_of(body: ResponseCreate) -> ToolChoice:
    """The tool choice as a run has it; InvalidRequest where what it names is not among the tools."""
    choice = body.tool_choice
    if choice is None or isinstance(choice, str):
        return choice or "auto"
    if choice.type == "allowed_tools":
        _allowed(body.tools or (), choice)
        return choice.mode or "auto"
    names = [tool.name for tool in body.tools or () if isinstance(tool, ResponseFunction)]
    if choice.type == "function":
        if choice.name is None:
            raise InvalidRequest(
                "Missing required parameter: 'tool_choice.name'.",
                param="tool_choice.name",
                code="missing_required_parameter",
            )
        if choice.name not in names:
            raise _not_among("tool_choice", f"function '{choice.name}'", names)
        return NamedToolChoice(type="function", function=NamedFunction(name=choice.name))
    types = [tool.type for tool in body.tools or ()]
    if choice.type not in types:
        raise _not_among("tool_choice", f"tool of type '{choice.type[:64]}'", types)
    return NamedToolChoice(type=choice.type)


def _offered(body: ResponseCreate, tools: list[AssistantTool]) -> list[AssistantTool]:
    """The tools that the model may call: of those that are given the ones that the choice allows."""
    choice = body.tool_choice
    if not isinstance(choice, NamedTool) or choice.type != "allowed_tools":
        return tools
    allowed = _allowed(body.tools or (), choice)
    return [tool for n, tool in enumerate(tools) if n in allowed]


def _allowed(tools: Sequence[ResponseTool], choice: NamedTool) -> set[int]:
    """Which of the tools a choice of allowed ones names."""
    found: set[int] = set()
    for n, entry in enumerate(choice.tools or ()):
        named = [
            place
            for place, tool in enumerate(tools)
            if tool.type == entry.get("type") and (tool.type != "function" or _name(tool) == entry.get("name"))
        ]
        if not named:
            names = [_name(tool) for tool in tools]
            raise _not_among(f"tool_choice.tools[{n}]", f"tool '{_words(entry)}'", names)
        found.update(named)
    return found


def _name(tool: Any) -> str:
    return str(tool.name if isinstance(tool, ResponseFunction) else tool.type)


def _words(entry: dict[str, Any]) -> str:
    return str(entry.get("name") or entry.get("type"))[:64]


def _not_among(param: str, what: str, names: Sequence[str]) -> InvalidRequest:
    known = ", ".join(f"'{name}'" for name in names) or "none"
    return InvalidRequest(
        f"Invalid '{param}': there is no {what} in 'tools'. There are: {known}.", param=param, code="invalid_value"
    )


def _format(body: ResponseCreate) -> ResponseFormat:
    given = None if body.text is None else body.text.format
    if isinstance(given, ObjectFormat):
        return JsonObjectFormat(type="json_object")
    if isinstance(given, SchemaFormat):
        schema = JsonSchema.model_validate(
            {
                "name": given.name,
                "description": given.description,
                "schema": given.schema_,
                "strict": bool(given.strict),
            }
        )
        return JsonSchemaFormat(type="json_schema", json_schema=schema)
    return "auto"
