"""Keeps the vectors of a domain's texts in a file, so that a changed domain embeds only what is new in it.

Texts are kept as digests. What can't be read is as if it were not there. Which embedder made the vectors is the caller's matter.
"""

import hashlib
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path

import numpy as np

from zhuli.language import whole_file
from zhuli.language.softmax_regression import Floats

MOST = 20_000
"""Texts of a file, the first ones: 30 MB with vectors of 384 numbers."""

_SIZE = 16

Kept = Mapping[bytes, Floats]
"""Vectors by the digest of their text, all of one length."""


def digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=_SIZE).digest()


def write(path: Path, texts: Iterable[str], vectors: Floats) -> None:
    """In place of what was kept there. OSError."""
    digests = [digest(text) for text in texts][:MOST]
    packed = BytesIO()
    np.savez(packed, digests=np.frombuffer(b"".join(digests), np.uint8), vectors=vectors[:MOST].astype("<f4"))
    whole_file.replace(path, packed.getbuffer())


def read(path: Path) -> Kept:
    """What write() wrote there, or nothing."""
    try:
        with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as found:
            digests, vectors = found["digests"].tobytes(), found["vectors"]
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile, zlib.error):
        return {}
    if vectors.ndim != 2 or vectors.dtype != np.float32 or len(digests) != _SIZE * len(vectors):
        return {}
    return {digests[_SIZE * row : _SIZE * (row + 1)]: vector for row, vector in enumerate(vectors)}
