"""When Python looks for garbage: among new objects as ever, among all others in a quiet moment.

A look at all objects stops every thread for as long as there are objects: a tenth of a second for a million. Python takes one
whenever there is a quarter more than at the last one, that is, in the midst of the largest requests; here it waits until none
is being answered. Most garbage needs no look at all, and of the rest most is found among new objects. What outlives a look in a
quiet moment is looked at once an hour.
"""

import gc
from collections.abc import Callable
from time import monotonic

YOUNG = 1_000
"""New objects, more than went, from which on they are looked at: a twentieth of a millisecond's work."""

MIDDLE = 10
"""So many of these looks make one that looks at all that came since the last such one: a millisecond's."""

NEVER = 2**31 - 1

QUIET_SECONDS = 10.0
"""Between two looks at what is no longer new, where nobody is kept waiting."""

BUSY_SECONDS = 60.0
"""After which one is taken, whoever waits: a server may never be quiet, and its memory must not grow."""


HOUR = 3600.0
"""Between two looks at everything: what was in use for long and then became garbage is little."""


def only_new_objects() -> None:
    """From now on, in this process, Python looks at new objects only, and at none of those that there are."""
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, NEVER)


class Garbage:
    """Looks at what is no longer new in good time; `look` is to be called often."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._last = self._last_of_all = now()

    def look(self, *, quiet: bool) -> None:
        """Take a look now, if it is time. quiet: whether no request is being answered."""
        now = self._now()
        if now - self._last < (QUIET_SECONDS if quiet else BUSY_SECONDS):
            return
        if quiet and now - self._last_of_all >= HOUR:
            gc.unfreeze()
            self._last_of_all = now
        elif not gc.get_count()[2]:  # nothing grew old since then
            return
        gc.collect()
        if quiet:
            gc.freeze()
        self._last = self._now()
