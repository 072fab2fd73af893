"""A folder of a model that is made once from what a package brings: it appears whole or not at all.

Says nothing of what is in it: encoder_folder, minilm_base, e5_base and smollm2_base do.
"""

import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import Progress


def made_once(target: Path, write: Callable[[Path], None], *, title: str) -> Path:
    """`target`; if it is missing, `write` gets an empty folder to fill, which then takes its place.

    A process that dies meanwhile, or two that do it at once, leave nothing half done.
    """
    if target.exists():
        return target
    logging.getLogger(__name__).info("Setting up %s, once.", target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".setting-up-") as workshop:
        made = Path(workshop, target.name)
        made.mkdir()
        console = Console(stderr=True)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            progress.add_task(f"Setting up {title}", total=None)
            write(made)
        _flush(made)
        _settle(made, target)
    return target


def _flush(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


def _settle(made: Path, target: Path) -> None:
    """Move it into place; if another process was faster, what that one made is the same."""
    try:
        made.rename(target)
    except OSError:
        if not target.exists():
            raise
