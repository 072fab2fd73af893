"""E-mail (.eml): who wrote to whom about what, the message, messages that are forwarded with it, and what is attached.

Attachments are handed on as files, under the names that the mail gives them. Outlook's .msg is another parser's part.
"""

import email
import io
import mimetypes
import re
from collections.abc import Iterator, Sequence
from email import policy
from email.message import EmailMessage
from itertools import islice
from pathlib import Path

from zhuli.core.decoding import declared_encoding, decode
from zhuli.core.errors import Unreadable
from zhuli.types.knowledge.document import Block, Enclosed

HEADERS = ("From", "To", "Cc", "Date", "Subject")
MAX_PARTS = 200
"""A message of a person has a dozen."""
STUB = 4
"""A plain alternative this many times shorter than the HTML only says that there is HTML."""
_PARAGRAPH = re.compile(r"\n[^\S\n]*\n\s*")
_WORD = re.compile(r"=\?([\w-]+)\?", re.ASCII)
"""How an encoded word of a header begins (RFC 2047)."""


class Plugin:
    """The plain text of a message where it has one that says as much, else its HTML."""

    extensions: Sequence[str] = (".eml", ".mht", ".mhtml")

    def parse(self, path: Path) -> Iterator[Block | Enclosed]:
        message = email.message_from_bytes(path.read_bytes(), policy=policy.default)
        if not any(message.get(name) for name in HEADERS):
            raise Unreadable("The file is no e-mail: it has neither sender nor subject.")
        parts = list(islice(message.walk(), MAX_PARTS + 1))
        if len(parts) > MAX_PARTS:
            raise Unreadable(f"The e-mail has more than {MAX_PARTS} parts in each other or beside each other.")
        yield from _message(message)


def _message(message: EmailMessage) -> Iterator[Block | Enclosed]:
    """The head, the text, and behind it what is attached."""
    yield Block("\n".join(f"{name}: {_header(message, name)}" for name in HEADERS if message.get(name)))
    enclosed: list[Enclosed] = []
    for item in _items(message):
        if isinstance(item, Enclosed):
            enclosed.append(item)
        else:
            yield item
    if enclosed:
        yield Block("Attachments: " + ", ".join(item.filename for item in enclosed))
        yield from enclosed


def _header(message: EmailMessage, name: str) -> str:
    """The header's text, where encodings mean what programs write under their names."""
    raw = next((value for key, value in message.raw_items() if key.lower() == name.lower()), "")
    mended = _WORD.sub(lambda word: f"=?{declared_encoding(word[1]) or word[1]}?", str(raw))
    return str(policy.default.header_factory(name, mended)) if "=?" in mended else str(message[name])


def _items(part: EmailMessage) -> Iterator[Block | Enclosed]:
    """What a part says, in the order in which a program shows it."""
    kind, main = part.get_content_type(), part.get_content_maintype()
    if kind == "message/rfc822":
        yield from _forwarded(part)
    elif kind == "multipart/alternative":
        yield from _best(_parts(part))
    elif main == "multipart":
        for inner in _parts(part):
            if kind != "multipart/related" or inner.get_content_maintype() in {"text", "multipart"} or _name(inner):
                yield from _items(inner)
    elif main == "text" and not part.is_attachment() and not _name(part):
        yield from _text_blocks(part)
    else:
        name, data = _name(part) or f"attachment{mimetypes.guess_extension(kind) or ''}", _bytes(part)
        yield Enclosed(name, lambda: io.BytesIO(data))


def _parts(part: EmailMessage) -> list[EmailMessage]:
    inner = part.get_payload()
    return [each for each in inner if isinstance(each, EmailMessage)] if isinstance(inner, list) else []


def _forwarded(part: EmailMessage) -> Iterator[Block | Enclosed]:
    for inner in _parts(part):
        yield Block(f"Forwarded: {_header(inner, 'Subject')}", "heading", 2)
        yield from _message(inner)


def _best(parts: Sequence[EmailMessage]) -> Iterator[Block | Enclosed]:
    """Of parts that say the same: plain text unless it is but a stub, else what says most. Files count of all of them."""
    shown = [list(_items(part)) for part in parts]
    sizes = [sum(len(item.text) for item in items if isinstance(item, Block)) for items in shown]
    plain = [number for number, part in enumerate(parts) if part.get_content_type() == "text/plain"]
    rich = [
        number for number, part in enumerate(parts) if part.is_multipart() or part.get_content_type() == "text/html"
    ]
    most = max(rich or plain, key=lambda number: sizes[number], default=None)
    if plain and sizes[plain[0]] * STUB >= sizes[plain[0] if most is None else most]:
        most = plain[0] if sizes[plain[0]] else most
    for number, items in enumerate(shown):
        yield from (item for item in items if number == most or isinstance(item, Enclosed))


def _text_blocks(part: EmailMessage) -> Iterator[Block]:
    if part.get_content_subtype() in {"css", "javascript"}:
        return
    text = _text(part)
    if part.get_content_subtype() == "html":
        from zhuli.knowledge.documents.html_page import page_blocks  # imports an HTML parser

        yield from page_blocks(text)
    else:
        yield from (Block(paragraph) for paragraph in _PARAGRAPH.split(text))


def _name(part: EmailMessage) -> str:
    return part.get_filename() or ""


def _text(part: EmailMessage) -> str:
    """In the encoding that the part declares, or in the one that its characters show."""
    content = _bytes(part)
    encoding = declared_encoding(part.get_content_charset() or "utf-8")
    try:
        return content.decode(encoding) if encoding else decode(content)
    except UnicodeDecodeError:
        return decode(content)


def _bytes(part: EmailMessage) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""
