"""Documents of less usual kinds, written by hand: what is in them is told in the functions."""

import io
import json
import struct
import zipfile

_NAMES = "urn:oasis:names:tc:opendocument:xmlns:"
ODF = " ".join(
    [f'xmlns:{name}="{_NAMES}{name}:1.0"' for name in ("office", "text", "table", "style", "presentation")]
    + [f'xmlns:draw="{_NAMES}drawing:1.0"', f'xmlns:svg="{_NAMES}svg-compatible:1.0"']
)
STYLES = (
    '<office:automatic-styles><text:list-style style:name="N"><text:list-level-style-number text:level="1"/></text:list-style>'
    "</office:automatic-styles>"
)


def zipped(files: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def open_document(kind: str, body: str) -> bytes:
    """kind: "text" or "presentation"."""
    content = f"<office:document-content {ODF}>{STYLES}<office:body><office:{kind}>{body}</office:{kind}></office:body>"
    return zipped(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "META-INF/manifest.xml": "<manifest/>",
            "content.xml": content + "</office:document-content>",
        }
    )


def odt() -> bytes:
    """A heading, a deletion, a numbered list, a table with a cell over two columns, a note and a remark."""
    cell = "<table:table-cell><text:p>{}</text:p></table:table-cell>"
    wide = '<table:table-cell table:number-columns-spanned="2"><text:p>both</text:p></table:table-cell>'
    return open_document(
        "text",
        "<text:tracked-changes><text:deletion><text:p>gone</text:p></text:deletion></text:tracked-changes>"
        '<text:h text:outline-level="2">Sales</text:h>'
        '<text:list text:style-name="N"><text:list-item><text:p>one</text:p></text:list-item>'
        "<text:list-item><text:p>two</text:p></text:list-item></text:list>"
        f"<table:table><table:table-row>{cell.format('City')}{cell.format('Units')}</table:table-row>"
        f"<table:table-row>{wide}<table:covered-table-cell/></table:table-row></table:table>"
        "<text:p>Two<text:s text:c='2'/>spaces<text:note><text:note-body><text:p>A note.</text:p></text:note-body></text:note>"
        "<office:annotation><text:p>Really?</text:p></office:annotation></text:p>",
    )


def odp() -> bytes:
    """A slide with a title, a box below another that was made later, and notes."""
    frame = (
        '<draw:frame svg:x="1cm" svg:y="{}cm" svg:width="5cm" svg:height="1cm" {}>'
        "<draw:text-box><text:p>{}</text:p></draw:text-box></draw:frame>"
    )
    boxes = frame.format(9, "", "Lower") + frame.format(5, "", "Upper")
    title = frame.format(1, 'presentation:class="title"', "Welcome")
    notes = f"<presentation:notes>{frame.format(1, '', 'Speak slowly.')}</presentation:notes>"
    return open_document("presentation", f"<draw:page>{boxes}{title}{notes}</draw:page>")


def epub() -> bytes:
    """A book of two chapters, whose names come in another order than they are read."""
    page = "<html xmlns='http://www.w3.org/1999/xhtml'><head><title>x</title></head><body><h2>{}</h2><p>{}</p></body></html>"
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>'
        "<dc:title>A Book</dc:title></metadata><manifest>"
        '<item id="a" href="a%20b.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="z" href="z.xhtml" media-type="application/xhtml+xml"/>'
        '</manifest><spine><itemref idref="z"/><itemref idref="a"/></spine></package>'
    )
    return zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container><rootfiles><rootfile full-path="OPS/p.opf"/></rootfiles></container>',
            "OPS/p.opf": package,
            "OPS/a b.xhtml": page.format("Second", "The end."),
            "OPS/z.xhtml": page.format("First", "It begins."),
        }
    )


