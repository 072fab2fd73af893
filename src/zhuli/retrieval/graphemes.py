"""Where one character ends and the next begins, as a reader sees them: é, 👩‍👩‍👧 and க் are one each (UAX #29)."""

import re
from functools import cache
from typing import Any

# Between two of these there always is a boundary: none joins what is before or after it. (\r\n is the one exception
# among ASCII, so \r is not in it.)
_PLAIN = r"\x20-\x7e\n\t\u00a1-\u00ac\u00b0-\u02ff\u0370-\u0482\u048a-\u052f\u2013-\u2027\u3000-\u3029\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uff01-\uff60"
_SURE = re.compile(rf"(?<=[{_PLAIN}])(?=[{_PLAIN}])")

_CONTEXT = 256
"""Characters to look back for a sure boundary; only longer runs of joined characters could be misjudged."""


def is_boundary(text: str, position: int) -> bool:
    """Whether text may be cut at `position` without cutting through what a reader sees as one character."""
    if position <= 0 or position >= len(text) or _SURE.match(text, position):
        return True
    begin = position
    while begin > max(0, position - _CONTEXT) and not _SURE.match(text, begin):
        begin -= 1
    return any(cluster.start() == position for cluster in _clusters().finditer(text, begin, position + 1))


def boundary_at_or_before(text: str, position: int, *, floor: int) -> int | None:
    """The last boundary in floor < p ≤ position, if there is one."""
    return next((at for at in range(position, floor, -1) if is_boundary(text, at)), None)


def boundary_at_or_after(text: str, position: int, *, ceiling: int) -> int | None:
    """The first boundary in position ≤ p < ceiling, if there is one."""
    return next((at for at in range(position, ceiling) if is_boundary(text, at)), None)


@cache
def _clusters() -> Any:
    import regex  # of the extra `knowledge`

    return regex.compile(r"\X")
