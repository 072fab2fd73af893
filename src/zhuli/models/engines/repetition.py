"""Notices that an answer says the same again and again, word for word, as small models do until their limit. Pure."""

COPIES = 4
"""So many in a row, and nothing after them."""

SPAN = 1_000
"""Characters that the copies have at least: a short line that is wanted a few dozen times is no loop."""

_KEPT = 16_384
"""Characters of the answer's end that are looked at: a unit may be a quarter of them."""

_EVERY = 200
"""New characters between two looks."""

_KEY = 32
"""The last characters, whose place before says how long the unit may be."""


class Repetition:
    """Fed with an answer's text, piece by piece; costs a search in its end now and then, however long it becomes."""

    def __init__(self) -> None:
        self.loops = False
        self._end = ""
        self._new: list[str] = []
        self._waiting = 0

    def feed(self, text: str) -> None:
        """`loops` is true from the look on at which the answer's end is COPIES of one unit, SPAN characters or more."""
        self._new.append(text)
        self._waiting += len(text)
        if self._waiting < _EVERY:
            return
        self._end = "".join((self._end, *self._new))[-_KEPT:]
        self._new, self._waiting = [], 0
        self.loops = self.loops or ends_in_a_loop(self._end)


def ends_in_a_loop(text: str) -> bool:
    """Whether `text` ends with COPIES or more of one unit; blanks alone count, for a model may write them without end."""
    key = text[-_KEY:]
    before = text.rfind(key, 0, len(text) - 1)
    if len(key) < _KEY or before < 0:
        return False
    unit = len(text) - len(key) - before
    copied = max(COPIES * unit, SPAN) - unit
    return len(text) >= copied + unit and text[-copied:] == text[-copied - unit : -unit]
