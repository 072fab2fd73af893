"""E-mail (.eml): who wrote to whom about what, the message, and the names of what is attached.

Attachments are not read: upload them as files of their own. Outlook's .msg is another format, which is not read.
"""

import email
import re
from collections.abc import Iterator, Sequence
from email import policy
from email.message import EmailMessage
from itertools import islice
from pathlib import Path

from zhuli.core.decoding import decode
from zhuli.core.errors import Unreadable
from zhuli.types.knowledge.document import Block

HEADERS = ("From", "To", "Cc", "Date", "Subject")
MAX_PARTS = 200
"""A message of a person has a dozen."""
_PARAGRAPH = re.compile(r"\n[^\S\n]*\n\s*")


class Plugin:
    """The plain text of the message if it has one, else its HTML."""

    extensions: Sequence[str] = (".eml", ".mht", ".mhtml")

    def parse(self, path: Path) -> Iterator[Block]:
        message = email.message_from_bytes(path.read_bytes(), policy=policy.default)
        if not any(message.get(name) for name in HEADERS):
            raise Unreadable("The file is no e-mail: it has neither sender nor subject.")
        yield Block("\n".join(f"{name}: {message[name]}" for name in HEADERS if message[name]))
        parts = list(islice(message.walk(), MAX_PARTS + 1))
        if len(parts) > MAX_PARTS:
            raise Unreadable(f"The e-mail has more than {MAX_PARTS} parts in each other or beside each other.")
        yield from _body(parts)
        if names := [name for part in parts if (name := part.get_filename())]:
            yield Block("Attachments: " + ", ".join(names))


def _body(parts: Sequence[EmailMessage]) -> Iterator[Block]:
    """Of every part with text in it, plain where there is a choice."""
    shown = [part for part in parts if part.get_content_maintype() == "text" and not part.is_attachment()]
    plain = [part for part in shown if part.get_content_subtype() != "html"]
    for part in plain or shown:
        text = _text(part)
        if part in plain:
            yield from (Block(paragraph) for paragraph in _PARAGRAPH.split(text))
        else:
            yield from _html(text)


def _html(text: str) -> Iterator[Block]:
    from zhuli.knowledge.documents.html_page import page_blocks  # imports an HTML parser

    return page_blocks(text)


def _text(part: EmailMessage) -> str:
    """In the encoding that the part declares, or in the one that its characters show."""
    data = part.get_payload(decode=True)
    content = data if isinstance(data, bytes) else b""
    try:
        return content.decode(part.get_content_charset() or "utf-8")
    except (LookupError, UnicodeDecodeError):
        return decode(content)
