"""Run `zhuli` in a process of its own, with nothing of the tester's settings."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.harness import warm
from tests.harness.server import Server

PATIENCE = 60.0

MODELS = """\
default = "script"
[models.script]
backend = "scripted"
script = "script.json"
[embedders.hashed]
plugin = "hashed"
[aliases]
"gpt-4o" = "script"
"""


def zhuli(
    *arguments: str | Path, env: Mapping[str, str] | None = None, patience: float = PATIENCE
) -> subprocess.CompletedProcess[str]:
    """The command's exit code and what it wrote."""
    return warm.run([*map(str, arguments)], env=environment(env), patience=patience)


def asked(server: Server, *words: str) -> str:
    """What the command says on standard output; RuntimeError with what it says otherwise, if it fails."""
    done = zhuli(*words, "--base-url", server.base_url)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return done.stdout


@contextmanager
def running(*arguments: str | Path, log: Path) -> Iterator[warm.Process]:
    """A command that goes on; what it writes goes to `log`."""
    with log.open("ab") as file:
        process = warm.start([*map(str, arguments)], env=environment(), output=file, errors=file)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def command(*arguments: str | Path) -> list[str]:
    """How a user starts it: cold."""
    return warm.command(*map(str, arguments))


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    ours = ("ZHULI_", "OPENAI_", "OTEL_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "NO_COLOR": "1", "ZHULI_FIRST_MODEL": "packaged", **(more or {})}


def scripted_models(folder: Path) -> Path:
    """A data folder whose model follows a script."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "models.toml").write_text(MODELS)
    (folder / "script.json").write_text('{"rules": [], "default": [{"text": "Hello."}]}')
    return folder
