"""The task of docs/howto/add-a-task.md works as it stands there, and so does the test that the page gives for it."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "add-a-task.md"
PLUGIN, TEST = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def module(name: str, source: str) -> ModuleType:
    made = ModuleType(name)
    exec(compile(source, str(PAGE), "exec"), made.__dict__)
    return made


def test_the_page_s_test_passes_with_the_page_s_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setitem(sys.modules, "my_package", ModuleType("my_package"))
    monkeypatch.setitem(sys.modules, "my_package.rating", module("my_package.rating", PLUGIN))
    module("test_rating", TEST).__dict__["test_stars_are_learned_from_words"](tmp_path)
