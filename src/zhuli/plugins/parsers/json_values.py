"""JSON and JSON lines: pieces of whole values, each under the path that leads to it."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from zhuli.core.decoding import read_text
from zhuli.core.errors import Unreadable
from zhuli.types.knowledge.document import Block

PIECE = 1_500
"""Characters up to which a value stays in one block."""
_HALVES = re.compile(r"\\\\|\\u[dD][89abAB]\w\w\\u[dD][c-fC-F]\w\w|(\\u[dD][89a-fA-F]\w\w)")
"""Escapes; in the group those of half a character, which cut strings have and orjson refuses."""


class Plugin:
    """A file that is one value is JSON, one with a value a line JSON lines, whatever it is called."""

    extensions: Sequence[str] = (".json", ".jsonl", ".ndjson", ".geojson", ".ipynb")

    def parse(self, path: Path) -> Iterator[Block]:
        text = read_text(path).replace("\0", "").strip()
        if not text:
            return
        if "\\u" in text:
            text = _HALVES.sub(lambda escape: r"\ufffd" if escape[1] else escape[0], text)
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            yield from _lines(text, error)
        else:
            yield from _pieces(value, "")


def _lines(text: str, whole: orjson.JSONDecodeError) -> Iterator[Block]:
    """A block a line. Broken lines are kept as text, as long as at least half of the lines are JSON."""
    lines = [line for line in text.split("\n") if line.strip()]
    values = [_value(line) for line in lines]
    broken = values.count(None)
    if len(lines) < 2 or broken * 2 > len(lines):
        raise Unreadable(f"The file is not JSON: {whole.msg} (line {whole.lineno}, column {whole.colno}).")
    for line, parsed in zip(lines, values, strict=True):
        if parsed is None:
            yield Block(line)
        else:
            yield from _pieces(parsed[0], "")


def _value(line: str) -> tuple[Any] | None:
    try:
        return (orjson.loads(line),)
    except orjson.JSONDecodeError:
        return None


def _pieces(value: Any, place: str) -> Iterator[Block]:
    """The value in one block if it is short, else its parts; lists in runs of neighbours that fit together."""
    if isinstance(value, str):
        yield Block(f"{place}: {value}" if place else value)
        return
    shown = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    if len(shown) <= PIECE or not isinstance(value, dict | list):
        yield Block(f"{place}: {shown}" if place else shown, "code")
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _pieces(part, f"{place}.{key}" if place else key)
    else:
        yield from _runs(value, place)


def _runs(values: list[Any], place: str) -> Iterator[Block]:
    start, run, length = 0, list[Any](), 0
    for number, value in enumerate(values):
        size = len(orjson.dumps(value))
        if run and length + size > PIECE:
            yield from _run(run, place, start)
            start, run, length = number, [], 0
        run.append(value)
        length += size
    yield from _run(run, place, start)


def _run(run: list[Any], place: str, start: int) -> Iterator[Block]:
    if len(run) == 1:
        yield from _pieces(run[0], f"{place}[{start}]")
    else:
        shown = orjson.dumps(run, option=orjson.OPT_INDENT_2).decode()
        yield Block(f"{place}[{start}:{start + len(run)}]: {shown}", "code")
