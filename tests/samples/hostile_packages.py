"""Hostile office documents: ZIP packages, and the OLE containers of old and of encrypted ones."""

import io
import struct
import zipfile
from collections.abc import Callable

import docx
import xlsxwriter

from tests.samples.hostile_text import billion_laughs

BOMB = 48 << 20
BODY = "word/document.xml"
NAMESPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def docx_file(text: str) -> bytes:
    buffer = io.BytesIO()
    document = docx.Document()
    document.add_paragraph(text)
    document.save(buffer)
    return buffer.getvalue()


def changed(package: bytes, change: Callable[[str, bytes], bytes], *, added: dict[str, bytes] | None = None) -> bytes:
    """The package with each part as `change` makes it from its name and content."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
        for name, content in (added or {}).items():
            new.writestr(name, content)
    return buffer.getvalue()


def with_body(xml: bytes) -> bytes:
    return changed(docx_file("Words"), lambda name, content: xml if name == BODY else content)


def zip_of_files() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "one")
        archive.writestr("b.txt", "two")
    return buffer.getvalue()


def broken_part() -> bytes:
    """A byte in the middle of the body's compressed data is another one."""
    package = bytearray(docx_file("Words " * 500))
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        body = archive.getinfo(BODY)
    start = body.header_offset + 30 + len(BODY)
    package[start : start + body.compress_size] = b"\xff" * body.compress_size
    return bytes(package)


def bomb() -> bytes:
    """48 MiB of spaces in 48 KiB."""
    return changed(docx_file("Words"), lambda _, content: content, added={"word/media/x.bin": b" " * BOMB})


def lying_bomb() -> bytes:
    """The same, but each place that could say so says 1,000 bytes."""
    package = bytearray(bomb())
    honest, lie = struct.pack("<I", BOMB), struct.pack("<I", 1000)
    return bytes(package.replace(honest, lie))


def many_parts() -> bytes:
    return changed(
        docx_file("Words"),
        lambda _, content: content,
        added={f"word/part{number}.xml": b"" for number in range(20_001)},
    )


def laughing_docx() -> bytes:
    doctype = billion_laughs().decode().partition("<lolz>")[0].replace("lolz", "w:document")
    body = f"<w:document {NAMESPACE}><w:body><w:p><w:r><w:t>&lol9;</w:t></w:r></w:p></w:body></w:document>"
    return with_body((doctype + body).encode())


def file_entity() -> bytes:
    doctype = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY here SYSTEM "file:///etc/passwd">]>'
    body = f"<w:document {NAMESPACE}><w:body><w:p><w:r><w:t>Before &here; after</w:t></w:r></w:p></w:body></w:document>"
    return with_body((doctype + body).encode())


def way_out() -> bytes:
    """Parts whose names lead out of any folder."""
    return changed(docx_file("Inside"), lambda _, content: content, added={"../../../tmp/escaped.txt": b"escaped"})


def deep_tables() -> bytes:
    start, end = "<w:tbl><w:tr><w:tc>", "</w:tc></w:tr></w:tbl>"
    body = f"<w:document {NAMESPACE}><w:body>{start * 5000}{end * 5000}</w:body></w:document>"
    return with_body(body.encode())


def encrypted_zip() -> bytes:
    """The flag of an encrypted entry, on each entry, in both places where it stands."""
    package = bytearray(docx_file("Words"))
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = package.find(mark)
        while at >= 0:
            package[at + flags] |= 1
            at = package.find(mark, at + 4)
    return bytes(package)


def workbook() -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.add_worksheet("Data").write(0, 0, "only cell")
    book.close()
    return buffer.getvalue()


def declared_rows() -> bytes:
    """A sheet that calls itself a million rows long and has one cell."""
    return changed(
        workbook(), lambda _, content: content.replace(b'<dimension ref="A1"/>', b'<dimension ref="A1:XFD1048576"/>')
    )


def far_corner() -> bytes:
    """A sheet with a cell in its first and one in its last corner."""
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    return changed(workbook(), lambda _, content: content.replace(b"</sheetData>", far))


def odt() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("content.xml", "<x/>")
    return buffer.getvalue()


def container(*streams: str) -> bytes:
    """An OLE file with a directory of empty streams: a header, one sector of the allocation table, one of the directory."""
    free, end = 0xFFFFFFFF, 0xFFFFFFFE
    header = struct.pack("<8s16xHHHHH6xIIIIIIIII", OLE, 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, end, 0, end, 0)
    table = struct.pack("<128I", 0xFFFFFFFD, end, *[free] * 126)
    entries = [_entry("Root Entry", kind=5, child=1), *(_entry(name, kind=2, child=free) for name in streams)]
    entries += [bytes(128)] * (4 - len(entries))
    return header + struct.pack("<109I", 0, *[free] * 108) + table + b"".join(entries)


def _entry(name: str, *, kind: int, child: int) -> bytes:
    none = 0xFFFFFFFF
    coded = name.encode("utf-16-le")
    return struct.pack("<64sHBBIII36xIQ", coded, len(coded) + 2, kind, 1, none, none, child, 0xFFFFFFFE, 0)


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def encrypted_office() -> bytes:
    return container("EncryptedPackage")


def old_powerpoint() -> bytes:
    return container("PowerPoint Document")


def outlook() -> bytes:
    return container("__substg1.0_001A001F")


def hollow_doc() -> bytes:
    return container("WordDocument")
