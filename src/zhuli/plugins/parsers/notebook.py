"""Notebooks (.ipynb): text, code and what it printed, cell by cell. Pictures are left out, and so is all that programs keep."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from zhuli.core.decoding import read_text
from zhuli.core.errors import Unreadable
from zhuli.knowledge.documents.markdown_text import markdown_blocks
from zhuli.types.knowledge.document import Block

MOST_PRINTED = 2_000
"""Characters of one output; what is longer is a log or data."""


class Plugin:
    """nbformat 3 and 4. A file that is no notebook is refused."""

    extensions: Sequence[str] = (".ipynb",)

    def parse(self, path: Path) -> Iterator[Block]:
        try:
            notebook = orjson.loads(read_text(path))
        except orjson.JSONDecodeError as error:
            raise Unreadable("The file is no notebook: it is not JSON. Save it again in Jupyter.") from error
        cells = list(_cells(notebook))
        if not cells:
            raise Unreadable("The file is no notebook: it has no cells.")
        for cell in cells:
            yield from _blocks(cell)


def _cells(notebook: Any) -> Iterator[dict[str, Any]]:
    """Of the notebook, or of the worksheets that there were until nbformat 3."""
    if isinstance(notebook, dict):
        sheets = [notebook, *(notebook.get("worksheets") or ())]
        lists = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
        yield from (cell for cells in lists if isinstance(cells, list) for cell in cells if isinstance(cell, dict))


def _blocks(cell: dict[str, Any]) -> Iterator[Block]:
    kind, text = cell.get("cell_type"), _text(cell.get("source", cell.get("input")))
    if kind == "markdown":
        yield from markdown_blocks(text)
    elif kind == "heading":
        level = cell.get("level")
        yield Block(text, "heading", min(max(level, 1), 6) if isinstance(level, int) else 1)
    else:
        yield Block(text, "code" if kind == "code" else "text")
    outputs = cell.get("outputs")
    for output in outputs if isinstance(outputs, list) else ():
        if isinstance(output, dict):
            yield from _printed(output)


def _printed(output: dict[str, Any]) -> Iterator[Block]:
    """A table as the page shows it, else what was printed, or how it failed."""
    data = output.get("data") if isinstance(output.get("data"), dict) else output
    html = _text(data.get("text/html", data.get("html"))) if isinstance(data, dict) else ""
    if "<table" in html and len(html) < 100 * MOST_PRINTED:
        from zhuli.knowledge.documents.html_page import page_blocks  # imports an HTML parser

        yield from page_blocks(html)
        return
    text = _text(data.get("text/plain", data.get("text"))) if isinstance(data, dict) else ""
    if output.get("ename"):
        text = f"{output['ename']}: {output.get('evalue', '')}"
    yield Block(text[:MOST_PRINTED] + ("…" if len(text) > MOST_PRINTED else ""), "code")


def _text(source: Any) -> str:
    """A text, or the lines of one."""
    if isinstance(source, list):
        return "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""
