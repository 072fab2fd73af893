"""The contract of tools as tests: subclass ToolContract, give it yours, and the arguments of a call that works.

    class TestMine(ToolContract):
        arguments = {"city": "Paris"}

        @pytest.fixture
        def tool(self, tmp_path: Path) -> Plugin:
            return Plugin("mine", {}, PlainToolServices(tmp_path))

What the server does around a tool (limits, crashes, cancelling) is not tested here: it holds for every tool.
"""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from zhuli.core.errors import InvalidRequest, ZhuliError
from zhuli.core.tokens import estimate
from zhuli.ports import Tool
from zhuli.types.assistants.step import ServerCall, ServerToolCall
from zhuli.types.assistants.tool_task import ToolTask

PROJECT = "project_of_the_contract"


class ToolContract:
    """What holds for every tool.

    function: which to call; None: the first. settings: what an assistant says of the tool. arguments: of a call that works.
    wrong_arguments: JSON that the function can't work with, None where there is none. wrong_settings: what an assistant
    can't say of the tool, None likewise.
    """

    function: str | None = None
    settings: Mapping[str, Any] = {}
    arguments: Mapping[str, Any] = {}
    wrong_arguments: Mapping[str, Any] | None = None
    wrong_settings: Mapping[str, Any] | None = {"no_such_setting": True}

    def task(self, **changed: Any) -> ToolTask:
        """What a call is told of its run."""
        given: dict[str, Any] = {
            "project": PROJECT,
            "thread_id": "thread_1",
            "run_id": "run_1",
            "settings": self.settings,
            "stores": ["vs_1"],
            "words": "What the user said.",
            "most": 5,
            "room": 4000,
            "count": estimates,
        }
        return ToolTask(**{**given, **changed})

    async def call(self, tool: Tool[Any], arguments: str, *, call_id: str = "call_1") -> ServerCall:
        """A call of the function with these arguments, not done yet."""
        offered = await tool.functions(PROJECT, self.settings)
        made: ServerCall = tool.called(call_id, self.function or offered[0]["function"]["name"], arguments)
        return made

    async def done(self, tool: Tool[Any], **task: Any) -> ServerCall:
        """The call that works, done."""
        asked = await self.call(tool, json.dumps(self.arguments))
        made: ServerCall = await tool.run(asked, self.task(**task))
        return made

    async def test_functions_are_offered_as_models_read_them(self, tool: Tool[Any]) -> None:
        offered = await tool.functions(PROJECT, self.settings)
        assert offered
        names = [definition["function"]["name"] for definition in offered]
        assert len(set(names)) == len(names)
        for definition in offered:
            assert definition["type"] == "function"
            assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", definition["function"]["name"])
            assert definition["function"].get("description"), "models choose by it"
            assert definition["function"].get("parameters", {"type": "object"})["type"] == "object"
            json.dumps(definition)

    async def test_the_same_functions_are_offered_again(self, tool: Tool[Any]) -> None:
        first = await tool.functions(PROJECT, self.settings)
        assert list(await tool.functions(PROJECT, self.settings)) == list(first)

    async def test_settings_that_mean_nothing_are_refused(self, tool: Tool[Any]) -> None:
        if self.wrong_settings is None:
            pytest.skip("every setting means something")
        with pytest.raises(InvalidRequest) as refused:
            await tool.functions(PROJECT, self.wrong_settings)
        assert refused.value.message.endswith(".")

    async def test_whether_a_call_may_be_made_twice_is_said(self, tool: Tool[Any]) -> None:
        assert tool.idempotent in (True, False)

    @pytest.mark.parametrize("arguments", ["", "{}", '{"a": ', "[1]", "null", "\x00\ud83d", "x" * 100_000])
    async def test_whatever_a_model_writes_can_be_shown(self, tool: Tool[Any], arguments: str) -> None:
        asked = await self.call(tool, arguments, call_id="call_7")
        assert asked.id == "call_7"
        assert not asked.is_done
        shown = asked.model_dump()
        assert isinstance(shown[asked.type], dict)
        first, more = asked.streamed("", first=True), asked.streamed("{", first=False)
        assert first is None or isinstance(first, dict)
        assert more is None or isinstance(more, dict)

    async def test_a_call_that_works_has_an_output(self, tool: Tool[Any]) -> None:
        made = await self.done(tool)
        assert made.is_done
        assert made.id == "call_1"
        if isinstance(made, ServerToolCall):
            assert isinstance(made.output, str) and made.output

    async def test_what_a_call_gave_can_be_stored_and_read_again(self, tool: Tool[Any]) -> None:
        made = await self.done(tool)
        assert type(made).model_validate_json(made.model_dump_json()) == made

    async def test_calls_are_made_side_by_side(self, tool: Tool[Any]) -> None:
        asked = [await self.call(tool, json.dumps(self.arguments), call_id=f"call_{n}") for n in range(3)]
        made: Sequence[ServerCall] = await asyncio.gather(*(tool.run(call, self.task()) for call in asked))
        assert [call.id for call in made] == ["call_0", "call_1", "call_2"]
        assert all(call.is_done for call in made)

    async def test_arguments_that_mean_nothing_are_refused_in_words_or_answered(self, tool: Tool[Any]) -> None:
        if self.wrong_arguments is None:
            pytest.skip("the function works with everything")
        asked = await self.call(tool, json.dumps(self.wrong_arguments))
        assert await self._refusal_or_output(tool, asked)

    async def _refusal_or_output(self, tool: Tool[Any], asked: ServerCall) -> bool:
        """Whether the call was refused in a sentence, or has an output; what else is raised is a mistake."""
        try:
            made: ServerCall = await tool.run(asked, self.task())
        except ZhuliError as error:
            return error.message.endswith(".")
        return made.is_done

    async def test_a_call_that_is_cancelled_ends(self, tool: Tool[Any]) -> None:
        running = asyncio.create_task(tool.run(await self.call(tool, json.dumps(self.arguments)), self.task()))
        await asyncio.sleep(0)
        running.cancel()
        done, _ = await asyncio.wait({running}, timeout=10)
        assert done, "run() must let CancelledError go"
        if not running.cancelled():  # it was done before
            running.result()

    async def test_closing_frees_it_once_and_for_all(self, tool: Tool[Any]) -> None:
        await self.done(tool)
        await tool.aclose()


async def estimates(texts: Sequence[str]) -> list[int]:
    """Tokens of each text, as a model without a tokenizer counts them."""
    return [estimate(text) for text in texts]
