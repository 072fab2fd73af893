"""OLE containers, in which Office kept documents until 2007 and keeps encrypted ones today: which document one is."""

import struct
from pathlib import Path

from zhuli.core.errors import Unreadable

MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
DIRECTORY_BYTES = 64 * 1024 * 1024
"""As much is searched for the names of streams, which stand in the file as UTF-16."""

STREAMS = {
    "EncryptedPackage": None,
    "WordDocument": ".doc",
    "Workbook": ".xls",
    "PowerPoint Document": ".ppt",
    "__properties_version1.0": ".msg",
    "Book": ".xls",
}


def recognise(path: Path) -> str:
    """The extension of the document in here; Unreadable for encrypted ones and for kinds that are not read."""
    names = _names(path)
    name = next((name for name in STREAMS if name in names), "")
    extension = STREAMS.get(name, "")
    if extension is None:
        raise Unreadable("The file is encrypted. Save it without a password.")
    if extension in {".ppt", ""}:
        advice = "Save it as .pptx." if extension else "Save it as PDF."
        what = "An old PowerPoint file" if extension else "This kind of OLE file"
        raise Unreadable(f"{what} is not read. {advice}", code="unsupported_file")
    return extension


def _names(path: Path) -> set[str]:
    """Of the streams that lie in no storage: documents in the document don't count. Those of a broken directory are searched."""
    import olefile

    try:
        with olefile.OleFileIO(str(path)) as container:
            return {entry[0] for entry in container.listdir() if len(entry) == 1}
    except (OSError, ValueError, IndexError, struct.error):
        with path.open("rb") as file:
            data = file.read(DIRECTORY_BYTES)
        return {name for name in STREAMS if name.encode("utf-16-le") in data}
