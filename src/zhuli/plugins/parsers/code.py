"""Source code and configuration: pieces at empty lines, as they stand, indentation and all."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from zhuli.core.decoding import read_text
from zhuli.types.knowledge.document import Block

_EMPTY_LINES = re.compile(r"\n(?:[^\S\n]*\n)+")

LANGUAGES = (
    ".c .h .cpp .cc .hpp .cs .css .scss .go .java .js .mjs .jsx .ts .tsx .php .py .pyi .rb .rs .sh .bash .ps1 .bat .sql "
    ".kt .swift .scala .r .lua .pl .m .dart .vue .proto .graphql .xml .svg .yaml .yml .toml .ini .cfg .conf .env .properties "
    ".gradle .cmake .dockerfile .makefile .diff .patch"
)


class Plugin:
    """Each block is kind "code". XML is among these: it is read as it is written, so that no entity is ever expanded."""

    extensions: Sequence[str] = tuple(LANGUAGES.split())

    def parse(self, path: Path) -> Iterator[Block]:
        text = read_text(path).replace("\r\n", "\n").replace("\r", "\n")
        for piece in _EMPTY_LINES.split(text):
            yield Block(piece, "code")
