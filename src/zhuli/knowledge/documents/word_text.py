"""The text of one paragraph of Word as it is shown: fields by their results, formulas as LaTeX, symbols as characters.

What is deleted, moved away or hidden is left out. Text boxes and comments are handed on apart, to stand behind the paragraph.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from zhuli.knowledge.documents.office_math import MATH, latex

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
PICTURE = "{http://schemas.openxmlformats.org/drawingml/2006/picture}"
PLACED = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
LEFT_OUT = frozenset(f"{WORD}{name}" for name in "del moveFrom pPr rPr sdtPr sdtEndPr rt rubyPr fldData ffData".split())
CHARACTERS = {"tab": "\t", "br": "\n", "cr": "\n", "ptab": "\t", "noBreakHyphen": "-"}
MAX_DEPTH = 100
"""Of elements in each other within a paragraph."""

_GREEK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ"
_SMALL = "abcdefghijklmnopqrstuvwxyz", "αβχδεφγηιϕκλμνοπθρστυϖωξψζ"
SYMBOL = {
    **dict(zip(_GREEK[0] + _SMALL[0], _GREEK[1] + _SMALL[1], strict=True)),
    **{
        "\xa3": "≤",
        "\xb3": "≥",
        "\xb0": "°",
        "\xb1": "±",
        "\xb4": "×",
        "\xb8": "÷",
        "\xb9": "≠",
        "\xbb": "≈",
        "\xa5": "∞",
    },
    **{
        "\xae": "→",
        "\xac": "←",
        "\xad": "↑",
        "\xaf": "↓",
        "\xd6": "√",
        "\xb7": "•",
        "\xe5": "∑",
        "\xf2": "∫",
        "\xb6": "∂",
    },
    **{
        "\xd1": "∇",
        "\xce": "∈",
        "\xcc": "⊂",
        "\xc8": "∪",
        "\xc7": "∩",
        "\xde": "⇒",
        "\xdb": "⇔",
        "\xa2": "′",
        "\xb2": "″",
    },
}
"""Adobe's encoding of the font Symbol, where it is not that of Latin-1."""
WINGDINGS = {
    **{
        "\xfc": "✓",
        "\xfb": "✗",
        "\xfe": "☑",
        "\xfd": "☒",
        "\xa8": "☐",
        "o": "☐",
        "\xa7": "▪",
        "n": "■",
        "l": "●",
        "q": "❑",
    },
    **{"\xe0": "→", "\xdf": "←", "\xe1": "↑", "\xe2": "↓", "\xe8": "➔", "\xd8": "➢", "v": "❖", "u": "◆", "J": "☺"},
}
FONTS = {"symbol": SYMBOL, "wingdings": WINGDINGS}


@dataclass
class Said:
    """A paragraph's words; boxes: elements with the paragraphs of text boxes; comments: ids."""

    words: list[str] = field(default_factory=list)
    boxes: list[Any] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.words)


def said_in(paragraph: Any, hidden: Collection[str]) -> Said:
    """What the paragraph says. hidden: styles whose text is not shown."""
    said = Said()
    for element in _shown(paragraph, hidden, 0):
        _add(element, said)
    return said


def _shown(parent: Any, hidden: Collection[str], depth: int) -> Iterator[Any]:
    """The elements that are content, in their order."""
    for element in parent:
        if element.tag in LEFT_OUT or (element.tag == f"{WORD}r" and _is_hidden(element, hidden)):
            continue
        yield element
        is_whole = element.tag in {f"{WORD}txbxContent", f"{MATH}oMath"}
        if depth < MAX_DEPTH and not is_whole:
            yield from _shown(element, hidden, depth + 1)


def _is_hidden(run: Any, hidden: Collection[str]) -> bool:
    properties = run.find(f"{WORD}rPr")
    if properties is None:
        return False
    own, style = properties.find(f"{WORD}vanish"), properties.find(f"{WORD}rStyle")
    if own is not None:
        return own.get(f"{WORD}val", "1") not in {"0", "false", "off"}
    return style is not None and style.get(f"{WORD}val") in hidden


def _add(element: Any, said: Said) -> None:
    tag = element.tag
    name = tag.removeprefix(WORD) if isinstance(tag, str) else ""
    if name == "t":
        said.words.append(element.text or "")
    elif name in CHARACTERS:
        said.words.append(CHARACTERS[name])
    elif name == "sym":
        said.words.append(symbol(element.get(f"{WORD}font", ""), element.get(f"{WORD}char", "")))
    elif name in {"footnoteReference", "endnoteReference"}:
        said.words.append(f"[{element.get(f'{WORD}id')}]")
    elif name == "commentReference":
        said.comments.append(element.get(f"{WORD}id", ""))
    elif name == "txbxContent":
        said.boxes.append(element)
    elif tag == f"{MATH}oMath":
        said.words.append(f"${formula}$" if (formula := latex(element)) else "")
    elif tag == f"{PLACED}docPr" and element.getparent().find(f".//{PICTURE}pic") is not None:
        said.words.append(f" {alternative} " if (alternative := element.get("descr", "").strip()) else "")


def symbol(font: str, code: str) -> str:
    """The character that a symbol's font shows at `code` (hexadecimal); "" for one that is not known."""
    try:
        number = int(code, 16)
    except ValueError:
        return ""
    character = (
        chr(number - 0xF000 if 0xF000 <= number <= 0xF0FF else number) if number < 0xD800 or number > 0xDFFF else ""
    )
    known = FONTS.get(font.lower())
    if known is None:
        return "" if "\ue000" <= character <= "\uf8ff" else character
    return known.get(character, character if character.isascii() and known is SYMBOL else "")
