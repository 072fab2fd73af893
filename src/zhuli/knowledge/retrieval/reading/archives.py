"""ZIP files from outside: which document a ZIP is, and whether unpacking it is safe. Nothing is written to disk.

What an archive declares is not believed: each entry is unpacked once, in pieces that are thrown away, and counted.
"""

import zipfile
import zlib
from pathlib import Path

from zhuli.core.errors import Unreadable

MARK = b"PK\x03\x04"
MAX_ENTRIES = 20_000
MAX_UNPACKED = 512 * 1024 * 1024
"""Bytes; as much as an uploaded file may have."""
MAX_RATIO = 150
"""Unpacked to packed, from BOMB_FROM bytes on; office documents reach 20, DEFLATE's limit is 1032."""
BOMB_FROM = 32 * 1024 * 1024
PIECE = 1024 * 1024

DOCUMENTS = {
    "word/": ".docx",
    "ppt/": ".pptx",
    "xl/": ".xlsx",
}
"""By the folder of the main part, which Office writes under this name."""
OPEN_DOCUMENTS = {
    b"opendocument.spreadsheet": ".ods",
    b"opendocument.text": ".odt",
    b"opendocument.presentation": ".odp",
}
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError, UnicodeDecodeError)


def recognise(path: Path) -> str:
    """The extension of the document that this ZIP is, ".zip" for none; Unreadable for broken ones and bombs."""
    try:
        with zipfile.ZipFile(path) as archive:
            extension = _document(archive)
            _check(archive)
            return extension
    except RuntimeError as error:  # zipfile's word for a password
        raise Unreadable("The file is encrypted. Save it without a password.") from error
    except _BROKEN as error:
        raise Unreadable("The file is a damaged or truncated document or archive.") from error


def _document(archive: zipfile.ZipFile) -> str:
    names = archive.namelist()
    if len(names) > MAX_ENTRIES:
        raise Unreadable(f"The archive has {len(names)} entries; a document has at most {MAX_ENTRIES}.")
    if "mimetype" in names:
        return _open_document(archive.open("mimetype").read(100))
    if "[Content_Types].xml" in names:
        for folder, extension in DOCUMENTS.items():
            if any(name.startswith(folder) for name in names):
                return extension
    return ".zip"


def _open_document(mime: bytes) -> str:
    if b"opendocument" in mime:
        for word, extension in OPEN_DOCUMENTS.items():
            if word in mime:  # a template is one, too
                return extension
    if mime.startswith(b"application/epub+zip"):
        return ".epub"
    kind = mime.decode("ascii", "replace")
    raise Unreadable(
        f"The file is of the kind {kind}, which is not read. Save it as PDF or .docx.", code="unsupported_file"
    )


def _check(archive: zipfile.ZipFile) -> None:
    """Unpack everything within the limits. Entries that overlap would count again and again, as they do for a reader."""
    entries = archive.infolist()
    declared = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    _judge(declared, packed)
    unpacked = 0
    for entry in entries:
        entry.file_size, entry.CRC = MAX_UNPACKED * 2, 0  # read on where the declared size says it is over
        with archive.open(entry) as content:
            content._expected_crc = None  # type: ignore[attr-defined]
            while piece := content.read(PIECE):
                unpacked += len(piece)
                _judge(unpacked, packed)


def _judge(unpacked: int, packed: int) -> None:
    if unpacked > MAX_UNPACKED or (unpacked > BOMB_FROM and unpacked > MAX_RATIO * packed):
        raise Unreadable(
            f"The file unpacks to more than {min(unpacked, MAX_UNPACKED) >> 20} MiB from {packed >> 10} KiB: "
            "a decompression bomb, or no document."
        )
