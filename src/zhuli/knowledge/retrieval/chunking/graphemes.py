"""Where one character ends and the next begins, as a reader sees them: é, 👩‍👩‍👧 and க் are one each (UAX #29)."""

import re
from functools import cache
from typing import Any

# Between any two of these there is a boundary, since none of them joins another: control characters, spaces, letters and
# signs of Latin, Greek, Cyrillic, Hebrew, Arabic, Devanagari, Thai, Chinese, Japanese and Korean, without their marks.
_PLAIN = (
    r"\x00-\x0c\x0e-\xa8\xaa-\xac\xaf-\u02ff\u0370-\u0377\u0384-\u0482\u048a-\u052f\u05d0-\u05ea\u0620-\u064a\u0904-\u0939"
    r"\u0e01-\u0e30\u2000-\u200a\u2010-\u2029\u3000-\u3029\u3041-\u3096\u30a1-\u30fe\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff60"
)
_SURE = re.compile(rf"(?<=[{_PLAIN}])(?=[{_PLAIN}])|(?=\r)|(?<=\r)(?!\n)")

_REGIONAL = "".join(map(chr, range(0x1F1E6, 0x1F200)))
"""Two of these are a flag."""

_LONGEST_ROW = 4096

_CONTEXT = 256
"""Characters to look back for a sure boundary; only in longer runs of joined characters a boundary can be misjudged."""


def is_boundary(text: str, position: int) -> bool:
    """Whether text may be cut at `position` without cutting through what a reader sees as one character."""
    if position <= 0 or position >= len(text) or _SURE.match(text, position):
        return True
    return bool(boundaries(text, position, position))


def boundaries(text: str, first: int, last: int) -> list[int]:
    """All places first ≤ p ≤ last, within the text, where it may be cut."""
    begin = first
    while begin > max(0, first - _CONTEXT) and not _SURE.match(text, begin):
        begin -= 1
    if begin > 0 and text[begin] in _REGIONAL:  # these join in pairs, counted from the first of their row
        row = text[max(0, begin - _LONGEST_ROW) : begin]
        begin -= (len(row) - len(row.rstrip(_REGIONAL))) % 2
    found = [begin + cluster.start() for cluster in _clusters().finditer(text[begin : last + 1])]
    if last >= len(text):
        found.append(len(text))
    return [place for place in found if first <= place <= last]


@cache
def _clusters() -> Any:
    import regex  # of the extra `knowledge`

    return regex.compile(r"\X")
