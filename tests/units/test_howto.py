"""The examples of docs/howto/write-a-test.md are tests, and pass."""

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "write-a-test.md"


def examples() -> dict[str, Any]:
    """The test functions of the page; its blocks build on each other, as a reader reads them."""
    namespace: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), namespace)
    return {name: value for name, value in namespace.items() if name.startswith("test_")}


@pytest.mark.parametrize("name", examples())
async def test_an_example_passes(name: str) -> None:
    await examples()[name]()
