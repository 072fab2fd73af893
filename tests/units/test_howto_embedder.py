"""The embedder of docs/howto/add-an-embedder.md works as it stands there, and so does the test that the page gives for it."""

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from zhuli import registry
from zhuli.testing.embedder_contract import EmbedderContract

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "add-an-embedder.md"
PLUGIN, TEST = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def module(name: str, source: str) -> ModuleType:
    made = ModuleType(name)
    exec(compile(source, str(PAGE), "exec"), made.__dict__)
    return made


@pytest.fixture
def my_package(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The page's file, as if it were installed."""
    made = module("my_package.letters", PLUGIN)
    monkeypatch.setitem(sys.modules, "my_package", ModuleType("my_package"))
    monkeypatch.setitem(sys.modules, "my_package.letters", made)
    return made


class TestThePlugin(EmbedderContract):
    @pytest.fixture
    def embedder(self, my_package: ModuleType) -> Any:
        return registry.find("embedders", "my_package.letters:Plugin")("letters", {})

    def plugin(self) -> Any:
        return module("letters", PLUGIN).__dict__["Plugin"]


def test_the_page_s_test_is_one_of_the_contract(my_package: ModuleType) -> None:
    made = module("test_letters", TEST).__dict__["TestLetters"]
    assert issubclass(made, EmbedderContract)
    assert made().plugin() is my_package.Plugin
