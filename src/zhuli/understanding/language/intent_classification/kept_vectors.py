"""Keeps the vectors of a domain's texts in a file, so that a changed domain embeds only what is new in it.

Texts are kept as digests. What can't be read is as if it were not there. Which embedder made the vectors is the caller's matter.
"""

import hashlib
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path

import numpy as np

from zhuli.understanding.language.intent_classification import array_file
from zhuli.understanding.language.intent_classification.softmax_regression import Floats

MOST = 20_000
"""Texts of a file, the first ones: 30 MB with vectors of 384 numbers."""

_SIZE = 16


def write(path: Path, rows: Mapping[str, Floats]) -> None:
    """Vectors by text, of one length, in place of what was kept there. OSError."""
    kept = list(islice(rows.items(), MOST))
    digests = np.frombuffer(b"".join(_digest(text) for text, _ in kept), np.uint8)
    array_file.write(path, {"digests": digests, "vectors": np.array([vector for _, vector in kept], "<f4")})


def read(path: Path, texts: Iterable[str]) -> dict[str, Floats]:
    """Of these texts the vectors that write() put there."""
    found = array_file.read(path)
    if found is None or not {"digests", "vectors"} <= found.keys():
        return {}
    digests, vectors = found["digests"].tobytes(), found["vectors"]
    if vectors.ndim != 2 or vectors.dtype != np.float32 or len(digests) != _SIZE * len(vectors):
        return {}
    kept = {digests[_SIZE * row : _SIZE * (row + 1)]: vector for row, vector in enumerate(vectors)}
    return {text: kept[digest] for text in texts if (digest := _digest(text)) in kept}


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=_SIZE).digest()
