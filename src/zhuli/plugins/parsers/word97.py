"""Word documents of the years 1997 to 2003 (.doc): the text of the body and of the notes, without headings' levels.

The container is olefile's part. Where the text is in it, is read here from the piece table, as [MS-DOC] 2.4.1 says;
numbers below are offsets in the FIB ([MS-DOC] 2.5) of the stream WordDocument.
"""

import re
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from zhuli.core.errors import Unreadable
from zhuli.types.knowledge.document import Block

MAGIC = 0xA5EC
WORD_97 = 0xC1
FLAGS, ENCRYPTED, TABLE_ONE = 0x0A, 0x0100, 0x0200
CHARACTERS = 0x4C
"""ccpText, and after it ccpFtn: of the body, of the footnotes."""
PIECES = 0x1A2
"""fcClx and lcbClx: place and length of the piece table in the table stream."""
NARROW = 0x4000_0000
"""The bit of a piece's place that says one byte a character, at half the place."""

_FIELD = re.compile("\x13[^\x13\x14\x15]*\x14([^\x13\x14\x15]*)\x15|\x13[^\x13\x14\x15]*\x15")
_MAX_FIELDS_IN_FIELDS = 8


class Plugin:
    """Rows of tables are lines of cells."""

    extensions: Sequence[str] = (".doc", ".dot")

    def parse(self, path: Path) -> Iterator[Block]:
        import olefile

        try:
            with olefile.OleFileIO(str(path)) as container:
                text = _text(container.openstream("WordDocument").read(), container)
        except (OSError, struct.error) as error:
            raise Unreadable("The file is a damaged Word document. Save it as .docx.") from error
        for _ in range(_MAX_FIELDS_IN_FIELDS):
            text = _FIELD.sub(r"\1", text)
        rows = text.replace("\x07\x07", "\r").replace("\x07", " | ")
        for paragraph in re.split("[\r\x0c]", rows):
            yield Block(paragraph)


def _text(document: bytes, container: object) -> str:
    magic, version = struct.unpack_from("<HH", document)
    (flags,) = struct.unpack_from("<H", document, FLAGS)
    if magic != MAGIC or version < WORD_97:
        raise Unreadable("The document was made by a Word older than 97. Save it as .docx.", code="unsupported_file")
    if flags & ENCRYPTED:
        raise Unreadable("The document is encrypted. Save it without a password.")
    table = container.openstream("1Table" if flags & TABLE_ONE else "0Table").read()  # type: ignore[attr-defined]
    place, length = struct.unpack_from("<II", document, PIECES)
    body, notes = struct.unpack_from("<II", document, CHARACTERS)
    return "".join(_pieces(document, _piece_table(table[place : place + length])))[: body + notes]


def _piece_table(clx: bytes) -> bytes:
    """The PlcPcd, after any number of Prc."""
    at = 0
    while clx[at : at + 1] == b"\x01":
        at += 3 + struct.unpack_from("<H", clx, at + 1)[0]
    kind, length = struct.unpack_from("<BI", clx, at)
    if kind != 2:
        raise Unreadable("The file is a damaged Word document (no piece table). Save it as .docx.")
    return clx[at + 5 : at + 5 + length]


def _pieces(document: bytes, table: bytes) -> Iterator[str]:
    """Character positions of all pieces, one more than there are pieces, then eight bytes a piece."""
    count = (len(table) - 4) // 12
    positions = struct.unpack_from(f"<{count + 1}I", table)
    for number in range(count):
        (place,) = struct.unpack_from("<I", table, 4 * (count + 1) + 8 * number + 2)
        length = positions[number + 1] - positions[number]
        if place & NARROW:
            start = (place & ~NARROW) // 2
            yield document[start : start + length].decode("cp1252", "replace")
        else:
            yield document[place : place + 2 * length].decode("utf-16-le", "replace")
