"""Text of a model server as whole characters: halves of surrogate pairs are joined, or replaced where one is alone.

A server that cuts its text between the two halves of a character beyond U+FFFF escapes each by itself ("\\ud83d").
"""

import re

_HALF = re.compile("[\ud800-\udfff]")
_PAIR = re.compile("([\ud800-\udbff])([\udc00-\udfff])")
REPLACEMENT = "\ufffd"


def whole(text: str) -> str:
    """The text with pairs joined, and U+FFFD for halves that are alone."""
    if text.isascii() or not _HALF.search(text):
        return text
    return _HALF.sub(REPLACEMENT, _PAIR.sub(_joined, text))


class WholeCharacters:
    """Feed it pieces; a first half at a piece's end is kept for the next piece."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        if not self._held and text.isascii():
            return text
        text = self._held + text
        self._held = text[-1] if text and "\ud800" <= text[-1] <= "\udbff" else ""
        return whole(text[:-1] if self._held else text)

    def close(self) -> str:
        """What stands for a half whose other half never came."""
        held, self._held = self._held, ""
        return REPLACEMENT if held else ""


def _joined(pair: re.Match[str]) -> str:
    high, low = (ord(half) for half in pair.groups())
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
