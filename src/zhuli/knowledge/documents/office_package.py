"""Opening an office document by whichever library, with one answer to what is wrong with it.

Documents in the strict form of the standard (ISO/IEC 29500-4) have other names for the same things; they are put into the
usual form before a library sees them.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import BadZipFile

from zhuli.core.errors import Unreadable

STRICT = b"http://purl.oclc.org/ooxml/"
_USUAL = (
    (rb"wordprocessingml/main", b"wordprocessingml/2006/main"),
    (rb"spreadsheetml/main", b"spreadsheetml/2006/main"),
    (rb"presentationml/main", b"presentationml/2006/main"),
    (rb"officeDocument/(math|sharedTypes|bibliography|customXml)", rb"officeDocument/2006/\1"),
    (rb"officeDocument/relationships", b"officeDocument/2006/relationships"),
    (rb"officeDocument/(extendedProperties|customProperties|docPropsVTypes)", rb"officeDocument/2006/\1"),
    (rb"drawingml/(\w+)", rb"drawingml/2006/\1"),
    (rb"schemaLibrary/main", b"schemaLibrary/2006/main"),
)
"""Names of the strict form behind STRICT, and of the usual one behind its beginning (annex A of part 1 and of part 4)."""
USUAL = b"http://schemas.openxmlformats.org/"
_RENAMED = {b"extendedProperties": b"extended-properties", b"customProperties": b"custom-properties"}
MAX_REWRITTEN = 256 * 1024 * 1024
"""Bytes of XML that are put into the usual form."""


def open_package(opened: Callable[[BinaryIO], Any], path: Path, what: str) -> Any:
    """What `opened` makes of the file; Unreadable, calling it a damaged `what`, if the ZIP, its XML or its parts are."""
    with path.open("rb") as file:
        try:
            return opened(_usual_form(file))
        except (
            BadZipFile,
            zlib.error,
            SyntaxError,
            LookupError,
            ValueError,
            AttributeError,
            OSError,
            EOFError,
        ) as error:
            raise Unreadable(f"The file is a damaged {what}. Open it where it was made and save it again.") from error


def _usual_form(file: BinaryIO) -> BinaryIO:
    with zipfile.ZipFile(file) as archive:
        if STRICT not in archive.read("_rels/.rels"):
            file.seek(0)
            return file
        return _rewritten(archive)


def _rewritten(archive: zipfile.ZipFile) -> BinaryIO:
    """The parts in XML under the usual names; pictures and the like are empty."""
    usual, left = io.BytesIO(), MAX_REWRITTEN
    with zipfile.ZipFile(usual, "w") as written:
        for entry in archive.infolist():
            content = b""
            if entry.filename.endswith((".xml", ".rels")):
                with archive.open(entry) as part:
                    content = part.read(left + 1)
                left -= len(content)
                if left < 0:
                    raise ValueError("too much XML")
            written.writestr(entry.filename, _in_usual_names(content))
    usual.seek(0)
    return usual


def _in_usual_names(content: bytes) -> bytes:
    for strict, name in _USUAL:
        content = re.sub(re.escape(STRICT) + strict, USUAL + name, content)
    for strict, name in _RENAMED.items():
        content = content.replace(b"officeDocument/2006/" + strict, b"officeDocument/2006/" + name)
    return content
