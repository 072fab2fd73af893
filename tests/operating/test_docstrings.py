"""What others read before they call it has a docstring: ports, wire types, modules that how-tos and pages of the house name."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "zhuli"
HOWTOS = "".join(page.read_text() for page in (ROOT / "docs" / "howto").glob("*.md"))
PAGES = "".join(page.read_text() for page in (ROOT / "docs" / "architecture").glob("*.md"))

IMPLEMENT_PORTS = ("plugins", "models", "learning/neural", "testing")
"""Where classes have the methods of a port, which the port describes."""


def read_by_others() -> list[Path]:
    """The modules, as paths under src/zhuli."""
    imported = re.findall(r"(?:from |import |`)zhuli\.([\w.]+)", HOWTOS)
    named = [*(module.replace(".", "/") for module in imported), *re.findall(r"`(\w+/[\w/]+)(?:\.\w+)?`", PAGES)]
    types = [str(path.relative_to(SOURCE).with_suffix("")) for path in (SOURCE / "types").rglob("*.py")]
    found = {SOURCE / f"{name}.py" for name in ["ports", *types, *named]}
    return sorted(path.relative_to(SOURCE) for path in found if path.exists() and path.name != "__init__.py")


def public(node: ast.Module | ast.ClassDef, within: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Functions, classes and their methods, by their names within the module."""
    for child in node.body:
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not child.name.startswith("_"):
            yield within + child.name, child
            if isinstance(child, ast.ClassDef):
                yield from public(child, f"{child.name}.")


def described_by_ports() -> set[str]:
    methods = (name for name, _ in public(ast.parse((SOURCE / "ports.py").read_text())))
    return {name.partition(".")[2] for name in methods if "." in name}


@pytest.mark.parametrize("module", read_by_others(), ids=str)
def test_what_is_public_says_what_it_is(module: Path) -> None:
    ports = described_by_ports() if str(module).startswith(IMPLEMENT_PORTS) else set()
    silent = [
        name
        for name, node in public(ast.parse((SOURCE / module).read_text()))
        if not ast.get_docstring(node)  # type: ignore[arg-type]
        and not (method := name.rpartition(".")[2]).startswith("test_")  # a test's name is its sentence
        and not ("." in name and method in ports)
    ]
    assert silent == []
