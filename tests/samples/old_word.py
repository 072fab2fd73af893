"""A Word document of 1997 by hand, since nothing writes them any more: a container with two streams, text in two pieces."""

import struct

from tests.samples.hostile_packages import OLE

SECTOR = 512
FREE, END, TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
STREAM = 4096
"""Bytes of each stream: the smallest that the container keeps in sectors of their own."""


def old_letter() -> bytes:
    """One piece of a byte a character and one of two; a row of a table, and a link with its address."""
    narrow = "Dear reader,\rthis is an old letter.\r"
    wide = "旧信\rcell one\x07cell two\x07\x07\x13 HYPERLINK x \x14a link\x15 to the page.\r"
    text = narrow.encode("cp1252") + wide.encode("utf-16-le")
    start, count = 1024, len(narrow) + len(wide)
    positions = struct.pack("<3I", 0, len(narrow), count)
    pieces = struct.pack("<HIH", 0, 0x4000_0000 | start * 2, 0) + struct.pack("<HIH", 0, start + len(narrow), 0)
    table = b"\x02" + struct.pack("<I", len(positions + pieces)) + positions + pieces
    return container({"WordDocument": _document(text, start, count, len(table)), "1Table": table.ljust(STREAM, b"\0")})


def _document(text: bytes, start: int, count: int, table_length: int) -> bytes:
    """The stream: a FIB that is empty but for what a reader needs, and the text."""
    stream = bytearray(STREAM)
    struct.pack_into("<HH", stream, 0, 0xA5EC, 0xC1)
    struct.pack_into("<H", stream, 0x0A, 0x0200)
    struct.pack_into("<II", stream, 0x4C, count, 0)
    struct.pack_into("<II", stream, 0x1A2, 0, table_length)
    stream[start : start + len(text)] = text
    return bytes(stream)


def container(streams: dict[str, bytes]) -> bytes:
    """An OLE file: a header, one sector of the allocation table, one of the directory, then the streams."""
    sectors = STREAM // SECTOR
    chain = [TABLE, END]
    for number in range(len(streams)):
        first = 2 + number * sectors
        chain += [*range(first + 1, first + sectors), END]
    table = struct.pack("<128I", *chain, *[FREE] * (128 - len(chain)))
    names = list(streams)
    entries = [_entry("Root Entry", kind=5, child=1, right=FREE, start=END, size=0)]
    for number, name in enumerate(names):
        right = number + 2 if number + 1 < len(names) else FREE
        entries.append(_entry(name, kind=2, child=FREE, right=right, start=2 + number * sectors, size=STREAM))
    directory = b"".join(entries).ljust(SECTOR, b"\0")
    header = struct.pack("<8s16xHHHHH6xIIIIIIIIII", OLE, 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, END, 0, END, 0, 0)
    return header + struct.pack("<108I", *[FREE] * 108) + table + directory + b"".join(streams.values())


def _entry(name: str, *, kind: int, child: int, right: int, start: int, size: int) -> bytes:
    coded = name.encode("utf-16-le")
    return struct.pack("<64sHBBIII36xIQ", coded, len(coded) + 2, kind, 1, FREE, right, child, start, size)
