"""The understander of docs/howto/add-an-understander.md works as it stands there, and so does the page's test for it."""

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from zhuli import registry
from zhuli.testing.plain_senses import PlainSenses
from zhuli.testing.understander_contract import UnderstanderContract
from zhuli.types.domain import DomainFields

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "add-an-understander.md"
PLUGIN, TEST = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def module(name: str, source: str) -> ModuleType:
    made = ModuleType(name)
    exec(compile(source, str(PAGE), "exec"), made.__dict__)
    return made


@pytest.fixture
def my_package(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The page's file, as if it were installed."""
    made = module("my_package.shared_words", PLUGIN)
    monkeypatch.setitem(sys.modules, "my_package", ModuleType("my_package"))
    monkeypatch.setitem(sys.modules, "my_package.shared_words", made)
    return made


class TestThePlugin(UnderstanderContract):
    @pytest.fixture
    def understander(self, my_package: ModuleType, domain: DomainFields, tmp_path: Path) -> Any:
        return registry.find("understanders", "my_package.shared_words:Plugin")(domain, PlainSenses(tmp_path))


def test_the_page_s_test_is_one_of_the_contract(my_package: ModuleType) -> None:
    made = module("test_shared_words", TEST).__dict__["TestSharedWords"]
    assert issubclass(made, UnderstanderContract)
    assert made.understander is not UnderstanderContract.__dict__.get("understander")
