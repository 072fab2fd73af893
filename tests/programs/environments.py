"""An environment of its own for each release of the SDKs and frameworks, made when first asked for and kept.

They lie in .venvs/ of the repository, or where ZHULI_TEST_ENVIRONMENTS says. They hold nothing but what is named: a
program that runs in one sees what an app's own environment has.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PLACE = Path(os.environ.get("ZHULI_TEST_ENVIRONMENTS", Path(__file__).parents[2] / ".venvs"))


def python_with(openai: str) -> Path:
    """The Python of an environment that has this release of `openai`."""
    return _python(PLACE / f"openai-{openai}", [f"openai=={openai}"])


def python_of(requirements: Sequence[str]) -> Path:
    """The Python of an environment that has these packages; pip never takes LiteLLM along."""
    return _python(PLACE / _name_of(requirements), requirements)


def _python(folder: Path, requirements: Sequence[str]) -> Path:
    python = folder / "bin" / "python"
    with _made_once(folder) as must_be_made:
        if must_be_made:
            _run(sys.executable, "-m", "venv", "--without-pip", str(folder))
            ours = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python))
            (unwanted := folder / "unwanted.txt").write_text("litellm<0\n")
            _run(*ours, "install", "--quiet", "--no-compile", "-c", str(unwanted), *requirements)
    return python


def node_with(openai: str) -> Path:
    """A folder in which Node finds this release of npm's `openai`."""
    return _node(PLACE / f"node-openai-{openai}", [f"openai@{openai}"])


def node_of(requirements: Sequence[str]) -> Path:
    """A folder in which Node finds these packages, without what they call optional."""
    return _node(PLACE / f"node-{_name_of(requirements)}", requirements)


def _node(folder: Path, requirements: Sequence[str]) -> Path:
    with _made_once(folder) as must_be_made:
        if must_be_made:
            _run("npm", "install", "--no-audit", "--no-fund", "--omit=optional", "--prefix", str(folder), *requirements)
    return folder


def _name_of(requirements: Sequence[str]) -> str:
    """The same for the same packages in the same releases; begins with the first one's name."""
    first = re.sub(r"[^a-z0-9]+", "-", requirements[0].lower()).strip("-")
    return f"{first}-{hashlib.sha256(' '.join(requirements).encode()).hexdigest()[:8]}"


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
