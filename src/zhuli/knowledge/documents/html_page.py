"""An HTML page as a reader sees it: headings, paragraphs, lists, tables and code, without scripts, styles and hidden parts.

Walks the tree without recursion: a page may be nested a million deep. Nothing is loaded from anywhere. Hidden is what its own
attributes hide; style sheets are not read. Tables are documents.html_table's part.
"""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from zhuli.core.decoding import MARKS, declared_encoding, decode
from zhuli.core.errors import Unreadable
from zhuli.knowledge.documents.html_table import Grid, caption_of, is_layout
from zhuli.knowledge.documents.markdown_table import markdown_table
from zhuli.types.knowledge.document import Block, BlockKind

SKIPPED = frozenset(
    "head script style template noscript svg iframe object canvas audio video select datalist title rp".split()
)
INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i img input ins kbd label mark math nobr q rb rt ruby s samp "
    "small span strike strong sub sup time tt u var wbr -text".split()
)
"""Everything else begins a new block. "-text" is the parser's name for text."""
HEADINGS = {f"h{level}": level for level in range(1, 7)}
TYPED = frozenset(
    ("", "text", "email", "number", "tel", "url", "search", "date", "time", "month", "week", "datetime-local")
)
"""Inputs whose value a reader sees."""
MAX_ALTERNATIVE = 2_000
"""Characters of the text that stands for a picture."""

_SPACE = re.compile(r"[ \t\r\n\f]+")
_CHARSET = re.compile(rb"<(?:meta[^>]+charset|\?xml[^>]+encoding)\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_HIDDEN = re.compile(
    r"(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|content-visibility\s*:\s*hidden|mso-hide\s*:\s*all"
    r"|(?:opacity|font-size)\s*:\s*0*\.?0*(?:px|pt|r?em|%)?\s*(?:!important\s*)?(?:;|$))",
    re.IGNORECASE,
)
_TAG = re.compile(r"<(/?)([a-zA-Z]+)")
MAX_DEPTH = 10_000
"""Of elements in each other; browsers stop at 512, and the parser's time grows with the square."""
OPEN = frozenset(
    "area base br col colgroup dd dt embed hr img input li link meta optgroup option p param rp rt source tbody td tfoot th "
    "thead tr track wbr".split()
)
"""Elements that need no end tag."""


def decode_page(data: bytes) -> str:
    """By its mark, else by what its first kilobyte declares, else by its characters."""
    declared = _CHARSET.search(data[:1024])
    if declared and not any(data.startswith(mark) for mark, _ in MARKS):
        encoding = declared_encoding(declared[1].decode("ascii", "replace"))
        if encoding and not encoding.startswith(("utf-8", "utf-16", "utf-32")):  # often declared where it is not so
            return data.decode(encoding, "replace")
    return decode(data)


def page_blocks(page: str, *, with_title: bool = True) -> Iterator[Block]:
    """The blocks of a page, first its title where no heading says it."""
    _check_depth(page)
    tree = LexborHTMLParser(page)
    title = tree.css_first("title")
    if with_title and title is not None and tree.css_first("h1") is None:
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
    """Gathers text until a block ends. In a cell, tables in it are text too."""

    def __init__(self, *, in_cell: bool = False) -> None:
        self._texts: list[str] = []
        self._mark = ""
        self._ended: list[Block] = []
        self._kind: BlockKind = "text"
        self._level = 0
        self._in_cell = in_cell
        self._numbers: list[int | None] = []

    def blocks(self, root: LexborNode) -> Iterator[Block]:
        if is_hidden(root):
            return
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
        if not node.is_element_node or is_hidden(node):
            return False
        if tag == "br":
            self._texts.append("\n" if self._kind == "code" else "\x00")
        if tag in SKIPPED:
            return False
        if tag in {"img", "input", "area"}:
            self._texts.append(_alternative(node, tag))
            return False
        if tag == "math":
            self._texts.append(_formula(node))
            return False
        if tag in INLINE or tag == "br":
            return True
        self._flush()
        if tag == "table" and not self._in_cell:
            return self._table(node)
        self._begin(node, tag)
        return True

    def _begin(self, node: LexborNode, tag: str) -> None:
        if tag in HEADINGS:
            self._kind, self._level = "heading", HEADINGS[tag]
        elif tag == "pre":
            self._kind, self._level = "code", 0
        elif tag in {"ol", "ul"}:
            self._numbers.append(_whole(node.attributes.get("start"), 1) if tag == "ol" else None)
        elif tag == "li":
            number = self._numbers[-1] if self._numbers else None
            if number is not None:
                number = _whole(node.attributes.get("value"), number)
                self._numbers[-1] = number + 1
            self._mark = "- " if number is None else f"{number}. "

    def _table(self, table: LexborNode) -> bool:
        """End it as one block; True for a table that only places its parts, which are looked at one by one."""
        if is_layout(table):
            return True
        if caption := caption_of(table):
            self._ended += _Walk(in_cell=True).blocks(caption)
        grid = Grid(table, hidden=is_hidden, text=cell_text)
        self._ended.append(Block(markdown_table(grid.rows()), "table"))
        return False

    def _leave(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if node.is_element_node and tag not in INLINE and tag != "br":
            self._flush()
            if tag == "pre" or tag in HEADINGS:
                self._kind, self._level = "text", 0
            elif tag in {"ol", "ul"} and self._numbers and not is_hidden(node):
                self._numbers.pop()
            elif tag == "li":
                self._mark = ""

    def _flush(self) -> None:
        text = "".join(self._texts)
        self._texts.clear()
        if self._kind != "code":
            text = _SPACE.sub(" ", text).replace("\x00", "\n").strip()
        if text.strip(" -\n"):
            self._ended.append(Block(self._mark + text, self._kind, self._level))
            self._mark = ""


def is_hidden(node: LexborNode) -> bool:
    """Whether the element's own attributes hide it and all that is in it."""
    attributes = node.attributes
    if "hidden" in attributes or attributes.get("aria-hidden") == "true":
        return True
    if node.tag == "dialog" and "open" not in attributes:
        return True
    return bool(_HIDDEN.search(attributes.get("style") or ""))


def cell_text(cell: LexborNode) -> str:
    """What a reader sees in a cell, its blocks one after the other; a list keeps its marks, a table in it is text."""
    return " ".join(block.text for block in _Walk(in_cell=True).blocks(cell))


def _alternative(node: LexborNode, tag: str) -> str:
    """What stands for a picture, or what is filled into a field."""
    attributes = node.attributes
    kind = (attributes.get("type") or "").lower()
    if tag != "input" or kind == "image":
        return f" {text[:MAX_ALTERNATIVE]} " if (text := (attributes.get("alt") or "").strip()) else ""
    return f" {attributes.get('value') or ''} " if kind in TYPED else ""


def _formula(math: LexborNode) -> str:
    """As LaTeX where the page has it beside MathML, else the characters of the formula."""
    latex = math.css_first('annotation[encoding="application/x-tex"]')
    if latex is not None:
        return f"${latex.text(strip=True)}$"
    for note in math.css("annotation, annotation-xml"):
        note.decompose()
    return _SPACE.sub(" ", math.text(strip=True))


def _whole(text: str | None, otherwise: int) -> int:
    digits = (text or "").strip()
    return int(digits) if digits.lstrip("-").isdecimal() and len(digits) < 10 else otherwise
