"""A document on its way from a file to a vector store: what a parser reads of it, and the chunks that it is cut into."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Literal

BlockKind = Literal["text", "heading", "table", "code"]

LEVELS = " › "
"""What stands between the headings of a section, and before the row of a table's header at its end."""
ROW = "| "
"""How a row of a table begins."""

SEPARATOR = "\n\n"
"""What stands between two blocks in a document's text."""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading, table (as Markdown rows) or piece of code, in reading order.

    level: of a heading, 1 to 6; 0 otherwise. page: counted from 1, None where the format has no pages; a slide or a sheet
    counts as a page.
    """

    text: str
    kind: BlockKind = "text"
    level: int = 0
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A file in a file, like an attachment or a member of an archive, in its place among blocks: read in turn if small enough.

    filename: as the outer file calls it; it says at most what kind of file it is. open: the content, from its beginning.
    page: of the outer file, for a picture that is all of it: what is read stands there, and not under a name; `otherwise`
    stands there where it is not read.
    """

    filename: str
    open: Callable[[], IO[bytes]]
    page: int | None = None
    otherwise: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document's text: `text` is that text from `start` to `end`, in characters.

    section: the headings above it, outermost first, joined by " › "; it is embedded and searched with the text, but is no
    part of it. page: where it begins. tokens: of the text alone, by the chunker's tokenizer.
    """

    text: str
    start: int
    end: int
    tokens: int
    section: str = ""
    page: int | None = None


def headings_and_header(section: str) -> tuple[str, str]:
    """The headings of a chunk's section, and the first row of the table that the chunk is out of; "" for what there is not."""
    if section.startswith(ROW):
        return "", section
    headings, between, row = section.partition(LEVELS + ROW)
    return headings, ROW + row if between else ""


def text_of(blocks: list[Block]) -> str:
    """The document's text: chunk offsets count its characters."""
    return SEPARATOR.join(block.text for block in blocks)
