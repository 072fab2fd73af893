"""The Python of the pages that new users read runs as it stands there, each page's blocks one after the other."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartServer

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tests" / "scripts" / "searching.json"


@pytest.mark.parametrize(
    ("page", "printed"),
    [
        (
            "README.md",
            r"【0:0†source】 is hours\.md\n\d\.\d\d hours\.md: .*8:00[\s\S]*"
            r"On which day\?\nWe open at 6 pm\.[\s\S]* On which day\?\nA table for 4 on 2031-05-03: done\.",
        ),
        ("docs/getting-started.md", r"\d\.\d\d .+"),
        (
            "docs/evals.md",
            r"completed ResultCounts\(errored=0, failed=2, passed=0, total=2\)\nfail [\s\S]*0.0 % before",
        ),
        ("docs/knowledge.md", r"completed None\n\d\.\d\d README\.md: .+"),
    ],
)
def test_the_examples_of_a_page_run(
    page: str,
    printed: str,
    start_server: StartServer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = start_server(script=SCRIPT)
    monkeypatch.chdir(ROOT)
    namespace: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL):
        source = block.replace("http://127.0.0.1:8000/v1", server.base_url)
        exec(compile(source, page, "exec"), namespace)
    namespace["client"].close()
    assert re.search(printed, capsys.readouterr().out)
