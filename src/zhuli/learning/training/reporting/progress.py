"""A progress bar in the terminal, drawn by listening to a tuning's event log."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from zhuli.types.learning.tuning import TuningEvent


class ProgressBar:
    """A listener of an EventLog. Inside a `with`, metrics move the bar and everything else is a line above it."""

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, TimeRemainingColumn(), console=console)
        self._bar = self._progress.add_task("Training", total=None, visible=False)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def __call__(self, event: TuningEvent) -> None:
        if event.kind == "metrics" and "step" in event.data:
            _, _, losses = event.message.partition(": ")
            done, total = event.data["step"], event.data["total_steps"]
            self._progress.update(self._bar, description=losses, completed=done, total=total, visible=True)
        else:
            style = {"info": "", "warn": "yellow", "error": "red"}[event.level]
            self._progress.console.print(event.message, style=style, markup=False, highlight=False)
