"""What parsers read, made fit to be stored, searched and shown: no characters that nobody sees, one kind of line end."""

import re
from dataclasses import replace

from zhuli.types.knowledge.document import Block

_LINE_END = re.compile("\r\n?|[\u2028\u2029\x85\x0b\x0c]")
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f"
    "\u00ad\ufeff"  # soft hyphen, byte order mark
    "\u200e\u200f\u202a-\u202e\u2066-\u2069"  # directions, by which a text can look other than it reads
    "\ufff9-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e007f]"  # tags: a whole alphabet that no font shows
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACE_AT_END = re.compile(r"[^\S\n]+(?=\n|$)")
_EMPTY_LINES = re.compile(r"\n{3,}")


def clean(block: Block) -> Block | None:
    """The block with its text cleaned, None when nothing is left of it. Columns and indentation stay."""
    text = block.text
    if not (text.isascii() and text.isprintable()):
        text = _SURROGATE.sub("\ufffd", _UNSEEN.sub("", _LINE_END.sub("\n", text)))
        text = _EMPTY_LINES.sub("\n\n", _SPACE_AT_END.sub("", text))
    text = text.rstrip().lstrip("\n")
    if not text.strip():
        return None
    return replace(block, text=text)
