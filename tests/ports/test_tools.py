"""Every tool that ships passes the contract."""

from pathlib import Path
from typing import Any

import pytest

from zhuli import registry
from zhuli.ports import Tool
from zhuli.testing.plain_tool_services import PlainToolServices
from zhuli.testing.tool_contract import ToolContract

TOWER = "The tower of Luzhou was built in 1412."


class TestFileSearch(ToolContract):
    arguments = {"queries": ["tower of Luzhou"]}
    wrong_arguments = {"queries": 5}
    wrong_settings = None  # the API itself has them, and has read them before

    @pytest.fixture
    def tool(self, tmp_path: Path) -> Any:
        return registry.find("tools", "file_search")("file_search", {}, PlainToolServices(tmp_path, passages=[TOWER]))

    async def test_it_gives_the_passages_that_it_found(self, tool: Tool[Any]) -> None:
        made = await self.done(tool)
        assert [result["content"][0]["text"] for result in made.model_dump()["file_search"]["results"]] == [TOWER]


class TestRecommend(ToolContract):
    settings = {"recommender": "rec_1", "user": "ann"}
    arguments = {"count": 1}
    wrong_arguments = {"count": "many"}
    wrong_settings = {"recommender": "rec_1"}

    @pytest.fixture
    def tool(self, tmp_path: Path) -> Any:
        return registry.find("tools", "recommend")("recommend", {}, PlainToolServices(tmp_path, passages=[TOWER, "x"]))

    async def test_it_gives_items_with_their_reasons(self, tool: Tool[Any]) -> None:
        made = await self.done(tool)
        assert made.model_dump()["recommend"]["output"] == f"List rlist_1:\n1. {TOWER} (id i0). It is new."


def test_every_tool_is_tested_here() -> None:
    assert registry.built_in("tools") == ["file_search", "recommend"]
