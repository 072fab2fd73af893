"""The embedder of docs/howto/add-an-embedder.md works as it stands there, and so does the test that the page gives for it."""

from types import ModuleType
from typing import Any

import pytest

from tests.harness.howto import blocks, installed, module
from zhuli import registry
from zhuli.testing.embedder_contract import EmbedderContract

PLUGIN, TEST = blocks("add-an-embedder.md")


@pytest.fixture
def my_package(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The page's file, as if it were installed."""
    return installed(monkeypatch, "my_package.letters", PLUGIN)


class TestThePlugin(EmbedderContract):
    @pytest.fixture
    def embedder(self, my_package: ModuleType) -> Any:
        return registry.find("embedders", "my_package.letters:Plugin")("letters", {})

    def plugin(self) -> Any:
        return module("letters", PLUGIN).Plugin


def test_the_page_s_test_is_one_of_the_contract(my_package: ModuleType) -> None:
    made = module("test_letters", TEST).TestLetters
    assert issubclass(made, EmbedderContract)
    assert made().plugin() is my_package.Plugin
