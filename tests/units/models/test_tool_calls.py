"""Tool calls in text: the same are found however the text is cut into pieces, and the prompt that asks for them."""

import json
from typing import Any

import pytest

from zhuli.models.engines.tool_calls import ToolCallText
from zhuli.models.engines.tool_prompt import answer_grammar, offered_tools, with_tools_told
from zhuli.types.models.generation import ChatMessage, GenerationRequest

CALL_F = '{"name": "f", "arguments": {"a": 1}}'
TOOLS = [{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in "fg"]
ASKED: list[ChatMessage] = [{"role": "user", "content": "?"}]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("answer", "text", "calls"),
    [
        ("hello", "hello", []),
        ("", "", []),
        (" \n", " \n", []),
        (f"<tool_call>{CALL_F}</tool_call>", "", [("f", {"a": 1})]),
        (f"Sure!\n<tool_call>\n{CALL_F}\n</tool_call>", "Sure!\n", [("f", {"a": 1})]),
        (f'{CALL_F}\n{{"name": "g", "arguments": {{}}}}', "", [("f", {"a": 1}), ("g", {})]),
        (f"```json\n{CALL_F}\n```", "", [("f", {"a": 1})]),
        (f"<tool_call>{CALL_F}</tool_call>\nThere you are.", "There you are.", [("f", {"a": 1})]),
        (f"{CALL_F}\n{CALL_F}\n", "", [("f", {"a": 1})]),
        ('{"function": {"name": "g", "parameters": {"x": "}"}}}', "", [("g", {"x": "}"})]),
        ('{"name": "Ava", "age": 3}', '{"name": "Ava", "age": 3}', []),
        ('{"some": "object", "that": "goes on for long"}', '{"some": "object", "that": "goes on for long"}', []),
        ("```python\nprint(1)\n```", "```python\nprint(1)\n```", []),
        ("a < b and <tool_box>", "a < b and <tool_box>", []),
        ('<tool_call>{"name": "f", broken</tool_call> x', '<tool_call>{"name": "f", broken</tool_call> x', []),
        (
            '<tool_call>{"name": "not_offered", "arguments": {}}',
            '<tool_call>{"name": "not_offered", "arguments": {}}',
            [],
        ),
    ],
)
def test_text_and_calls_are_told_apart(answer: str, text: str, calls: list[Any], size: int) -> None:
    assert read(answer, size) == (text, calls)


def test_text_is_not_held_back_longer_than_it_may_become_a_call() -> None:
    reader = ToolCallText({"f"})
    assert reader.feed("Hello <to").text == "Hello "
    assert reader.feed("day>").text == "<today>"


def test_a_call_that_was_cut_off_is_dropped() -> None:
    assert read('One. <tool_call>{"name": "f", "arg', 5, cut_off=True) == ("One. ", [])
    assert read(f'<tool_call>{CALL_F}</tool_call>\n<tool_call>{{"na', 5, cut_off=True) == ("", [("f", {"a": 1})])


def test_tools_are_told_in_the_system_message_and_their_history_in_text() -> None:
    called = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    told = with_tools_told(
        [
            {"role": "system", "content": "Be kind."},
            *ASKED,
            {"role": "assistant", "content": None, "tool_calls": [called, called]},
            {"role": "tool", "tool_call_id": "call_1", "content": "one"},
            {"role": "tool", "tool_call_id": "call_1", "content": "two"},
        ],
        TOOLS,
    )
    assert [message["role"] for message in told] == ["system", "user", "assistant", "user"]
    assert told[0]["content"].startswith("Be kind.\n\n# Tools")
    assert told[2]["content"] == "\n".join([f"<tool_call>{CALL_F}</tool_call>"] * 2)
    assert told[3]["content"] == "<tool_response>one</tool_response>\n<tool_response>two</tool_response>"


def test_without_tools_a_conversation_stays_as_it_is() -> None:
    assert with_tools_told(ASKED, []) == ASKED


def test_only_what_may_be_called_is_offered() -> None:
    named = {"type": "function", "function": {"name": "g"}}
    assert offered_tools(GenerationRequest(ASKED, TOOLS)) == TOOLS
    assert offered_tools(GenerationRequest(ASKED, TOOLS, tool_choice="none")) == []
    assert offered_tools(GenerationRequest(ASKED, TOOLS, tool_choice=named)) == TOOLS[1:]


def test_free_text_needs_no_grammar_and_json_is_its_schema() -> None:
    assert answer_grammar(GenerationRequest(ASKED), []) is None
    assert answer_grammar(GenerationRequest(ASKED, response_format={"type": "text"}), []) is None
    grammar = answer_grammar(GenerationRequest(ASKED, response_format={"type": "json_object"}), [])
    assert grammar
    schema = json.loads(grammar.partition("%json ")[2])
    assert schema["type"] == "object"


def read(answer: str, size: int, *, cut_off: bool = False) -> tuple[str, list[Any]]:
    reader = ToolCallText({"f", "g"})
    deltas = [reader.feed(answer[at : at + size]) for at in range(0, len(answer), size)]
    deltas.append(reader.close(cut_off=cut_off))
    calls = [call for delta in deltas for call in delta.tool_calls]
    assert [call.index for call in calls] == list(range(len(calls)))
    assert all(call.id for call in calls)
    return "".join(delta.text for delta in deltas), [(call.name, json.loads(call.arguments)) for call in calls]
