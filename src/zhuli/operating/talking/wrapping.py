"""Break streamed text into lines of a terminal: English between words, Chinese between characters. Pure.

Everything is shown as it comes; a word that turns out to be too long for its line is taken back and begins the next one.
Code between fences keeps its lines.
"""

from rich.cells import cell_len

_HANGING = frozenset("，。！？、；：）」』】》…”’")
"""Marks that must not begin a line; they may stand in the margin instead."""

_MARGIN = 2
"""Columns left free at the right: as wide as one such mark."""

_ERASE = "\x1b[K"
"""Clears the line from here to its end (ECMA-48, EL)."""


class Wrap:
    """Feed it pieces; it gives what to print. `width` is in columns, of which a Chinese character takes two."""

    def __init__(self, width: int) -> None:
        self._limit = max(width - _MARGIN, 1)
        self._column = 0
        self._word = ""
        self._line = ""
        self._in_code = False

    def feed(self, piece: str) -> str:
        return "".join(map(self._take, piece))

    def _take(self, character: str) -> str:
        if character == "\n":
            return self._end_line()
        self._line += character
        if self._in_code:
            return character
        if character == " ":
            return self._space()
        room = self._limit + (_MARGIN if character in _HANGING else 0)
        if self._column + cell_len(character) > room and cell_len(self._word) < self._column:
            return self._break_before(character)
        return self._put(character)

    def _end_line(self) -> str:
        if self._line.lstrip().startswith("```"):
            self._in_code = not self._in_code
        self._column, self._word, self._line = 0, "", ""
        return "\n"

    def _space(self) -> str:
        """A blank; none at the end of a line, where it would only begin the next."""
        self._word = ""
        if self._column >= self._limit:
            return ""
        self._column += 1
        return " "

    def _break_before(self, character: str) -> str:
        """Go on in the next line, and take the word along that `character` belongs to."""
        taken = self._word if cell_len(character) < 2 else ""
        self._column, self._word = cell_len(taken), taken
        back = "\b" * self._column + _ERASE if taken else ""
        return f"{back}\n{taken}{self._put(character)}"

    def _put(self, character: str) -> str:
        width = cell_len(character)
        self._column += width
        self._word = self._word + character if width < 2 else ""
        return character
