"""Rich Text Format (.rtf): its text and the rows of its tables, without headings' levels. striprtf reads it."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from zhuli.core.errors import Unreadable
from zhuli.types.knowledge.document import Block

MAX_BYTES = 64 * 1024 * 1024
"""Of a file; pictures in it are kept as text of two letters a byte."""
_PICTURES = re.compile(r"(?:[0-9a-fA-F]{2}){64,}|(?:[0-9a-fA-F]{64,}\s+)+")
_HIDDEN = re.compile(r"\\v(?:1)?(?=[ \\])[^{}]*?\\v0\b ?")
_ROW = re.compile(r"\|\n")


class Plugin:
    """Hidden text is left out. Cells of a row stand between bars."""

    extensions: Sequence[str] = (".rtf",)

    def parse(self, path: Path) -> Iterator[Block]:
        from striprtf.striprtf import rtf_to_text

        data = path.read_bytes()
        if len(data) > MAX_BYTES:
            raise Unreadable(f"The file has more than {MAX_BYTES >> 20} MiB of RTF. Save it as .docx.")
        source = _HIDDEN.sub("", _PICTURES.sub("", data.decode("latin-1")))
        try:
            text = rtf_to_text(source, errors="replace")  # type: ignore[no-untyped-call]
        except (LookupError, ValueError, TypeError) as error:
            raise Unreadable("The file is damaged RTF. Open it where it was made and save it again.") from error
        for paragraph in _ROW.sub("\n", text).split("\n"):
            yield Block(paragraph.replace("|", " | "))
