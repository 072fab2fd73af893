"""What the parent of a tuning asks of it, looked at before every step. Imports nothing heavy.

Asking only sets a word; the tuning ends itself where it can be taken up again.
"""

from typing import Literal

Wanted = Literal["cancel", "pause"]


class Stopped(Exception):
    """The tuning ended because it was asked to; `how` is the state that it is in now."""

    def __init__(self, how: Literal["cancelled", "paused"]) -> None:
        super().__init__(how)
        self.how = how


class Control:
    """One tuning's ear. Safe to use from several threads and from signal handlers; a cancel outranks a pause."""

    def __init__(self) -> None:
        self.wanted: Wanted | None = None

    def ask(self, what: Wanted) -> None:
        if self.wanted != "cancel":
            self.wanted = what

    def check(self) -> None:
        """Raise Stopped if something was asked; for work between steps that can be done again from the start."""
        if self.wanted == "cancel":
            raise Stopped("cancelled")
        if self.wanted == "pause":
            raise Stopped("paused")
