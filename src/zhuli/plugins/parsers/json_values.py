"""JSON and JSON lines: pieces of whole values, each under the path that leads to it."""

import json
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
MAX_DIGITS = 18
"""Of a number that is kept as one; longer ones are texts."""
_LONG_NUMBER = re.compile(r"\d{18}")
_EMPTY_LINES = re.compile(r"\n(?:[^\S\n]*\n)+")
_HALVES = re.compile(r"\\\\|\\u[dD][89abAB]\w\w\\u[dD][c-fC-F]\w\w|(\\u[dD][89a-fA-F]\w\w)")
"""Escapes; in the group those of half a character, which cut strings have and orjson refuses."""


class Plugin:
    """A file that is one value is JSON, one with a value a line JSON lines, whatever it is called."""

    extensions: Sequence[str] = (".json", ".jsonl", ".ndjson", ".geojson")

    def parse(self, path: Path) -> Iterator[Block]:
        text = read_text(path).replace("\0", "").strip()
        if not text:
            return
        if "\\u" in text:
            text = _HALVES.sub(lambda escape: r"\ufffd" if escape[1] else escape[0], text)
        try:
            value = _loaded(text)
        except ValueError as error:
            yield from _lines(text, error)
        else:
            yield from _pieces(value, "")


def _loaded(text: str) -> Any:
    """By the reader that is fast; by the other where there are long numbers or NaN, which stay as they are written.

    ValueError for what is no JSON.
    """
    try:
        return _exact(text) if _LONG_NUMBER.search(text) else orjson.loads(text)
    except orjson.JSONDecodeError:
        return _exact(text)


def _exact(text: str) -> Any:
    try:
        return json.loads(text, parse_int=_whole, parse_constant=str)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) < MAX_DIGITS else digits


def _shown(value: Any, *, indent: bool = True) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 if indent else 0).decode()


def _lines(text: str, whole: ValueError) -> Iterator[Block]:
    """A block a line. Broken lines are kept as text; what is mostly no JSON, like settings with comments, is text altogether."""
    lines = [line for line in text.split("\n") if line.strip()]
    values = [_value(line) for line in lines]
    broken = values.count(None)
    if len(lines) < 2 or broken * 2 > len(lines):
        if not any(character.isalnum() for character in text):
            raise Unreadable("The file is not JSON, and no text either. Save it again where it was made.") from whole
        yield from (Block(piece, "code") for piece in _EMPTY_LINES.split(text))
        return
    for line, parsed in zip(lines, values, strict=True):
        if parsed is None:
            yield Block(line)
        else:
            yield from _pieces(parsed[0], "")


def _value(line: str) -> tuple[Any] | None:
    try:
        return (_loaded(line),)
    except ValueError:
        return None


def _pieces(value: Any, place: str) -> Iterator[Block]:
    """The value in one block if it is short, else its parts; lists in runs of neighbours that fit together."""
    if isinstance(value, str):
        yield Block(f"{place}: {value}" if place else value)
        return
    shown = _shown(value)
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
        size = len(_shown(value, indent=False))
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
        shown = _shown(run)
        yield Block(f"{place}[{start}:{start + len(run)}]: {shown}", "code")
