"""A disk without room, in whatever library's words: found in an error, and looked for before somebody writes."""

import errno
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from zhuli.core.errors import DiskFull, ZhuliError

_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_SAID = ("no space left", "database or disk is full", "disk quota exceeded", "(os error 28)")
"""For libraries that pass the system's error on as a text: SQLite's, tantivy's, PostgreSQL's."""

_PROBE = bytes(64 * 1024)


def found_in(error: BaseException) -> DiskFull | None:
    """What to raise instead of this error, if a disk without room is why it, or what it came of, was raised."""
    return full() if any(_says_so(cause) for cause in _causes(error)) else None


def full(what: str = "A disk of the server") -> DiskFull:
    """The error, for the person who can make room."""
    return DiskFull(
        f"{what} is full, and nothing was changed. Make room on it, then send the request again.", code="disk_full"
    )


def check(folders: Iterable[Path]) -> None:
    """Raises DiskFull, or OSError, where a little can't be written there."""
    for folder in folders:
        try:
            with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
                file.write(_PROBE)
        except OSError as error:
            raise found_in(error) or error from error


def _says_so(error: BaseException) -> bool:
    if isinstance(error, ZhuliError):  # whose text may be anybody's, like a model server's
        return isinstance(error, DiskFull)
    if isinstance(error, OSError) and error.errno in _ERRNOS:
        return True
    text = str(error).lower()
    return any(said in text for said in _SAID)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield error
        error = error.__cause__ or error.__context__
