"""The understander of docs/howto/add-an-understander.md works as it stands there, and so does the page's test for it."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.harness.howto import blocks, installed, module
from zhuli import registry
from zhuli.testing.plain_services import PlainServices
from zhuli.testing.understander_contract import UnderstanderContract
from zhuli.types.understanding.domain import DomainFields

PLUGIN, TEST = blocks("add-an-understander.md")


@pytest.fixture
def my_package(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The page's file, as if it were installed."""
    return installed(monkeypatch, "my_package.shared_words", PLUGIN)


class TestThePlugin(UnderstanderContract):
    @pytest.fixture
    def understander(self, my_package: ModuleType, domain: DomainFields, tmp_path: Path) -> Any:
        return registry.find("understanders", "my_package.shared_words:Plugin")(domain, PlainServices(tmp_path))


def test_the_page_s_test_is_one_of_the_contract(my_package: ModuleType) -> None:
    made = module("test_shared_words", TEST).TestSharedWords
    assert issubclass(made, UnderstanderContract)
    assert made.understander is not UnderstanderContract.__dict__.get("understander")
