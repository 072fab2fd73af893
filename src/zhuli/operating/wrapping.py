"""Break streamed text into lines of a terminal: English between words, Chinese between characters. Pure.

Code between fences keeps its lines. A word is held back until it is complete, so that it never breaks in two.
"""

from rich.cells import cell_len

_HANGING = frozenset("，。！？、；：）」』】》…”’")
"""Marks that must not begin a line; they may stand in the margin instead."""

_MARGIN = 2
"""Columns left free at the right: as wide as one such mark."""


class Wrap:
    """Feed it pieces; it gives what can be printed. `width` is in columns, of which a Chinese character takes two."""

    def __init__(self, width: int) -> None:
        self._limit = max(width - _MARGIN, 1)
        self._column = 0
        self._spaces = ""
        self._word = ""
        self._line = ""
        self._in_code = False

    def feed(self, piece: str) -> str:
        return "".join(map(self._take, piece))

    def close(self) -> str:
        """What was held back."""
        return self._flush()

    def _take(self, character: str) -> str:
        if character == "\n":
            return self._end_line()
        self._line += character
        if self._in_code:
            return character
        if character == " ":
            flushed = self._flush()
            self._spaces += " "
            return flushed
        if cell_len(character) < 2:
            self._word += character
            return ""
        return self._flush() + self._place(character)

    def _end_line(self) -> str:
        flushed = self._flush()
        if self._line.lstrip().startswith("```"):
            self._in_code = not self._in_code
        self._column, self._spaces, self._line = 0, "", ""
        return f"{flushed}\n"

    def _flush(self) -> str:
        word, self._word = self._word, ""
        return self._place(word) if word else ""

    def _place(self, text: str) -> str:
        """`text` behind the blanks before it, or on a new line without them."""
        spaces, self._spaces = self._spaces, ""
        room = self._limit + (_MARGIN if text in _HANGING else 0)
        width = cell_len(text)
        if self._column and self._column + len(spaces) + width > room:
            self._column = width
            return f"\n{text}"
        self._column += len(spaces) + width
        return f"{spaces}{text}"
