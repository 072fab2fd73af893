"""The letters of a PDF's page through PDFium, each with its place as the page is shown and the direction in which it is read.

PDFium gives text in logical order, right-to-left words included; ligatures and forms of Arabic letters become the letters.
"""

import ctypes
import math
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from zhuli.knowledge.documents.pdf_tables import Box

UP, RIGHTWARDS, DOWN, LEFTWARDS = 1, 0, 3, 2
"""Directions of reading, by quarter turns against the clock."""
OBLIQUE = 4
"""Between them, like a stamp across the page: read as the file has it."""
SLANT = 0.15
"""Quarters of a turn up to which a line is but crooked."""
STACKED = 1.35
"""Heights of a letter between two that stand one below the other in vertical writing."""
MIN_STACK = 3
_ENDS, _SPACES = frozenset((10, 13)), frozenset((9, 32, 160, 0x3000))


@dataclass(slots=True)
class Letter:
    """text: "\\n" ends a line, " " is a space; neither has a place."""

    text: str
    box: Box
    direction: int = RIGHTWARDS


class Sheet:
    """The page as it is shown: its size in points and how it is turned."""

    def __init__(self, page: Any) -> None:
        self.width, self.height, self._turn = page.get_width(), page.get_height(), page.get_rotation()
        left, bottom = page.get_bbox()[:2]
        self._shift = left, bottom

    @property
    def quarters(self) -> int:
        return int(self._turn // 90)

    def shown(self, box: Box) -> Box:
        """left, top, right, bottom on the page as it is shown, from PDF's left, bottom, right, top before it was turned."""
        across, up = self._shift
        x0, y0, x1, y1 = box[0] - across, box[1] - up, box[2] - across, box[3] - up
        if self._turn == 90:
            return y0, x0, y1, x1
        if self._turn == 180:
            return self.width - x1, y0, self.width - x0, y1
        if self._turn == 270:
            return self.width - y1, self.height - x1, self.width - y0, self.height - x0
        return x0, self.height - y1, x1, self.height - y0

    def upright(self, box: Box, direction: int) -> Box:
        """A place on the page as it is shown, on the page turned so that text of this direction is upright."""
        left, top, right, bottom = box
        if direction == UP:
            return self.height - bottom, left, self.height - top, right
        if direction == DOWN:
            return top, self.width - right, bottom, self.width - left
        if direction == LEFTWARDS:
            return self.width - right, self.height - bottom, self.width - left, self.height - top
        return box

    def placer(self, direction: int) -> Callable[[Box], Box]:
        """From PDF's coordinates to those of the page turned upright."""
        return lambda box: self.upright(self.shown(box), direction)


def letters_of(page: Any, sheet: Sheet) -> list[Letter]:
    """In the order of the file. Letters without a place are left out."""
    from pypdfium2 import raw

    text_page = page.get_textpage()
    place, found = raw.FS_RECTF(), list[Letter]()
    reference = ctypes.byref(place)
    nowhere = (0.0, 0.0, 0.0, 0.0)
    for index in range(text_page.count_chars()):
        code = raw.FPDFText_GetUnicode(text_page, index)
        if code in _ENDS:
            found.append(Letter("\n", nowhere))
        elif code in _SPACES:
            found.append(Letter(" ", nowhere))
        elif code and raw.FPDFText_GetLooseCharBox(text_page, index, reference):
            box = sheet.shown((place.left, place.bottom, place.right, place.top))
            angle = raw.FPDFText_GetCharAngle(text_page, index)
            direction = _direction(angle, sheet.quarters) if angle or sheet.quarters else RIGHTWARDS
            found.append(Letter(_plain(code), box, direction))
    text_page.close()
    return _with_stacks(found)


def _direction(angle: float, quarters: int) -> int:
    """Of a letter that PDFium says is turned by `angle`, in radians with the clock, on a page that is turned itself."""
    turns = -angle / (math.pi / 2)
    return OBLIQUE if abs(turns - round(turns)) > SLANT else (round(turns) - quarters) % 4


def _plain(code: int) -> str:
    if 0xFB00 <= code <= 0xFB06 or 0xFB1D <= code <= 0xFDFF or 0xFE70 <= code <= 0xFEFC:
        return unicodedata.normalize("NFKC", chr(code))
    return chr(code) if code < 0x110000 else "\ufffd"


def _with_stacks(letters: list[Letter]) -> list[Letter]:
    """Chinese and Japanese letters that stand one below the other are read downwards."""
    stack: list[int] = []
    for number, letter in enumerate(letters):
        if letter.text in "\n ":
            continue
        if not (stack and _is_below(letter, letters[stack[-1]])):
            _turn(letters, stack)
            stack = []
        stack.append(number)
    _turn(letters, stack)
    return letters


def _is_below(letter: Letter, above: Letter) -> bool:
    if not ("\u2e80" <= letter.text <= "\uffef" and "\u2e80" <= above.text <= "\uffef"):
        return False
    size = max(above.box[3] - above.box[1], above.box[2] - above.box[0], 0.1)
    middle = abs(letter.box[0] + letter.box[2] - above.box[0] - above.box[2]) / 2
    return middle < 0.3 * size and 0.3 * size < letter.box[1] - above.box[1] < STACKED * size


def _turn(letters: list[Letter], stack: Sequence[int]) -> None:
    """Letters of a stack; what stands between them ends no line and no word."""
    if len(stack) < MIN_STACK or letters[stack[0]].direction != RIGHTWARDS:
        return
    for number in range(stack[0], stack[-1] + 1):
        letters[number] = replace(letters[number], direction=DOWN)
        if letters[number].text in "\n ":
            letters[number].text = ""


def main_direction(letters: Sequence[Letter]) -> int:
    """In which most of the page is read."""
    counts = Counter(letter.direction for letter in letters if letter.text not in {"\n", " ", ""})
    return max(counts, key=lambda direction: counts[direction], default=RIGHTWARDS)
