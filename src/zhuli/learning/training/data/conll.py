"""CoNLL: a token a line, its tag in the last column, a blank line behind each sentence.

Columns are separated by a tab, or by spaces where a line has no tab. Lines that begin with # and don't end with a tag are
comments; -DOCSTART- begins a document, whose sentences stay together. Characters numbered within their word, as in Weibo
NER (科0 技1), lose the number.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from zhuli.learning.training.data import tags
from zhuli.learning.training.data.finding import Entry, Finding
from zhuli.learning.training.data.text_file import opened
from zhuli.types.learning.example import Record

_NUMBERED = re.compile(r"(.)\d+", re.DOTALL)

LOOKED_AT = 500
"""Lines that decide whether characters are numbered."""

Row = tuple[int, list[str]]


def read(path: Path, columns: Mapping[str, str]) -> Iterator[Entry]:
    """columns: {"tokens": number, "tags": number} of columns counted from 1, where they are not the first and the last."""
    token, tag = _column(columns, "tokens", 1), _column(columns, "tags", -1)
    with opened(path) as file:
        numbered = _is_numbered(islice(file, LOOKED_AT))
        file.seek(0)
        for document, rows in _sentences(file):
            if bad := next((line for line, cells in rows if len(cells) < max(token, tag, 2)), None):
                yield Finding(bad, "This line must have a token and its tag, like London<tab>B-location.")
                continue
            yield _record(rows, token, tag, numbered=numbered, document=document)


def _column(columns: Mapping[str, str], field: str, usual: int) -> int:
    number = columns.get(field, "")
    return int(number) if number.isdecimal() and int(number) else usual


def _record(rows: list[Row], token: int, tag: int, *, numbered: bool, document: int) -> Record:
    tokens = [_cell(cells, token) for _, cells in rows]
    fields = {
        "tokens": [_NUMBERED.sub(r"\1", text) for text in tokens] if numbered else tokens,
        "tags": tags.bio([_cell(cells, tag) for _, cells in rows]),
    }
    return Record(line=rows[0][0], fields=fields | ({"group": f"document {document}"} if document else {}))


def _cell(cells: list[str], column: int) -> str:
    return cells[column - 1 if column > 0 else column]


def _sentences(lines: Iterator[str]) -> Iterator[tuple[int, list[Row]]]:
    """The number of the document, 0 where the file has no marks, and the sentence's rows."""
    document = 0
    rows: list[Row] = []
    for number, line in enumerate(lines, start=1):
        cells = _cells(line)
        if cells and _is_comment(line, cells):
            continue
        if cells and cells[0] != "-DOCSTART-":
            rows.append((number, cells))
            continue
        if rows:
            yield document, rows
            rows = []
        document += bool(cells)
    if rows:
        yield document, rows


def _cells(line: str) -> list[str]:
    line = line.strip("\r\n")
    cells = line.split("\t") if "\t" in line else line.split(" ")
    cells = [cell.strip(" ") for cell in cells]
    return [cell for cell in cells if cell] if "\t" not in line else cells if any(cells) else []


def _is_comment(line: str, cells: list[str]) -> bool:
    return line.startswith("#") and not (len(cells) > 1 and tags.is_tag(cells[-1]))


def _is_numbered(lines: Iterator[str]) -> bool:
    """In any other text, one of the first tokens is something else than a character and its number."""
    tokens = [cells[0] for line in lines if (cells := _cells(line))]
    return bool(tokens) and all(_NUMBERED.fullmatch(token) for token in tokens)
