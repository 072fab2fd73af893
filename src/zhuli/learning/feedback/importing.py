"""Feedback from files: JSON Lines with the API's fields, or CSV whose columns are named like them.

A line that was here before, by its `key` or else by what it says, is not taken a second time.
"""

import asyncio
import csv
import hashlib
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from typing import Any, Literal

import orjson
from pydantic import ValidationError

from zhuli.core import json_limits
from zhuli.core.errors import InvalidRequest, ZhuliError
from zhuli.learning.feedback.giving import FeedbackCommands
from zhuli.types.learning.feedback import FeedbackCreate, FeedbackImported, ImportFault
from zhuli.types.refusals import refusal_of

Format = Literal["csv", "jsonl"]

MOST_BYTES = 32 * 1024 * 1024
"""Of a file; larger ones are given in several."""

_AT_ONCE = 200
"""Lines in one transaction."""

_MOST_FAULTS = 100

_CORRECTED = ("text", "intent", "label")
"""Columns of a CSV file that are a correction."""
_CONTEXT = ("model", "task", "input", "output")


async def run_import(
    commands: FeedbackCommands, project: str, pieces: AsyncGenerator[bytes, None], *, format: Format
) -> FeedbackImported:
    """Take every line that can be taken. InvalidRequest for a file that is too large or no text."""
    text = await _text(pieces)
    report, batch = FeedbackImported(), list[tuple[int, FeedbackCreate]]()
    lines = _csv(text) if format == "csv" else _jsonl(text)
    for line, found in lines:
        if isinstance(found, FeedbackCreate):
            batch.append((line, found))
        else:
            _note(report, line, found)
        if len(batch) == _AT_ONCE:
            await _take(commands, project, batch, report)
            batch = []
            await asyncio.sleep(0)
    await _take(commands, project, batch, report)
    return report


async def _text(pieces: AsyncGenerator[bytes, None]) -> str:
    data = bytearray()
    async with aclosing(pieces):
        async for piece in pieces:
            data += piece
            if len(data) > MOST_BYTES:
                raise InvalidRequest(
                    f"The file has more than {MOST_BYTES // 1024**2} MiB. Split it, and import the parts.", param="file"
                )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"The file is not UTF-8 at byte {error.start}. Save it as UTF-8.", param="file") from error


def format_of(filename: str) -> Format:
    """By the name's end: CSV for .csv, else JSON Lines."""
    return "csv" if filename.lower().endswith(".csv") else "jsonl"


def _jsonl(text: str) -> Iterator[tuple[int, FeedbackCreate | str]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield number, _made(json_limits.read(line.encode()), line.strip())
            except InvalidRequest as error:
                yield number, error.message
            except orjson.JSONDecodeError as error:
                yield number, f'This is not JSON: {error}. Each line must be one whole object, like {{"target": …}}.'


def _csv(text: str) -> Iterator[tuple[int, FeedbackCreate | str]]:
    reader = csv.DictReader(text.splitlines(keepends=True), strict=True)
    try:
        for row in reader:
            given = {name.strip(): value for name, value in row.items() if name and value not in (None, "")}
            try:
                yield reader.line_num, _made(_of_row(given), orjson.dumps(given).decode())
            except InvalidRequest as error:
                yield reader.line_num, error.message
    except csv.Error as error:
        yield reader.line_num, f"This is not CSV: {error}. A text with a comma or line break stands in quotation marks."


def _of_row(row: Mapping[str, str]) -> dict[str, Any]:
    """A row's cells as the fields of a piece of feedback; other columns stay, and are refused by name."""
    cells: dict[str, Any] = dict(row)
    fields: dict[str, Any] = {"target": {}}
    for name in ("type", "id"):
        if f"target_{name}" in cells:
            fields["target"][name] = cells.pop(f"target_{name}")
    if correction := {name: cells.pop(name) for name in _CORRECTED if name in cells}:
        fields["correction"] = correction
    if context := {name: cells.pop(name) for name in _CONTEXT if name in cells}:
        fields["context"] = context
    if "labels" in cells:
        fields["labels"] = [label.strip() for label in cells.pop("labels").split(";") if label.strip()]
    for name, kind in (("grade", int), ("weight", float)):
        if name in cells:
            try:
                fields[name] = kind(cells[name])
                cells.pop(name)
            except ValueError:
                fields[name] = cells.pop(name)
    return {**cells, **fields}


def _made(fields: Any, line: str) -> FeedbackCreate:
    """Its key is that of the line, unless it has one. InvalidRequest says what is wrong."""
    try:
        body = FeedbackCreate.model_validate(fields)
    except ValidationError as error:
        raise refusal_of(error) from None
    digest = hashlib.sha256(line.encode("utf-8", "surrogatepass")).hexdigest()
    return body if body.key is not None else body.model_copy(update={"key": f"import:{digest[:32]}"})


async def _take(
    commands: FeedbackCommands, project: str, batch: list[tuple[int, FeedbackCreate]], report: FeedbackImported
) -> None:
    """All at once; where one of them can't be taken, one by one."""
    if not batch:
        return
    try:
        added = await commands.count_new(project, [body for _, body in batch])
    except ZhuliError as error:
        if len(batch) == 1 or error.status >= 500:
            if error.status >= 500:
                raise
            _note(report, batch[0][0], error.message)
            return
        for each in batch:
            await _take(commands, project, [each], report)
        return
    report.added += added
    report.repeated += len(batch) - added


def _note(report: FeedbackImported, line: int, message: str) -> None:
    report.refused += 1
    if len(report.faults) < _MOST_FAULTS:
        report.faults.append(ImportFault(line=line, message=message))
