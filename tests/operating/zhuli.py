"""Run `zhuli` as an operator does: in a process of its own, with nothing of the tester's settings."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

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
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, env=environment(env), timeout=patience, check=False
    )


@contextmanager
def running(*arguments: str | Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A command that goes on; what it writes goes to `log`."""
    with (
        log.open("ab") as file,
        subprocess.Popen(command(*arguments), stdout=file, stderr=subprocess.STDOUT, env=environment()) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "zhuli.cli", *map(str, arguments)]


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    ours = ("ZHULI_", "OPENAI_", "OTEL_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "NO_COLOR": "1", **(more or {})}


def scripted_models(folder: Path) -> Path:
    """A data folder whose model follows a script."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "models.toml").write_text(MODELS)
    (folder / "script.json").write_text('{"rules": [], "default": [{"text": "Hello."}]}')
    return folder
