"""The Python of a page of docs/howto, so that tests can run it as it stands there."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "howto"


def blocks(page: str) -> list[str]:
    """The page's blocks of Python, in order."""
    return re.findall(r"```python\n(.*?)```", (FOLDER / page).read_text(encoding="utf-8"), re.DOTALL)


def module(name: str, source: str) -> ModuleType:
    """What a file with this source would define."""
    return _filled(ModuleType(name), source)


def installed(monkeypatch: pytest.MonkeyPatch, name: str, source: str) -> ModuleType:
    """The same as the module "package.name", which anybody can import until the test ends."""
    package, made = name.partition(".")[0], ModuleType(name)
    monkeypatch.setitem(sys.modules, package, ModuleType(package))
    monkeypatch.setitem(sys.modules, name, made)
    return _filled(made, source)


def _filled(made: ModuleType, source: str) -> ModuleType:
    exec(compile(source, f"<{made.__name__} of docs/howto>", "exec"), made.__dict__)
    return made
