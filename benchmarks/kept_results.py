"""What the rows of a long benchmark came to: a JSON file that grows row by row, and tables in a page of the documentation.

Which rows there are, and what stands in a table, is the benchmark's.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zhuli.core import whole_file

Result = dict[str, Any]


def read(path: Path) -> dict[str, Result]:
    """By the row's name; nothing where there is no file yet."""
    found: dict[str, Result] = json.loads(path.read_text()) if path.exists() else {}
    return found


def keep(
    path: Path, name: str, result: Result, *, order: Iterable[str], show: Callable[[dict[str, Result]], None]
) -> None:
    """Add or replace one row, in the order of these names, behind rows that there are no more; then show() all of them."""
    with _alone(path.parent):
        results = read(path) | {name: result}
        ordered = {known: results[known] for known in order if known in results}
        text = json.dumps({**results, **ordered}, indent=1, ensure_ascii=False)
        whole_file.replace(path, f"{text}\n".encode())
        show(results)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Other processes wait: each may end a row of its own in the same moment."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def put(page: Path, table: str, *, begin: str, end: str) -> None:
    """Put a table between its marks; everything else on the page stays."""
    before, found, rest = page.read_text().partition(begin)
    _, found_too, after = rest.partition(end)
    assert found and found_too, f"{page} has no place between '{begin}' and '{end}'"
    page.write_text(f"{before}{begin}\n\n{table}\n\n{end}{after}")


def markdown(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table."""
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
