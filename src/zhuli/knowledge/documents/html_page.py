"""An HTML page as a reader sees it: headings, paragraphs, lists, tables and code, without scripts, styles and hidden parts.

Walks the tree without recursion: a page may be nested a million deep. Nothing is loaded from anywhere.
"""

import codecs
import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from zhuli.core.decoding import MARKS, decode
from zhuli.core.errors import Unreadable
from zhuli.knowledge.documents.markdown_table import markdown_table
from zhuli.types.knowledge.document import Block, BlockKind

SKIPPED = frozenset(
    "head script style template noscript svg math iframe object canvas audio video select datalist".split()
)
INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i img input ins kbd label mark nobr q rb rp rt ruby s samp "
    "small span strike strong sub sup time tt u var wbr -text".split()
)
"""Everything else begins a new block. "-text" is the parser's name for text."""
HEADINGS = {f"h{level}": level for level in range(1, 7)}

_SPACE = re.compile(r"[ \t\r\n\f]+")
_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_NO_TABLE = "table table"
_TAG = re.compile(r"<(/?)([a-zA-Z]+)")
MAX_DEPTH = 10_000
"""Of elements in each other; browsers stop at 512, and the parser's time grows with the square."""
OPEN = frozenset(
    "area base br col colgroup dd dt embed hr img input li link meta optgroup option p param rp rt source tbody td tfoot th "
    "thead tr track wbr".split()
)
"""Elements that need no end tag."""


def decode_page(data: bytes) -> str:
    """By its mark, else by the <meta> in its first kilobyte, else by its characters."""
    declared = _CHARSET.search(data[:1024])
    if declared and not any(data.startswith(mark) for mark, _ in MARKS):
        name = declared[1].decode("ascii", "replace").lower()
        try:
            encoding = codecs.lookup({"gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs"}.get(name, name)).name
            if not encoding.startswith(("utf-8", "utf-16")):  # often declared where it is not so
                return data.decode(encoding, "replace")
        except (LookupError, ValueError):
            pass
    return decode(data)


def page_blocks(page: str) -> Iterator[Block]:
    """The blocks of a page, first its title where no heading says it."""
    _check_depth(page)
    tree = LexborHTMLParser(page)
    title = tree.css_first("title")
    if title is not None and tree.css_first("h1") is None:
        yield Block(_SPACE.sub(" ", title.text(strip=True)), "heading", 1)
    if tree.body is not None:
        yield from _Walk().blocks(tree.body)


def _check_depth(page: str) -> None:
    depth = 0
    for end, name in _TAG.findall(page):
        if name not in OPEN:
            depth += -1 if end else 1
            if depth > MAX_DEPTH:
                raise Unreadable(f"The page is nested too deeply: more than {MAX_DEPTH:,} elements in each other.")


class _Walk:
    """Gathers text until a block ends."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._ended: list[Block] = []
        self._kind: BlockKind = "text"
        self._level = 0

    def blocks(self, root: LexborNode) -> Iterator[Block]:
        node: LexborNode | None = root
        while node is not None:
            below = node.first_child if self._enter(node) else None
            node = self._next(node, root) if below is None else below
            yield from self._ended
            self._ended.clear()
        self._flush()
        yield from self._ended

    def _next(self, node: LexborNode, root: LexborNode) -> LexborNode | None:
        """What comes after the node and everything in it."""
        here: LexborNode | None = node
        while here is not None and here.mem_id != root.mem_id:
            self._leave(here)
            if here.next is not None:
                return here.next
            here = here.parent
        return None

    def _enter(self, node: LexborNode) -> bool:
        """Take the node in; whether to look at what is in it."""
        tag = node.tag or ""
        if tag == "-text":
            self._texts.append(node.text_content or "")
            return False
        if tag == "br":
            self._texts.append("\n" if self._kind == "code" else "\x00")
        if tag in SKIPPED or not node.is_element_node or _is_hidden(node):
            return False
        if tag in INLINE or tag == "br":
            return True
        self._flush()
        if tag == "table" and node.css_first(_NO_TABLE) is None:
            self._ended.append(Block(markdown_table(_rows(node)), "table"))
            return False
        if tag in HEADINGS:
            self._kind, self._level = "heading", HEADINGS[tag]
        elif tag == "pre":
            self._kind, self._level = "code", 0
        self._texts += ["- "] if tag == "li" else []
        return True

    def _leave(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if node.is_element_node and tag not in INLINE and tag != "br":
            self._flush()
            if tag == "pre" or tag in HEADINGS:
                self._kind, self._level = "text", 0

    def _flush(self) -> None:
        text = "".join(self._texts)
        self._texts.clear()
        if self._kind != "code":
            text = _SPACE.sub(" ", text).replace("\x00", "\n").strip()
        if text.strip(" -\n"):
            self._ended.append(Block(text, self._kind, self._level))


def _is_hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    return "hidden" in attributes or bool(_HIDDEN.search(attributes.get("style") or ""))


def _rows(table: LexborNode) -> list[list[str]]:
    return [
        [_SPACE.sub(" ", cell.text(separator=" ", strip=True)) for cell in row.css("td, th")] for row in table.css("tr")
    ]
