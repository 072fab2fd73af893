"""Imports that wait for the first test that needs them: collecting tests must not load torch.

    with later:
        import torch
        from zhuli.learning.training.tune import tune

In a test module, such names stand for what they will be while tests are collected, and are it before the first test of the
module runs. So they may be used in functions, annotations and fixtures, not at import. What they import is imported for real:
only test modules have such blocks.
"""

import builtins
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Wanted:
    """What a name will be: a module, or something in one."""

    module: str
    name: str | None = None

    def found(self) -> Any:
        module = import_module(self.module)
        if self.name is None:
            return module
        load(module)
        if not hasattr(module, self.name):
            return import_module(f"{self.module}.{self.name}")
        return getattr(module, self.name)


class _Names:
    """What `from module import …` asks for its names."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Wanted:
        return Wanted(self._module, name)


class _Later:
    def __enter__(self) -> None:
        self._usual = builtins.__import__
        builtins.__import__ = _noted

    def __exit__(self, *_: object) -> None:
        builtins.__import__ = self._usual


later = _Later()


def _noted(name: str, globals: object = None, locals: object = None, fromlist: Any = (), level: int = 0) -> Any:
    """In place of __import__."""
    return _Names(name) if fromlist else Wanted(name)


def load(module: ModuleType) -> None:
    """Import what the module wants."""
    for name, value in list(vars(module).items()):
        if isinstance(value, Wanted):
            setattr(module, name, value.found())
