"""Arrays by name in a file (NumPy's .npz), so that a restart does not learn again what they hold.

What can't be read is as if it were not there: the file is damaged, or something else. No pickle: reading one runs nothing.
"""

import zipfile
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zhuli.core import whole_file


def write(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """In place of what was kept there; the folder is made. OSError."""
    packed = BytesIO()
    np.savez(packed, **arrays)  # type: ignore[arg-type]
    path.parent.mkdir(parents=True, exist_ok=True)
    whole_file.replace(path, packed.getbuffer())


def read(path: Path) -> dict[str, NDArray[Any]] | None:
    """What write() wrote there, or None."""
    try:
        with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as found:
            return {name: found[name] for name in found.files}
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile, zlib.error):
        return None
