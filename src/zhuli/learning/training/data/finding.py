"""Something about a data file that its owner should know: where, what is wrong, and what would be right."""

from dataclasses import dataclass
from typing import Literal

from zhuli.types.learning.example import Record


@dataclass(frozen=True, slots=True)
class Finding:
    """line: of the file, from 1 (of a table without lines: the row); 0: the file as a whole.

    An error makes the file unusable for training; a warning is only told.
    """

    line: int
    message: str
    level: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        return f"Line {self.line}: {self.message}" if self.line else self.message


Entry = Record | Finding
"""What readers give for each entry of a file, so that one bad entry does not hide the ones behind it."""
