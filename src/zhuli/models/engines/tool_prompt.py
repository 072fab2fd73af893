"""Tools for models whose chat template knows none: told in the prompt, and held to by a grammar.

The form is that of Hermes and Qwen models: <tool_call>{"name": …, "arguments": …}</tool_call>. Pure functions from
messages to messages and from a request to a grammar; reading the answer is tool_calls' part. Grammars are in
llguidance's dialect of Lark (its docs/syntax.md), which takes JSON schemas as they are.
"""

import json
from collections.abc import Sequence
from typing import Any

from zhuli.types.models.generation import ChatMessage, GenerationRequest, ToolDefinition

MOST_CALLS = 4
"""In one answer; a small model that may repeat itself would not stop."""

_INSTRUCTIONS = """# Tools

You can call these functions:
<tools>
{tools}
</tools>

To call one, answer only with its name and arguments, as JSON:
<tool_call>{{"name": "FUNCTION", "arguments": {{…}}}}</tool_call>"""

_DEFAULT_SYSTEM = "You are a helpful assistant."

_SPACING = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": ", "lenient": True}
"""Of JSON that a grammar asks for: a free choice of spaces lets a small model write nothing but spaces. Lenient:
keywords that llguidance does not know are left out rather than refused."""


def with_tools_told(messages: Sequence[ChatMessage], tools: Sequence[ToolDefinition]) -> list[ChatMessage]:
    """The same conversation without anything that takes a template with tools."""
    told = _without_tool_messages(messages)
    if not tools:
        return told
    instructions = _INSTRUCTIONS.format(tools="\n".join(_json(tool["function"]) for tool in tools))
    if told and told[0]["role"] == "system":
        return [{"role": "system", "content": f"{told[0]['content']}\n\n{instructions}"}, *told[1:]]
    return [{"role": "system", "content": f"{_DEFAULT_SYSTEM}\n\n{instructions}"}, *told]


def offered_tools(request: GenerationRequest) -> list[ToolDefinition]:
    """The tools that may be called: none, all, or the one that is named."""
    if request.tool_choice == "none":
        return []
    if isinstance(request.tool_choice, dict):
        name = request.tool_choice["function"]["name"]
        return [tool for tool in request.tools if tool["function"]["name"] == name]
    return list(request.tools)


def answer_grammar(request: GenerationRequest, tools: Sequence[ToolDefinition]) -> str | None:
    """What an answer may look like, None for free text: JSON by the response format, or calls of `tools`, or either."""
    schema = _schema(request.response_format)
    if not tools:
        return None if schema is None else _lark("answer", [_json_rule("answer", schema)])
    calls = [f"call_{i}" for i in range(len(tools))]
    rules = [_call_rule(rule, tool) for rule, tool in zip(calls, tools, strict=True)]
    rules.append(f"call: {' | '.join(calls)}")
    several = request.parallel_tool_calls and not isinstance(request.tool_choice, dict)
    rules.append(f'calls: call ("\\n" call){{0,{MOST_CALLS - 1}}}' if several else "calls: call")
    if request.tool_choice != "auto":
        return _lark("calls", rules)
    # Text can't begin like a call: then what begins like one is a whole and valid one.
    rules.append("answer: /([^<]|<[^t])(.|\\n)*/" if schema is None else _json_rule("answer", schema))
    return _lark("calls | answer", rules)


def _without_tool_messages(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    told: list[ChatMessage] = []
    for message in messages:
        if message["role"] != "tool":
            told.append({"role": message["role"], "content": _with_calls(message)})
            continue
        output = f"<tool_response>{message.get('content') or ''}</tool_response>"
        if told and told[-1]["role"] == "user" and told[-1]["content"].endswith("</tool_response>"):
            told[-1]["content"] += f"\n{output}"
        else:
            told.append({"role": "user", "content": output})
    return told


def _with_calls(message: ChatMessage) -> str:
    content: str = message.get("content") or ""
    functions = [call["function"] for call in message.get("tool_calls") or ()]
    calls = [f'{{"name": {_json(f["name"])}, "arguments": {f["arguments"] or "{}"}}}' for f in functions]
    return "\n".join([*filter(None, [content]), *(f"<tool_call>{call}</tool_call>" for call in calls)])


def _schema(response_format: dict[str, Any] | None) -> dict[str, Any] | None:
    kind = (response_format or {}).get("type", "text")
    if kind == "text" or response_format is None:
        return None
    if kind == "json_object":
        return {"type": "object"}
    schema: dict[str, Any] = response_format["json_schema"].get("schema") or {"type": "object"}
    return schema


def _call_rule(rule: str, tool: ToolDefinition) -> str:
    function = tool["function"]
    parameters = function.get("parameters") or {"type": "object", "properties": {}}
    # Arguments that nobody described are not wanted, and a small model would never stop adding some.
    schema = {"type": "object", "additionalProperties": False} | parameters
    opening = _json(f'<tool_call>{{"name": {_json(function["name"])}, "arguments": ')
    return f'{rule}: {opening} {_json_literal(schema)} "}}</tool_call>"'


def _json_rule(rule: str, schema: dict[str, Any]) -> str:
    return f"{rule}: {_json_literal(schema)}"


def _json_literal(schema: dict[str, Any]) -> str:
    return f"%json {_json(schema | {'x-guidance': _SPACING})}"


def _lark(start: str, rules: Sequence[str]) -> str:
    return "\n".join(["%llguidance {}", f"start: {start}", *rules, ""])


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
