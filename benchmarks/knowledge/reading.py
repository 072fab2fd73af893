"""What is read of files whose text is known: words, cells of tables, order, processor time; beside other readers if asked.

    python -m benchmarks.knowledge.reading --data FOLDER
    python -m benchmarks.knowledge.reading --data FOLDER --beside /tmp/other/bin/python:markitdown

FOLDER is laid out as docling's tests/data are (github.com/docling-project/docling, MIT): KIND/sources/NAME and beside it
KIND/groundtruth/NAME.md, for PDFs without their extension. Another reader is asked in its own Python, by reading_beside.py;
what it needs is installed there and nowhere else. What is here is reported, and nothing is chosen by it.
"""

import json
import re
import subprocess
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from zhuli.knowledge.retrieval.reading.reading_child import answer, find_parsers
from zhuli.knowledge.retrieval.reading.reading_limits import Limits

KINDS = (".docx", ".pptx", ".xlsx", ".html", ".csv", ".pdf", ".odt", ".odp", ".ods", ".epub")
LIMITS = Limits(seconds=120, memory_bytes=2**31, max_characters=40_000_000)
LOW = 0.9
"""Words recalled of a file below which it counts as badly read."""

_WORD = re.compile(r"[\u2e80-\u9fff]|[^\W_\u2e80-\u9fff]+")
_NOT_SAID = re.compile(r"<!--.*?-->|\]\([^)]*\)|\\(?=[_*|])", re.DOTALL)
_ROW = re.compile(r"^\s*\|(.+)\|\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Text:
    """What a reader made of a file, None where it failed; seconds: of processor."""

    text: str | None
    seconds: float


Reader = Callable[[Sequence[Path]], Iterator[Text]]


@dataclass
class Scores:
    """Of the files of one kind."""

    files: int = 0
    read: int = 0
    words: list[float] = field(default_factory=list)
    cells: list[float] = field(default_factory=list)
    order: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, read: Text, truth: str) -> None:
        """One file; one that was not read has recalled nothing."""
        text = _NOT_SAID.sub("", read.text or "")
        self.files += 1
        self.read += read.text is not None
        self.seconds += read.seconds
        self.words.append(recalled(words_of(truth), words_of(text)))
        if wanted := cells_of(truth):
            self.cells.append(f1(wanted, cells_of(text)))
        if read.text is not None:
            self.order.append(in_order(words_of(truth), words_of(text)))


def words_of(text: str) -> list[str]:
    """In lower case; each Chinese character is one."""
    return _WORD.findall(text.lower())


def cells_of(markdown: str) -> Counter[str]:
    """The cells that say something, of all tables."""
    rows = (row for row in _ROW.findall(markdown) if row.strip("|-: "))
    return Counter(said for row in rows for cell in row.split("|") if (said := " ".join(words_of(cell))))


def recalled(wanted: Sequence[str], found: Sequence[str]) -> float:
    """The share of the wanted words that were found, each as often as it is wanted."""
    counts = Counter(wanted)
    return (counts & Counter(found)).total() / counts.total() if counts else 1.0


def f1(wanted: Counter[str], found: Counter[str]) -> float:
    shared = (wanted & found).total()
    return 2 * shared / (wanted.total() + found.total())


def in_order(wanted: Sequence[str], found: Sequence[str]) -> float:
    """Of the words that both have once, the share that the longest run in the right order has."""
    once, again = Counter(wanted), Counter(found)
    places = {word: place for place, word in enumerate(found) if again[word] == 1}
    order = [places[word] for word in wanted if once[word] == 1 and word in places]
    ends: list[int] = []
    for place in order:
        at = bisect_left(ends, place)
        ends[at : at + 1] = [place]
    return len(ends) / len(order) if order else 1.0


def ours(paths: Sequence[Path]) -> Iterator[Text]:
    """As the reading process does it, in this one."""
    parsers = find_parsers()
    for path in paths:
        began = time.process_time()
        frames = list(answer(path, path.name, parsers, LIMITS))
        texts = [block[0] for kind, *rest in frames if kind == "blocks" for block in rest[0]]
        failed = any(kind == "failed" for kind, *_ in frames)
        yield Text(None if failed else "\n\n".join(texts), time.process_time() - began)


def beside(python: str, tool: str) -> Reader:
    """Another reader in its own Python."""

    def read(paths: Sequence[Path]) -> Iterator[Text]:
        program = Path(__file__).with_name("reading_beside.py")
        asked = "".join(f"{path}\n" for path in paths)
        lines = subprocess.run([python, program, tool], input=asked, capture_output=True, text=True, check=True).stdout
        yield from (Text(**json.loads(line)) for line in lines.splitlines() if line.startswith('{"text"'))

    return read


def known(data: Path) -> list[tuple[Path, str]]:
    """The files whose text is known, with it."""
    found = []
    for path in sorted(data.rglob("sources/*")):
        truths = [path.parent.parent / "groundtruth" / f"{name}.md" for name in (path.name, path.stem)]
        truth = next((one for one in truths if one.exists()), None)
        if path.suffix in KINDS and truth is not None and (path.suffix == ".pdf") == (truth.name == f"{path.stem}.md"):
            found.append((path, _NOT_SAID.sub("", truth.read_text())))
    return found


def _rows(name: str, reader: Reader, files: Sequence[tuple[Path, str]], console: Console) -> Iterator[list[str]]:
    scores: dict[str, Scores] = {}
    texts = track(reader([path for path, _ in files]), name, len(files), console=console)
    for (path, truth), text in zip(files, texts, strict=True):
        scores.setdefault(path.suffix, Scores()).add(text, truth)
    for kind, one in sorted(scores.items()):
        low = sum(share < LOW for share in one.words)
        cells = f"{mean(one.cells):.3f}" if one.cells else ""
        yield [
            *(kind, name, f"{one.read}/{one.files}", f"{mean(one.words):.3f}", str(low), cells),
            *(f"{mean(one.order):.3f}" if one.order else "", f"{one.seconds:.2f}"),
        ]


def main(
    data: Annotated[Path, typer.Option(help="A folder as docling's tests/data.")],
    others: Annotated[list[str] | None, typer.Option("--beside", help="PYTHON:TOOL, several times.")] = None,
) -> None:
    """Print a table by kind and reader."""
    console = Console(stderr=True)
    files = known(data)
    readers: dict[str, Reader] = {"zhuli": ours}
    for other in others or []:
        python, _, tool = other.rpartition(":")
        readers[tool] = beside(python, tool)
    table = Table("kind", "reader", "read", "words", f"below {LOW}", "cells F1", "order", "processor s")
    rows = [row for name, reader in readers.items() for row in _rows(name, reader, files, console)]
    for row in sorted(rows, key=lambda row: row[0]):
        table.add_row(*row)
    Console(width=120).print(table)


if __name__ == "__main__":
    typer.run(main)
