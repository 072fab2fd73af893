"""Plain text: paragraphs at empty lines. LaTeX too, as its authors write it, with its sections as headings."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from zhuli.core.decoding import read_text
from zhuli.types.knowledge.document import Block

_PARAGRAPH = re.compile(r"\n[^\S\n]*\n\s*")
_SECTION = re.compile(r"\\(part|chapter|section|subsection|subsubsection|paragraph)\*?\{([^{}\n]+)\}")
LEVELS = {"part": 1, "chapter": 1, "section": 2, "subsection": 3, "subsubsection": 4, "paragraph": 5}


class Plugin:
    """Text in any encoding that documents.decoding knows."""

    extensions: Sequence[str] = (".txt", ".text", ".log", ".tex", ".rst")

    def parse(self, path: Path) -> Iterator[Block]:
        text = read_text(path).replace("\r\n", "\n").replace("\r", "\n")
        for paragraph in _PARAGRAPH.split(text):
            yield from _blocks(paragraph)


def _blocks(paragraph: str) -> Iterator[Block]:
    """The paragraph; where LaTeX opens a section in it, what stands before, the title, and what follows."""
    end = 0
    for section in _SECTION.finditer(paragraph):
        yield Block(paragraph[end : section.start()])
        yield Block(section[2], "heading", LEVELS[section[1]])
        end = section.end()
    yield Block(paragraph[end:])
