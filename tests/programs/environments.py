"""An environment of its own for each release of the SDKs, made when first asked for and kept for the next time.

They lie in .venvs/ of the repository, or where ZHULI_TEST_ENVIRONMENTS says. They hold nothing but the SDK: a program
that runs in one sees what an app's own environment has.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PLACE = Path(os.environ.get("ZHULI_TEST_ENVIRONMENTS", Path(__file__).parents[2] / ".venvs"))


def python_with(openai: str) -> Path:
    """The Python of an environment that has this release of `openai`."""
    folder = PLACE / f"openai-{openai}"
    python = folder / "bin" / "python"
    with _made_once(folder) as must_be_made:
        if must_be_made:
            _run(sys.executable, "-m", "venv", "--without-pip", str(folder))
            ours = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python))
            _run(*ours, "install", "--quiet", "--no-compile", f"openai=={openai}")
    return python


def node_with(openai: str) -> Path:
    """A folder in which Node finds this release of npm's `openai`."""
    folder = PLACE / f"node-openai-{openai}"
    with _made_once(folder) as must_be_made:
        if must_be_made:
            _run("npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), f"openai@{openai}")
    return folder


@contextmanager
def _made_once(folder: Path) -> Iterator[bool]:
    """Whether `folder` must be made, while no other process makes it; one that was left half made is made anew."""
    PLACE.mkdir(parents=True, exist_ok=True)
    ready = PLACE / f"{folder.name}.ready"
    with (PLACE / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if ready.exists():
            yield False
            return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        yield True
        ready.touch()


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
