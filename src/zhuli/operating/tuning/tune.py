"""`zhuli tune` and `zhuli predict`: a tuning in a folder, run here without a server, and its model asked.

Ctrl-C pauses: the folder keeps everything, and the same command goes on. What a tuning does is training.tune's matter.
"""

import json
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console

from zhuli.core.errors import ConfigurationError
from zhuli.learning.training import new_folder
from zhuli.learning.training.api import check_folder
from zhuli.learning.training.control import Control
from zhuli.learning.training.data import report as data_report
from zhuli.learning.training.event_log import Listener
from zhuli.learning.training.failures import TuningFailed
from zhuli.learning.training.reporting.progress import ProgressBar
from zhuli.learning.training.tune import Outcome, tune
from zhuli.learning.training.tuned import open_tuned
from zhuli.types.learning.example import BadExample
from zhuli.types.learning.tuning import MODEL, TASK, TuningEvent

EXIT_CODES = {"succeeded": 0, "failed": 1, "cancelled": 1, "paused": 3}


def run(folder: Path) -> int:
    """Run the tuning or go on with it, and print its report; the exit code."""
    new_folder.read(folder)
    control = Control()
    with _signals_pause(control), ProgressBar(Console(stderr=True)) as progress:
        outcome = tune(folder, control=control, listeners=[_but_failures(progress)])
    _tell(folder, outcome)
    return EXIT_CODES[outcome.status]


def check(folder: Path) -> int:
    """Read the data as the tuning would, and print what is in it; the exit code."""
    try:
        print(data_report.text(check_folder(folder)))
    except TuningFailed as error:
        print(f"zhuli: {error.message}", file=sys.stderr)
        return 1
    return 0


def predict(folder: Path, inputs: Sequence[str]) -> Iterator[str]:
    """The model's answer to each input, a line of JSON. What begins like a JSON object or list is read as one."""
    place = folder if (folder / TASK).exists() else folder / MODEL
    tuned = open_tuned(place)
    try:
        for answer in tuned.predict([_read(text) for text in inputs]):
            yield json.dumps(answer, ensure_ascii=False)
    except BadExample as error:
        raise ConfigurationError(f"The model can't take this input: {error}") from error


def _but_failures(listener: Listener) -> Listener:
    """A failure is said once, at the end, also where there was no space left to write it down."""

    def hear(event: TuningEvent) -> None:
        if event.kind != "failed":
            listener(event)

    return hear


def _tell(folder: Path, outcome: Outcome) -> None:
    if outcome.status == "succeeded":
        print((folder / "report.txt").read_text(encoding="utf-8"))
        print(f"The model is in {outcome.model}. Ask it: zhuli predict {folder} TEXT")
        print(f"Have a server answer with it: zhuli models import {outcome.model} --name NAME")
    elif outcome.status == "paused":
        print(f"Paused. Go on: zhuli tune {folder}", file=sys.stderr)
    elif outcome.status == "cancelled":
        print("Cancelled.", file=sys.stderr)
    else:
        error = outcome.error
        print(f"zhuli: {error.message if error else 'The tuning failed.'}", file=sys.stderr)


@contextmanager
def _signals_pause(control: Control) -> Iterator[None]:
    """The first Ctrl-C, or SIGTERM, pauses after the step; another Ctrl-C ends at once."""

    def pause(number: int, frame: FrameType | None) -> None:
        control.ask("pause")
        signal.signal(signal.SIGINT, signal.default_int_handler)
        print("\nPausing after this step; Ctrl-C again to end at once.", file=sys.stderr)

    before = {number: signal.signal(number, pause) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _read(text: str) -> Any:
    if text.lstrip()[:1] not in ("{", "["):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
