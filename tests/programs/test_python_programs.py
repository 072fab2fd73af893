"""Small programs as an app's author writes them run unchanged on three releases of the SDK, sync and async.

The programs lie in python/ and know nothing of this server: the environment gives them base URL and key, but for Azure's,
whose address is in them. What they print is the same for all releases. One program of each release is started as its user
would; the others are forks of a process that has imported the SDK (warm_python.py), for importing it takes longer than they do.
"""

import json
import os
import select
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

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


COLD = "polling"
"""The program that each release starts as a user does."""


class Warm:
    """A process of each release that forks for its programs."""

    def __init__(self) -> None:
        self._processes: dict[str, subprocess.Popen[str]] = {}

    def run(self, release: str, source: Path, environment: dict[str, str], patience: float) -> tuple[int, str, str]:
        """Exit code, output and errors of a program."""
        process = self._process(release)
        output, errors = source.with_suffix(".out"), source.with_suffix(".err")
        asked = {"source": str(source), "environment": environment, "output": str(output), "errors": str(errors)}
        into, out = _open(process.stdin), _open(process.stdout)
        into.write(json.dumps(asked) + "\n")
        into.flush()
        if not select.select([out], [], [], patience)[0]:
            process.kill()
            pytest.fail(f"{source.name} goes on after {patience:.0f} s:\n{output.read_text()}\n{errors.read_text()}")
        return int(out.readline()), output.read_text(), errors.read_text()

    def _process(self, release: str) -> subprocess.Popen[str]:
        if release not in self._processes or self._processes[release].poll() is not None:
            self._processes[release] = subprocess.Popen(
                [python_with(release), Path(__file__).parent / "warm_python.py"],
                env={"PATH": os.environ["PATH"], "PYTHONWARNINGS": "ignore"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        return self._processes[release]

    def end(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.communicate()


def _open(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    made = Warm()
    yield made
    made.end()


@pytest.fixture(params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("style", ["", "_async"], ids=["sync", "async"])
@pytest.mark.parametrize("program", PRINTED)
def test_a_program_prints_what_it_should(server: Server, release: str, program: str, style: str, warm: Warm) -> None:
    assert run(f"{program}{style}", release, server, warm if program != COLD else None) == PRINTED[program]


@pytest.mark.parametrize("style", ["", "_async"], ids=["sync", "async"])
def test_a_conversation_of_ten_turns(server: Server, release: str, style: str, warm: Warm) -> None:
    turns = [json.loads(line) for line in run(f"conversation{style}", release, server, warm).splitlines()]
    assert len(turns) == 10
    assert turns[0]["answer"] == "You said: My name is Ann. What is a lighthouse for?"
    assert turns[9]["answer"] == "You said: What is my name?"
    check_growth(turns)


@pytest.mark.embedded
@pytest.mark.timeout(LONG_PATIENCE)
def test_a_conversation_of_ten_turns_with_a_real_model(start_server: Callable[..., Server]) -> None:
    """The model that comes with the package; on one release and sync, for the exact programs show that the others do the same."""
    server = with_built_in_models(start_server(fresh=True))
    said = run("conversation", RELEASES[-1], server, patience=LONG_PATIENCE)
    turns = [json.loads(line) for line in said.splitlines()]
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


def run(program: str, release: str, server: Server, warm: Warm | None = None, patience: float = PATIENCE) -> str:
    """What the program prints in the environment of this release of the SDK; an address of its own becomes the server's."""
    source = server.folder / f"{program}-{release}.py"
    source.write_text((PROGRAMS / f"{program}.py").read_text().replace("http://127.0.0.1:8000", server.url))
    environment = {
        "PATH": os.environ["PATH"],
        "OPENAI_BASE_URL": server.base_url,
        "OPENAI_API_KEY": "sk-any",
        "PYTHONWARNINGS": "ignore",
    }
    run_it = warm.run if warm else _started
    code, output, errors = run_it(release, source, environment, patience)
    assert code == 0, f"{program} with openai {release}:\n{output}\n{errors}"
    return output


def _started(release: str, source: Path, environment: dict[str, str], patience: float) -> tuple[int, str, str]:
    """As its user would start it."""
    python = python_with(release)
    done = subprocess.run(
        [python, source], env=environment, capture_output=True, text=True, timeout=patience, check=False
    )
    return done.returncode, done.stdout, done.stderr
