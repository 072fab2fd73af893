"""Small programs as an app's author writes them run unchanged on three releases of the SDK, sync and async.

The programs lie in python/ and know nothing of this server: the environment gives them base URL and key, but for Azure's,
whose address is in them. What they print is the same for all releases.
"""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness.server import Server
from tests.programs.environments import python_with

pytestmark = pytest.mark.parametrize("storage", ["sqlite"])
"""Releases differ in how they use the wire, not in where the server keeps its rows."""

RELEASES = ("1.109.1", "2.54.0", "3.54.0")
PROGRAMS = Path(__file__).parent / "python"
PATIENCE = 120
LONG_PATIENCE = 900

PRINTED = {
    "polling": """\
completed
assistant: You said: Where is the station?
completed
2
""",
    "streaming": """\
assistant: Once upon a time.
message completed
step message_creation completed
end
run completed
You said: hello
You said: hello
thread.run.created
thread.run.queued
thread.run.in_progress
thread.run.step.created
thread.run.step.in_progress
thread.message.created
thread.message.in_progress
thread.message.completed
thread.run.step.completed
thread.run.completed
""",
    "tools": """\
requires_action
looking up Paris
looking up Rome
completed
It is sunny in both.
tool_calls completed
message_creation completed
Let me look.
calling get_weather
calling get_weather
looking up Paris
looking up Rome
It is sunny in both.
completed
""",
    "create_and_run": """\
completed
{'user': 'Ann'}
You said: hello
thread.created
completed
You said: hello
True
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
    "cancelling": """\
400 True
cancelled
incomplete run_cancelled I begin
True
completed
""",
}


@pytest.fixture(params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("style", ["", "_async"], ids=["sync", "async"])
@pytest.mark.parametrize("program", PRINTED)
def test_a_program_prints_what_it_should(server: Server, release: str, program: str, style: str) -> None:
    assert run(f"{program}{style}", release, server) == PRINTED[program]


@pytest.mark.parametrize("style", ["", "_async"], ids=["sync", "async"])
def test_a_conversation_of_ten_turns(server: Server, release: str, style: str) -> None:
    turns = [json.loads(line) for line in run(f"conversation{style}", release, server).splitlines()]
    assert len(turns) == 10
    assert turns[0]["answer"] == "You said: My name is Ann. What is a lighthouse for?"
    assert turns[9]["answer"] == "You said: What is my name?"
    check_growth(turns)


@pytest.mark.embedded
@pytest.mark.timeout(LONG_PATIENCE)
@pytest.mark.parametrize("style", ["", "_async"], ids=["sync", "async"])
def test_a_conversation_of_ten_turns_with_a_real_model(start_server: Callable[..., Server], style: str) -> None:
    """The model that comes with the package; on one release, for the exact programs show that the others do the same."""
    server = with_built_in_models(start_server(fresh=True))
    turns = [json.loads(line) for line in run(f"conversation{style}", RELEASES[-1], server, LONG_PATIENCE).splitlines()]
    assert len(turns) == 10
    check_growth(turns)


def with_built_in_models(server: Server) -> Server:
    """The server as it comes: without a models file of the tests' own."""
    server.stop()
    (server.folder / "models.toml").unlink()
    server.start()
    return server


def check_growth(turns: list[dict[str, object]]) -> None:
    """Every turn is answered, and reads more than the one before."""
    for turn in turns:
        assert turn["status"] in ("completed", "incomplete")
        assert turn["answer"]
    prompts = [int(str(turn["prompt_tokens"])) for turn in turns]
    assert prompts == sorted(set(prompts))


def run(program: str, release: str, server: Server, patience: float = PATIENCE) -> str:
    """What the program prints in the environment of this release of the SDK; an address of its own becomes the server's."""
    python = python_with(release)
    source = server.folder / f"{program}-{release}.py"
    source.write_text((PROGRAMS / f"{program}.py").read_text().replace("http://127.0.0.1:8000", server.url))
    environment = {
        "PATH": os.environ["PATH"],
        "OPENAI_BASE_URL": server.base_url,
        "OPENAI_API_KEY": "sk-any",
        "PYTHONWARNINGS": "ignore",
    }
    done = subprocess.run(
        [python, source],
        env=environment,
        capture_output=True,
        text=True,
        timeout=patience,
        check=False,
    )
    assert done.returncode == 0, f"{program} with openai {release}:\n{done.stdout}\n{done.stderr}"
    return done.stdout
