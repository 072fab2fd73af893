"""One line in the log when something is away that everything needs, and one when it is back: not one for each who needs it."""

import logging
import time

log = logging.getLogger(__name__)

_AGAIN_SECONDS = 60.0
"""After which an outage that lasts is said again."""


class Outages:
    """Of one thing. what: its name, as a sentence begins with it."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._since: float | None = None
        self._said_at = 0.0

    def note(self, why: str) -> None:
        """It does not do what it is for."""
        now = time.monotonic()
        if self._since is None:
            self._since = now
        elif now - self._said_at < _AGAIN_SECONDS:
            return
        self._said_at = now
        log.error("%s is away; what needs it is tried again or refused until it is back: %s", self._what, why)

    def over(self) -> None:
        """It does."""
        if self._since is not None:
            log.warning("%s is back after %.1f s", self._what, time.monotonic() - self._since)
            self._since = None
