"""Near duplicates: which earlier story a text repeats. MinHash signatures, and datasketch's index over them. Pure.

A text is the set of its pieces of five characters (three of Chinese), small letters, without addresses, white space as one.
Two texts are one story where the Jaccard similarity of these sets, as 128 permutations estimate it, is at least 0.7.
"""

import re
from collections import deque
from collections.abc import Iterable
from typing import Any

THRESHOLD = 0.7
PERMUTATIONS = 128
_SCHEME = "affine32"
"""datasketch's name for how the permutations are made; signatures of another can't be compared."""

REMEMBERED = 20_000
"""Stories that a text may repeat: the last ones that were read."""

_ADDRESS = re.compile(r"https?://\S+|\bRT @\w+:?")
_SPACE = re.compile(r"[\s\u3000]+")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_LONGEST = 4_000
"""Characters of a text that are looked at."""


def pieces(text: str) -> set[bytes]:
    """The set of a text's pieces; of a very short one the text itself."""
    plain = _SPACE.sub(" ", _ADDRESS.sub("", text[:_LONGEST]).lower()).strip()
    size = 3 if len(_CHINESE.findall(plain)) * 3 > len(plain) else 5
    return {plain[at : at + size].encode() for at in range(max(1, len(plain) - size + 1))}


def signatures(texts: Iterable[str]) -> list[bytes]:
    """A signature of each text, 512 bytes."""
    import numpy as np
    from datasketch import MinHash

    made = MinHash.bulk([list(pieces(text)) for text in texts], num_perm=PERMUTATIONS, seed=1, scheme=_SCHEME)
    return [each.hashvalues.astype(np.uint32).tobytes() for each in made]


class StoryIndex:
    """The last stories, to be looked up by signature. It is a copy of what the store has, up to entry `position`."""

    def __init__(self) -> None:
        from datasketch import MinHashLSH

        self.position = 0
        self._index: Any = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
        self._order: deque[str] = deque()
        self._known: dict[str, Any] = {}

    def story_of(self, key: str, signature: bytes) -> str | None:
        """The most similar story that is as similar as it must be; None for a new one. key: of the item that asks."""
        asked = _of(signature)
        near = [(self._known[found].jaccard(asked), found) for found in self._index.query(asked) if found != key]
        best = max(near, default=None)
        return best[1] if best is not None and best[0] >= THRESHOLD else None

    def add(self, key: str, signature: bytes) -> None:
        """Remember a story; one of that key before is forgotten, and the oldest of too many."""
        self.drop(key)
        self._known[key] = _of(signature)
        self._index.insert(key, self._known[key])
        self._order.append(key)
        while len(self._order) > REMEMBERED:
            self.drop(self._order.popleft())

    def drop(self, key: str) -> None:
        """Forget a story, if it is known."""
        if self._known.pop(key, None) is not None:
            self._index.remove(key)


def _of(signature: bytes) -> Any:
    import numpy as np
    from datasketch import MinHash

    values = np.frombuffer(signature, dtype=np.uint32)
    return MinHash(num_perm=PERMUTATIONS, seed=1, scheme=_SCHEME, hashvalues=values)
