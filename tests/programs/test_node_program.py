"""Programs on Node's SDK, whose stream helper is stricter than Python's (contract §3.2)."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.harness.server import Server
from tests.programs.environments import node_with

RELEASE = "7.57.0"
PROGRAMS = Path(__file__).parent / "node"
PATIENCE = 120

PRINTED = {
    "program": """\
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
""",
    "azure": """\
You said: hello
Once |upon |a |time.|
2
completed
Once upon a time.
processed
You said: hello
""",
}


@pytest.mark.parametrize("storage", ["sqlite"])
@pytest.mark.parametrize("name", PRINTED)
@pytest.mark.skipif(not shutil.which("npm"), reason="there is no npm on this machine")
def test_a_node_program_prints_what_it_should(server: Server, name: str, tmp_path: Path) -> None:
    program = tmp_path / f"{name}.mjs"
    program.write_text((PROGRAMS / program.name).read_text().replace("http://127.0.0.1:8000", server.url))
    (tmp_path / "node_modules").symlink_to(node_with(RELEASE) / "node_modules")
    environment = {"PATH": os.environ["PATH"]}
    if name != "azure":  # whose client takes no second address
        environment |= {"OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": "sk-any"}
    done = subprocess.run(
        ["node", program], env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert done.stdout == PRINTED[name]
