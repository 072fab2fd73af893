"""OLE containers, in which Office kept documents until 2007 and keeps encrypted ones today: which document one is."""

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
    "__substg1.0_": ".msg",
    "Book": ".xls",
}


def recognise(path: Path) -> str:
    """The extension of the document in here; Unreadable for encrypted ones and for kinds that are not read."""
    with path.open("rb") as file:
        data = file.read(DIRECTORY_BYTES)
    name = next((name for name in STREAMS if name.encode("utf-16-le") in data), "")
    extension = STREAMS.get(name, "")
    if extension is None:
        raise Unreadable("The file is encrypted. Save it without a password.")
    if extension in {".ppt", ".msg", ""}:
        advice = {".ppt": "Save it as .pptx.", ".msg": "Save the message as .eml."}.get(extension, "Save it as PDF.")
        what = {".ppt": "An old PowerPoint file", ".msg": "An Outlook message"}.get(extension, "This kind of OLE file")
        raise Unreadable(f"{what} is not read. {advice}", code="unsupported_file")
    return extension
