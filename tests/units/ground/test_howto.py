"""The examples of docs/howto/write-a-test.md are tests, and pass."""

from typing import Any

import pytest

from tests.harness.howto import blocks, module


def examples() -> dict[str, Any]:
    """The test functions of the page; its blocks build on each other, as a reader reads them."""
    page = module("write_a_test", "\n".join(blocks("write-a-test.md")))
    return {name: value for name, value in vars(page).items() if name.startswith("test_")}


@pytest.mark.parametrize("name", examples())
async def test_an_example_passes(name: str) -> None:
    await examples()[name]()
