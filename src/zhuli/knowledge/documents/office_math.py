"""Formulas of Office (OMML, ISO/IEC 29500-1, 22.1) as LaTeX, the form in which models write them and authors search them."""

import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
MAX_DEPTH = 60
"""Of formulas in formulas."""
OPERATORS = {
    **{"∑": r"\sum", "∏": r"\prod", "∫": r"\int", "∬": r"\iint", "∮": r"\oint", "⋃": r"\bigcup", "⋂": r"\bigcap"},
    **{"±": r"\pm", "×": r"\times", "÷": r"\div", "·": r"\cdot", "⋅": r"\cdot", "∞": r"\infty", "∂": r"\partial"},
    **{"≤": r"\leq", "≥": r"\geq", "≠": r"\neq", "≈": r"\approx", "≡": r"\equiv", "∝": r"\propto", "∼": r"\sim"},
    **{"→": r"\to", "⇒": r"\Rightarrow", "⇔": r"\Leftrightarrow", "∈": r"\in", "∉": r"\notin", "⊂": r"\subset"},
    **{"∪": r"\cup", "∩": r"\cap", "∀": r"\forall", "∃": r"\exists", "∇": r"\nabla", "√": r"\sqrt", "…": r"\dots"},
    **{"{": r"\{", "}": r"\}", "%": r"\%", "−": "-"},
}
ACCENTS = {"\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0305": "overline", "\u0307": "dot", "\u20d7": "vec"}


def latex(formula: Any) -> str:
    """The content of an oMath element, without dollar signs."""
    return " ".join(_inside(formula, 0).split())


def _inside(element: Any, depth: int) -> str:
    if depth > MAX_DEPTH or element is None:
        return ""
    return "".join(_one(part, depth + 1) for part in element)


def _one(element: Any, depth: int) -> str:
    if not isinstance(element.tag, str):
        return ""
    name = element.tag.rpartition("}")[2]
    if name == "t":
        return _letters(element.text or "")
    if name in FORMS and element.tag.startswith(MATH):
        return FORMS[name](element, depth)
    return "" if name.endswith("Pr") else _inside(element, depth)


def _letters(text: str) -> str:
    """Characters as commands where LaTeX has one; slanted and bold letters are letters."""
    shown = []
    for character in unicodedata.normalize("NFKC", text):
        name = unicodedata.name(character, "")
        if character in OPERATORS:
            shown.append(f"{OPERATORS[character]} ")
        elif name.startswith(("GREEK SMALL LETTER ", "GREEK CAPITAL LETTER ")) and len(name.split()) == 4:
            letter = name.split()[3].lower().replace("lamda", "lambda")
            shown.append(f"\\{letter if 'SMALL' in name else letter.capitalize()} ")
        else:
            shown.append(character)
    return "".join(shown)


def _child(element: Any, name: str, depth: int) -> str:
    return _inside(element.find(f"{MATH}{name}"), depth).strip()


def _value(element: Any, path: str, otherwise: str) -> str:
    """What a property says, by its attribute val."""
    found = element.find("/".join(f"{MATH}{name}" for name in path.split("/")))
    return otherwise if found is None else found.get(f"{MATH}val", "")


def _fraction(element: Any, depth: int) -> str:
    return rf"\frac{{{_child(element, 'num', depth)}}}{{{_child(element, 'den', depth)}}}"


def _scripts(*names: str) -> Callable[[Any, int], str]:
    """A base with what stands below and above it."""

    def shown(element: Any, depth: int) -> str:
        base = _child(element, "e", depth)
        marks = {"sub": "_", "sup": "^"}
        return base + "".join(f"{marks[name]}{{{_child(element, name, depth)}}}" for name in names)

    return shown


def _before(element: Any, depth: int) -> str:
    return rf"{{}}_{{{_child(element, 'sub', depth)}}}^{{{_child(element, 'sup', depth)}}}{_child(element, 'e', depth)}"


def _radical(element: Any, depth: int) -> str:
    degree = _child(element, "deg", depth)
    return rf"\sqrt{f'[{degree}]' if degree else ''}{{{_child(element, 'e', depth)}}}"


def _nary(element: Any, depth: int) -> str:
    sign = _value(element, "naryPr/chr", "∫")
    below, above = _child(element, "sub", depth), _child(element, "sup", depth)
    limits = (f"_{{{below}}}" if below else "") + (f"^{{{above}}}" if above else "")
    return f"{OPERATORS.get(sign, sign)}{limits} {_child(element, 'e', depth)}"


def _delimited(element: Any, depth: int) -> str:
    begin, end = _value(element, "dPr/begChr", "("), _value(element, "dPr/endChr", ")")
    inside = _value(element, "dPr/sepChr", "|").join(
        _inside(part, depth).strip() for part in element.findall(f"{MATH}e")
    )
    return rf"\left{_delimiter(begin)}{inside}\right{_delimiter(end)}"


def _delimiter(mark: str) -> str:
    return {"": ".", "{": r"\{", "}": r"\}"}.get(mark, mark)


def _function(element: Any, depth: int) -> str:
    name = _child(element, "fName", depth)
    return f"{chr(92) if name.isascii() and name.isalpha() else ''}{name} {_child(element, 'e', depth)}"


def _matrix(element: Any, depth: int) -> str:
    rows = r" \\ ".join(_cells(row.findall(f"{MATH}e"), depth) for row in element.findall(f"{MATH}mr"))
    return rf"\begin{{matrix}}{rows}\end{{matrix}}"


def _cells(cells: Sequence[Any], depth: int) -> str:
    return " & ".join(_inside(cell, depth).strip() for cell in cells)


def _equations(element: Any, depth: int) -> str:
    lines = r" \\ ".join(_inside(line, depth).strip() for line in element.findall(f"{MATH}e"))
    return rf"\begin{{aligned}}{lines}\end{{aligned}}"


def _accent(element: Any, depth: int) -> str:
    accent = ACCENTS.get(_value(element, "accPr/chr", "\u0302"), "hat")
    return rf"\{accent}{{{_child(element, 'e', depth)}}}"


def _bar(element: Any, depth: int) -> str:
    over = _value(element, "barPr/pos", "bot") == "top"
    return rf"\{'overline' if over else 'underline'}{{{_child(element, 'e', depth)}}}"


def _limit(mark: str) -> Callable[[Any, int], str]:
    return lambda element, depth: f"{_child(element, 'e', depth)}{mark}{{{_child(element, 'lim', depth)}}}"


FORMS: dict[str, Callable[[Any, int], str]] = {
    "f": _fraction,
    "sSup": _scripts("sup"),
    "sSub": _scripts("sub"),
    "sSubSup": _scripts("sub", "sup"),
    "sPre": _before,
    "rad": _radical,
    "nary": _nary,
    "d": _delimited,
    "func": _function,
    "m": _matrix,
    "eqArr": _equations,
    "acc": _accent,
    "bar": _bar,
    "limLow": _limit("_"),
    "limUpp": _limit("^"),
}
