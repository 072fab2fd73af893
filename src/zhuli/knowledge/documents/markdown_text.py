"""Markdown as blocks: as their authors wrote them, marks included, which models read well; headings without their marks."""

from collections.abc import Iterator, Sequence
from typing import Any

from zhuli.types.knowledge.document import Block, BlockKind

KINDS: dict[str, BlockKind] = {"fence": "code", "code_block": "code", "table_open": "table"}


def markdown_blocks(text: str) -> Iterator[Block]:
    """CommonMark with tables; front matter between --- lines is a piece of code, HTML is what a reader sees of it."""
    front, lines = _front_matter(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    if front:
        yield Block("\n".join(front), "code")
    from markdown_it import MarkdownIt  # too slow to import for those who read other things

    reader = MarkdownIt("commonmark").enable("table").disable(["inline"])
    yield from _blocks(reader.parse("\n".join(lines)), lines)


def _front_matter(lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines between --- and --- at the very beginning, and the rest; CommonMark knows nothing of them."""
    if lines[0].rstrip() != "---":
        return [], lines
    end = next((number for number, line in enumerate(lines[1:50], 1) if line.rstrip() in {"---", "..."}), 0)
    return lines[1:end], lines[end + 1 :] if end else lines


def _blocks(tokens: Sequence[Any], lines: list[str]) -> Iterator[Block]:
    for number, token in enumerate(tokens):
        if token.level or token.map is None:
            continue
        if token.type == "heading_open":
            yield Block(tokens[number + 1].content, "heading", int(token.tag[1]))
        elif token.type == "fence":
            yield Block(token.content, "code")
        elif token.type == "html_block":
            from zhuli.knowledge.documents.html_page import page_blocks  # imports an HTML parser

            yield from page_blocks(token.content)
        elif token.type != "hr":
            start, end = token.map
            yield Block("\n".join(lines[start:end]), KINDS.get(token.type, "text"))
