"""Outlook's messages (.msg): who wrote to whom about what, the message, messages in it, and what is attached ([MS-OXMSG]).

The container is olefile's part; numbers below are property tags ([MS-OXPROPS]).
"""

import io
import re
import struct
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from zhuli.core.decoding import decode
from zhuli.core.errors import Unreadable
from zhuli.types.knowledge.document import Block, Enclosed

SUBJECT, SENDER, ADDRESS, SMTP, TO, CC = "0037", "0C1A", "0C1F", "5D01", "0E04", "0E03"
BODY, HTML, RTF = "1000", "1013", "1009"
LONG_NAME, NAME, DATA, MESSAGE = "3707", "3704", "37010102", "3701000D"
SENT = (0x0039, 0x0E06)
"""When it was sent, and when it came; as FILETIME."""
HEADS = (32, 24)
"""Bytes before the properties of the message itself, and of a message in it (2.4.1)."""
MAX_ATTACHMENTS = 200
MAX_DEPTH = 5
"""Of messages in messages."""
MAX_STREAM = 256 * 1024 * 1024
_PARAGRAPH = re.compile(r"\n[^\S\n]*\n\s*")


class Plugin:
    """The plain text of a message, else its HTML, else its RTF."""

    extensions: Sequence[str] = (".msg",)

    def parse(self, path: Path) -> Iterator[Block | Enclosed]:
        import olefile

        try:
            with olefile.OleFileIO(str(path)) as container:
                items = list(_message(_Storage(container, ()), 0))
        except (OSError, struct.error, ValueError, IndexError) as error:
            raise Unreadable("The file is a damaged message. Save it again in Outlook, or as .eml.") from error
        return iter(items)


class _Storage:
    """A message or an attachment in the container."""

    def __init__(self, container: Any, path: tuple[str, ...]) -> None:
        self.container = container
        self.path = path

    def bytes(self, name: str) -> bytes:
        """A stream of this storage, empty where there is none."""
        where = [*self.path, name]
        if not self.container.exists(where) or self.container.get_size(where) > MAX_STREAM:
            return b""
        data: bytes = self.container.openstream(where).read()
        return data

    def text(self, tag: str) -> str:
        """A property that is a text, in Unicode or in the encoding of whoever wrote it."""
        wide = self.bytes(f"__substg1.0_{tag}001F")
        if wide:
            return wide.decode("utf-16-le", "replace").rstrip("\0")
        narrow = self.bytes(f"__substg1.0_{tag}001E").rstrip(b"\0")
        return decode(narrow) if narrow else ""

    def time(self) -> str:
        data = self.bytes("__properties_version1.0")
        head = HEADS[bool(self.path)]
        for at in range(head, len(data) - 15, 16):
            kind, tag, _, value = struct.unpack_from("<HHIQ", data, at)
            if kind == 0x0040 and tag in SENT and value:
                return (datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=value // 10)).isoformat(
                    " ", "minutes"
                )
        return ""

    def within(self, begin: str) -> list["_Storage"]:
        """The storages in this one whose names begin so."""
        depth = len(self.path)
        entries = self.container.listdir(streams=False, storages=True)
        found = {entry[depth] for entry in entries if len(entry) > depth and tuple(entry[:depth]) == self.path}
        return [_Storage(self.container, (*self.path, name)) for name in sorted(found) if name.startswith(begin)]


def _message(message: _Storage, depth: int) -> Iterator[Block | Enclosed]:
    sender, address = message.text(SENDER), message.text(SMTP) or message.text(ADDRESS)
    written = f"{sender} <{address}>" if sender and "@" in address and address != sender else sender or address
    head = {
        **{"From": written, "To": message.text(TO), "Cc": message.text(CC)},
        **{"Date": message.time(), "Subject": message.text(SUBJECT)},
    }
    if not depth and not any(head.values()):
        raise Unreadable("The file is no message: it has neither sender nor subject.")
    yield Block("\n".join(f"{name}: {value}" for name, value in head.items() if value))
    yield from _body(message)
    attachments = message.within("__attach_version1.0_")[:MAX_ATTACHMENTS]
    files: list[Enclosed] = []
    for attachment in attachments:
        inner = attachment.within(f"__substg1.0_{MESSAGE}")
        if inner and depth < MAX_DEPTH:
            yield Block(f"Forwarded: {inner[0].text(SUBJECT)}", "heading", 2)
            yield from _message(inner[0], depth + 1)
        elif data := attachment.bytes(f"__substg1.0_{DATA}"):
            files.append(_file(attachment.text(LONG_NAME) or attachment.text(NAME) or "attachment", data))
    if files:
        yield Block("Attachments: " + ", ".join(file.filename for file in files))
        yield from files


def _file(name: str, data: bytes) -> Enclosed:
    return Enclosed(name, lambda: io.BytesIO(data))


def _body(message: _Storage) -> Iterator[Block]:
    text = message.text(BODY)
    html = message.bytes(f"__substg1.0_{HTML}0102")
    if not text.strip() and html:
        from zhuli.knowledge.documents.html_page import decode_page, page_blocks  # imports an HTML parser

        yield from page_blocks(decode_page(html))
        return
    if not text.strip() and (rtf := message.bytes(f"__substg1.0_{RTF}0102")):
        text = _from_rtf(rtf)
    yield from (Block(paragraph) for paragraph in _PARAGRAPH.split(text.replace("\r\n", "\n").replace("\r", "\n")))


def _from_rtf(data: bytes) -> str:
    """The words of a body in compressed RTF ([MS-OXRTFCP])."""
    from compressed_rtf import decompress
    from striprtf.striprtf import rtf_to_text

    text: str = rtf_to_text(decompress(data).decode("latin-1"), errors="replace")  # type: ignore[no-untyped-call]
    return text
