"""The task of docs/howto/add-a-task.md works as it stands there, and so does the test that the page gives for it."""

from pathlib import Path

import pytest

from tests.harness.howto import blocks, installed, module
from tests.harness.later import later

with later:
    import torch

pytestmark = pytest.mark.usefixtures("precision")

PLUGIN, TEST = blocks("add-a-task.md")


def test_the_page_s_test_passes_with_the_page_s_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    installed(monkeypatch, "my_package.rating", PLUGIN)
    module("test_rating", TEST).test_stars_are_learned_from_words(tmp_path)
