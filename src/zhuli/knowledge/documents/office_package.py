"""Opening an office document by whichever library, with one answer to what is wrong with it."""

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import BadZipFile

from zhuli.core.errors import Unreadable


def open_package(opened: Callable[[BinaryIO], Any], path: Path, what: str) -> Any:
    """What `opened` makes of the file; Unreadable, calling it a damaged `what`, if the ZIP, its XML or its parts are."""
    with path.open("rb") as file:
        try:
            return opened(file)
        except (BadZipFile, zlib.error, SyntaxError, LookupError, ValueError, AttributeError, OSError) as error:
            raise Unreadable(f"The file is a damaged {what} ({error}).") from error
