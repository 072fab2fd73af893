"""Words as numbers, without a list of words: each is hashed to a place (Weinberger et al. 2009).

Nothing of what was learned from is kept but weights. The places are those of the shipped heads of moderation and dialogue
acts: a change here asks for new ones (`make moderation-heads`, `make acts`).
"""

import zlib
from collections.abc import Iterable


def hashed(words: Iterable[str], places: int) -> dict[int, float]:
    """Weights by place, 0 to `places` - 1: each word once, with a sign of its own, of length 1 together."""
    codes = {zlib.crc32(word.encode(errors="surrogatepass")) for word in words}
    made: dict[int, float] = {}
    for code in codes:
        at = code % places
        made[at] = made.get(at, 0.0) + (1.0 if code >> 31 else -1.0) / len(codes) ** 0.5
    return made
