"""OpenDocument texts and presentations (.odt, .odp). How they become blocks is documents.open_document's part."""

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from zhuli.core.errors import Unreadable
from zhuli.knowledge.documents.xml_part import DAMAGED, parsed
from zhuli.types.knowledge.document import Block

MAX_XML = 128 * 1024 * 1024
"""Bytes of the content."""


class Plugin:
    """Tracked changes count as accepted."""

    extensions: Sequence[str] = (".odt", ".odp", ".ott", ".otp")

    def parse(self, path: Path) -> Iterator[Block]:
        from zhuli.knowledge.documents.open_document import OpenDocument

        try:
            with zipfile.ZipFile(path) as package:
                if b"encryption-data" in package.read("META-INF/manifest.xml"):
                    raise Unreadable("The document is encrypted. Save it without a password.")
                with package.open("content.xml") as part:
                    content = part.read(MAX_XML + 1)
            if len(content) > MAX_XML:
                raise Unreadable(f"The document has more than {MAX_XML >> 20} MiB of XML. Split it.")
            root = parsed(content)
        except DAMAGED as error:
            raise Unreadable("The file is a damaged document. Open it where it was made and save it again.") from error
        return OpenDocument(root).blocks()