def notebook() -> bytes:
    """Text, code, what it printed, a picture, and how it failed."""
    picture = {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo=", "text/plain": ["<Figure>"]}}
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "Some *text*."]},
        {
            "cell_type": "code",
            "source": "print('hello')",
            "outputs": [
                {"output_type": "stream", "text": ["hello\n"]},
                picture,
                {"output_type": "error", "ename": "KeyError", "evalue": "'x'", "traceback": ["…"]},
            ],
        },
    ]
    return json.dumps({"cells": cells, "nbformat": 4}).encode()


RTF = (
    rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\*\generator x}Dear \b all\b0 , caf\'e9 \u20320?\par "
    rb"Seen \v secret\v0 words.\par\trowd One\cell Two\cell\row\pard{\pict\pngblip " + b"89504e47" * 40 + rb"}\par}"
)


def outlook() -> bytes:
    """A message with a plain text and a file ([MS-OXMSG])."""
    text = "Hello Bob,\r\n\r\nthe offer is attached."
    sent = struct.pack("<HHIQ", 0x0040, 0x0039, 6, 133_600_000_000_000_000)
    wide = {"0037": "An offer", "0C1A": "Ann", "5D01": "ann@example.com", "0E04": "Bob", "1000": text}
    message = {f"__substg1.0_{tag}001F": value.encode("utf-16-le") for tag, value in wide.items()}
    message["__properties_version1.0"] = bytes(32) + sent
    attached = {
        "__substg1.0_3707001F": "offer.csv".encode("utf-16-le"),
        "__substg1.0_37010102": b"what,price\ntea,2\n".ljust(_CUT, b"\n"),
    }
    return _compound(message, {"__attach_version1.0_#00000000": attached})


_END, _NONE = 0xFFFFFFFE, 0xFFFFFFFF
_CUT = 4096
"""Streams of fewer bytes would lie in a stream of their own; all of these are as long, filled up with zeros."""


def _compound(root: dict[str, bytes], storages: dict[str, dict[str, bytes]]) -> bytes:
    """A container ([MS-CFB]) of sectors of 512 bytes, one stream after the other."""
    entries: list[tuple[str, int, int, bytes]] = [("Root Entry", 5, -1, b"")]
    for name, data in root.items():
        entries.append((name, 2, 0, data.ljust(_CUT, b"\0")))
    for name, streams in storages.items():
        entries.append((name, 1, 0, b""))
        parent = len(entries) - 1
        entries += [(inner, 2, parent, data.ljust(_CUT, b"\0")) for inner, data in streams.items()]
    sectors: list[bytes] = []
    chain: list[int] = []
    places = []
    for _, _, _, data in entries:
        count = -(-len(data) // 512)
        places.append(len(sectors) if count else _END)
        sectors += [data[at : at + 512].ljust(512, b"\0") for at in range(0, len(data), 512)]
        chain += [*range(len(chain) + 1, len(chain) + count), _END] if count else []
    children: dict[int, list[int]] = {}
    for number, (_, _, parent, _) in enumerate(entries):
        children.setdefault(parent, []).append(number)
    directory = b""
    for number, (name, kind, parent, data) in enumerate(entries):
        siblings = children.get(parent, [])
        after = siblings.index(number) + 1 if number else len(siblings)
        right = siblings[after] if after < len(siblings) else _NONE
        child = children.get(number, [_NONE])[0]
        label = name.encode("utf-16-le").ljust(64, b"\0")
        directory += label + struct.pack("<HBBIII", 2 * len(name) + 2, kind, 1, _NONE, right, child)
        directory += bytes(36) + struct.pack("<IQ", places[number], len(data))
    directory = directory.ljust(-(-len(directory) // 512) * 512, b"\0")
    first = len(sectors)
    sectors += [directory[at : at + 512] for at in range(0, len(directory), 512)]
    chain += [*range(first + 1, len(sectors)), _END]
    table = struct.pack(f"<{len(chain) + 1}I", *chain, 0xFFFFFFFD).ljust(512, b"\xff")
    assert len(chain) < 128
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIII", 0, 1, first, 0, _CUT, _END, 0, _END, 0)
    head += struct.pack("<I", len(sectors)).ljust(436, b"\xff")
    return head + b"".join(sectors) + table
