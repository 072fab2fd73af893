"""Cells of .xlsx as they are shown, where their value alone does not say it: formats of numbers, errors, formulas without values.

Reads the styles and the sheets beside the library that reads the values, and only what is needed of them.
"""

import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Any

from zhuli.knowledge.documents.xml_part import DAMAGED, parsed

MAX_XML = 48 * 1024 * 1024
"""Bytes of a sheet's XML; of a larger one values are shown as they are."""
MAX_FORMULA = 200
"""Characters that are shown of a formula without a value."""
BUILT_IN = {
    **{1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%"},
    **{37: "#,##0", 38: "#,##0", 39: "#,##0.00", 40: "#,##0.00"},
}
"""Of numFmtId (ISO/IEC 29500-1, 18.8.30), without dates and general ones."""
STAND_IN = "[Threaded comment]"
"""How a comment of the old kind begins that stands for one of the new kind."""
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"

_CELL = re.compile(rb"<(?:\w+:)?c\s([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_ATTRIBUTE = re.compile(rb'\b(r|s|t)="([^"]*)"')
_FORMULA = re.compile(rb"<(?:\w+:)?f\b[^>]*?(?:/>|>(.*?)</(?:\w+:)?f>)", re.DOTALL)
_VALUE = re.compile(rb"<(?:\w+:)?v>([^<]+)<")
_TOKEN = re.compile(r'"([^"]*)"|\\(.)|\[\$([^\]-]*)[^\]]*\]|\[[^\]]*\]|_.|\*.')
_PATTERN = re.compile(r"[#0?][#0?,]*(?:\.[#0?]+)?(,*)")


@dataclass
class Sheet:
    """shown: by place (row and column from 0), what stands in the cell; formats: of numbers. formulas: how many lack a value.

    remarks: what people remarked, with the name of the cell.
    """

    shown: dict[tuple[int, int], str] = field(default_factory=dict)
    formats: dict[tuple[int, int], str] = field(default_factory=dict)
    formulas: int = 0
    remarks: list[tuple[str, str]] = field(default_factory=list)


def sheets(path: Path) -> Mapping[str, Sheet]:
    """By their names; empty for a file that is no .xlsx, and without those that are too large."""
    try:
        with zipfile.ZipFile(path) as archive:
            formats = _formats(parsed(archive.read("xl/styles.xml")))
            found = {}
            for name, part in _parts(archive):
                if archive.getinfo(part).file_size <= MAX_XML:
                    found[name] = _sheet(archive.read(part), formats)
                    found[name].remarks = list(_remarks(archive, part))
            return found
    except DAMAGED:
        return {}


def _parts(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    relations = parsed(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {relation.get("Id"): relation.get("Target", "") for relation in relations}
    for sheet in parsed(archive.read("xl/workbook.xml")).iter(f"{_MAIN}sheet"):
        target = targets.get(sheet.get(f"{_RELATION}id"), "")
        part = target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl") / target)
        if part in archive.namelist():
            yield sheet.get("name", ""), part


def _remarks(archive: zipfile.ZipFile, part: str) -> Iterator[tuple[str, str]]:
    """Comments of the old kind, and of the new one, for which the old one only says that it is there."""
    path = PurePosixPath(part)
    relations = str(path.parent / "_rels" / f"{path.name}.rels")
    if relations not in archive.namelist():
        return
    for relation in parsed(archive.read(relations)):
        kind, target = relation.get("Type", "").rpartition("/")[2], relation.get("Target", "")
        name = target.lstrip("/") if target.startswith("/") else normpath(str(path.parent / target))
        if kind not in {"comments", "threadedComment"} or name not in archive.namelist():
            continue
        for remark in parsed(archive.read(name)).iter("{*}comment", "{*}threadedComment"):
            words = "".join(part.text or "" for part in remark.iter("{*}t", "{*}text")).strip()
            if words and not words.startswith(STAND_IN):
                yield remark.get("ref", ""), words


def _formats(styles: Any) -> list[str]:
    """The format of each cell style, "" for general ones."""
    own = {one.get("numFmtId"): one.get("formatCode", "") for one in styles.iter(f"{_MAIN}numFmt")}
    used = styles.find(f"{_MAIN}cellXfs")
    ids = [one.get("numFmtId", "0") for one in used] if used is not None else []
    return [own.get(name, BUILT_IN.get(int(name), "") if name.isdecimal() else "") for name in ids]


def _sheet(xml: bytes, formats: list[str]) -> Sheet:
    sheet = Sheet()
    for cell in _CELL.finditer(xml):
        attributes, inside = dict(_ATTRIBUTE.findall(cell[1])), cell[2] or b""
        kind = attributes.get(b"t", b"n")
        style = attributes.get(b"s", b"0")
        code = formats[int(style)] if style.isdigit() and int(style) < len(formats) else ""
        if kind != b"e" and not code and b"f" not in inside:
            continue
        place, value = _place(attributes.get(b"r", b"")), _VALUE.search(inside)
        if place is None:
            continue
        if kind == b"e" and value is not None:
            sheet.shown[place] = value[1].decode("utf-8", "replace")
        elif value is None and kind not in {b"inlineStr", b"str"} and (formula := _FORMULA.search(inside)):
            sheet.shown[place] = "=" + (formula[1] or b"").decode("utf-8", "replace")[:MAX_FORMULA]
            sheet.formulas += 1
        elif code and kind == b"n":
            sheet.formats[place] = code
    return sheet


def _place(reference: bytes) -> tuple[int, int] | None:
    letters = reference.rstrip(b"0123456789")
    row = reference[len(letters) :]
    if not letters.isalpha() or not row or len(letters) > 3:
        return None
    column = 0
    for letter in letters.upper():
        column = column * 26 + letter - ord("A") + 1
    return int(row) - 1, column - 1


def shown_number(value: float, code: str) -> str | None:
    """The number as the format shows it; None for formats that are not understood, like fractions and scientific ones."""
    sections = _sections(code)
    section = (
        sections[1]
        if value < 0 and len(sections) > 1
        else sections[2]
        if value == 0 and len(sections) > 2
        else sections[0]
    )
    literals: list[str] = []

    def keep(token: re.Match[str]) -> str:
        literal = token[1] or token[2] or token[3] or ""
        literals.append(literal)
        return "\0" if literal else ""

    bare = _TOKEN.sub(keep, section)
    pattern = _PATTERN.search(bare)
    if pattern is None or re.search(r"[a-zA-Z@/]", bare.replace("\0", "")):
        return None
    before, after = bare[: pattern.start()], bare[pattern.end() :]
    number = abs(value) * 100 ** (before + after).count("%") / 1000 ** len(pattern[1])
    kept = iter([literal for literal in literals if literal])
    text = f"{before}\1{after}"
    text = "".join(next(kept) if character == "\0" else character for character in text)
    negative = "-" if value < 0 and len(sections) < 2 else ""
    return negative + " ".join(text.replace("\1", _digits(number, pattern[0].rstrip(","))).split())


def _digits(number: float, pattern: str) -> str:
    whole, _, fraction = pattern.partition(".")
    text = f"{number:,.{len(fraction)}f}" if "," in whole else f"{number:.{len(fraction)}f}"
    needed = len(fraction.rstrip("#"))
    units, _, decimals = text.partition(".")
    decimals = decimals[:needed] + decimals[needed:].rstrip("0")
    least = whole.replace(",", "").count("0")
    return units.zfill(least) + (f".{decimals}" if decimals else "")


def _sections(code: str) -> list[str]:
    """What is between semicolons that are not quoted."""
    parts = re.split(r';(?=(?:[^"]*"[^"]*")*[^"]*$)', code)
    return parts or [code]
