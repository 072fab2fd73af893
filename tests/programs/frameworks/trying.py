"""Run a framework's program against a server, in an environment that has that framework and nothing else of ours."""

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import httpx2

from tests.programs.environments import node_of, python_of
from tests.programs.frameworks.table import PROGRAMS, SWITCHES, Framework

SCRIPT = PROGRAMS.parent / "script.json"
"""What the server's model says to the programs."""

AS_WRITTEN = "http://127.0.0.1:8000"
"""Where the programs, like the page, take the server to be."""

AN_ASSISTANT = "asst_abc123"
"""Where a program takes an assistant to be, which is made for it."""

PATIENCE = 240


class ProgramFailed(Exception):
    """A program did not end well; the text has what it said."""


def tried(framework: Framework, url: str, folder: Path) -> str:
    """What the program prints with the server at `url`, run in `folder`. ProgramFailed where it fails."""
    program = folder / f"program{framework.program.suffix}"  # under its own name a program would import itself
    source = framework.program.read_text(encoding="utf-8").replace(AS_WRITTEN, url)
    if AN_ASSISTANT in source:
        source = source.replace(AN_ASSISTANT, _new_assistant(url))
    program.write_text(source, encoding="utf-8")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONWARNINGS": "ignore", **_QUIET}
    done = subprocess.run(
        _command(framework, program, folder),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    if done.returncode:
        raise ProgramFailed(f"{framework.name} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return _results(folder / _RESULTS) if program.suffix == ".yaml" else done.stdout


def through_responses(framework: Framework, folder: Path) -> Framework:
    """The same with a program, written into `folder`, that asks for responses instead."""
    text = framework.program.read_text(encoding="utf-8")
    for chats, responds in SWITCHES[framework.name].items():
        assert chats in text
        text = text.replace(chats, responds)
    program = folder / f"responses_{framework.program.name}"
    program.write_text(text, encoding="utf-8")
    return replace(framework, program=program)


def _new_assistant(url: str) -> str:
    return str(httpx2.post(f"{url}/v1/assistants", json={"model": "gpt-4o"}, verify=False).json()["id"])


def _results(path: Path) -> str:
    """Of promptfoo's report, what does not differ from one time to the next."""
    results = json.loads(path.read_text(encoding="utf-8"))["results"]["results"]
    lines = [
        f"{one['provider']['id'].rpartition(':')[0]}: {one['response']['output']}: {one['success']}" for one in results
    ]
    return "".join(f"{line}\n" for line in sorted(lines))


_RESULTS = "results.json"

_QUIET = {
    "CREWAI_DISABLE_TELEMETRY": "true",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "MEM0_TELEMETRY": "False",
    "OTEL_SDK_DISABLED": "true",
    "PROMPTFOO_DISABLE_TELEMETRY": "1",
    "PROMPTFOO_DISABLE_UPDATE": "1",
}
"""Programs of tests report to nobody."""


def _command(framework: Framework, program: Path, folder: Path) -> list[str]:
    if program.suffix == ".py":
        return [str(python_of(framework.requirements)), str(program)]
    modules = node_of(framework.requirements) / "node_modules"
    (folder / "node_modules").symlink_to(modules)
    node = str(modules / ".bin" / "node")
    if program.suffix == ".mjs":
        return [node, str(program)]
    promptfoo = str(modules / "promptfoo" / "dist" / "src" / "entrypoint.js")
    return [
        node,
        promptfoo,
        "eval",
        "-c",
        str(program),
        "--no-cache",
        "--no-progress-bar",
        "-o",
        str(folder / _RESULTS),
    ]


def can_be_tried(framework: Framework) -> bool:
    """Whether this machine has what the program needs beside a network."""
    return framework.program.suffix == ".py" or bool(shutil.which("npm"))
