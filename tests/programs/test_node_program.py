"""A program on Node's SDK, whose stream helper is stricter than Python's (contract §3.2)."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.harness.server import Server
from tests.programs.environments import node_with

RELEASE = "7.57.0"
PROGRAM = Path(__file__).parent / "node" / "program.mjs"
PATIENCE = 120

PRINTED = """\
text created
text done: Once upon a time.
message completed
step message_creation completed
run completed
Once upon a time.
1 1
calling get_weather
called with {"city":"Paris"}
calling get_weather
called with {"city":"Rome"}
run requires_action
looking up Paris
looking up Rome
run completed
It is sunny in both.
run requires_action
looking up Paris
looking up Rome
run completed
run completed
run cancelled
run failed
assistant incomplete
user completed
"""


@pytest.mark.parametrize("storage", ["sqlite"])
@pytest.mark.skipif(not shutil.which("npm"), reason="there is no npm on this machine")
def test_the_node_program_prints_what_it_should(server: Server, tmp_path: Path) -> None:
    program = tmp_path / PROGRAM.name
    shutil.copy(PROGRAM, program)
    (tmp_path / "node_modules").symlink_to(node_with(RELEASE) / "node_modules")
    environment = {"PATH": os.environ["PATH"], "OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": "sk-any"}
    done = subprocess.run(
        ["node", program], env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert done.stdout == PRINTED
