"""Markdown files. How they become blocks is documents.markdown_text's part."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from zhuli.core.decoding import read_text
from zhuli.knowledge.documents.markdown_text import markdown_blocks
from zhuli.types.knowledge.document import Block


class Plugin:
    """In any encoding that core.decoding knows."""

    extensions: Sequence[str] = (".md", ".markdown", ".mdx")

    def parse(self, path: Path) -> Iterator[Block]:
        return markdown_blocks(read_text(path))
