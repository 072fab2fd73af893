"""The items of a run, from wherever they come, checked against their eval's schema."""

import hashlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import orjson

from zhuli.core import json_limits
from zhuli.core.errors import InvalidRequest, NotFound
from zhuli.core.ids import new_id
from zhuli.learning.evals import conversing, item_schema
from zhuli.ports import BlobStore
from zhuli.store import collections
from zhuli.store.assistants import chat_completions
from zhuli.store.database import Database
from zhuli.store.knowledge import files
from zhuli.store.learning import conversations, datasets, eval_threads
from zhuli.store.learning.eval_runs import NewItem
from zhuli.types.learning.eval_sources import (
    CompletionsSource,
    DatasetVersion,
    FileContent,
    FileId,
    ItemSource,
    JsonlSource,
    StoredCompletions,
    StoredThreads,
)
from zhuli.types.learning.evals import Eval
from zhuli.types.page import PageParams

PURPOSE = "evals"
MOST_BYTES = 64 * 1024 * 1024
"""Of all items of a run."""
LONGEST_LINE = 1024 * 1024
"""Bytes of one item."""

Line = Mapping[str, Any]
"""{"item": …, "sample"?: …}"""


class Unusable(Exception):
    """The data can't be evaluated; the message says where and why."""

    def __init__(self, message: str, code: str = "invalid_data") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


@dataclass(frozen=True, slots=True)
class Sources:
    """Made once. most_items: of a run."""

    database: Database
    blobs: BlobStore
    most_items: int

    async def check(self, project: str, of: Eval, source: JsonlSource | CompletionsSource) -> None:
        """What can be said at once of where the items come from: InvalidRequest or NotFound name the parameter."""
        asked = source.source
        match asked:
            case FileContent():
                schema = _schema(of)
                for number, line in enumerate(asked.content):
                    if found := _fault(schema, line.item):
                        param = f"data_source.source.content[{number}].item"
                        raise InvalidRequest(f"Invalid '{param}': {found}.", param=param, code="invalid_item")
                self._check_number(len(asked.content))
            case FileId():
                await self._check_file(project, asked.id)
            case DatasetVersion():
                await self._file_of(project, asked)

    def _check_number(self, number: int) -> None:
        if number > self.most_items:
            text = f"Invalid 'data_source.source': a run has at most {self.most_items:,} items."
            raise InvalidRequest(text, param="data_source.source", code="array_above_max_length")

    async def _check_file(self, project: str, file_id: str) -> None:
        param = "data_source.source.id"
        found = None if "\0" in file_id else await self.database.run(files.file_of, project, file_id)
        if found is None:
            raise NotFound(f"No such File object: {file_id}", param=param)
        if found.purpose not in (PURPOSE, "fine-tune"):
            text = f"The file '{file_id}' has the purpose '{found.purpose}'. Upload it with purpose '{PURPOSE}'."
            raise InvalidRequest(text, param=param, code="invalid_file_purpose")

    async def _file_of(self, project: str, source: DatasetVersion) -> str:
        """The id of the part's file."""
        param = "data_source.source.version"
        with collections.named_by(param):
            found = await self.database.run(datasets.version_named, project, source.version)
        if source.part == "validation" and found.validation_file is None:
            text = f"Invalid 'data_source.source.part': nothing is held out in the version '{source.version}'."
            raise InvalidRequest(text, param="data_source.source.part", code="invalid_value")
        return found.validation_file or found.training_file if source.part == "validation" else found.training_file

    async def items(self, project: str, of: Eval, source: ItemSource) -> AsyncGenerator[NewItem, None]:
        """The items in order; Unusable says which is wrong."""
        schema, number, size = _schema(of), 0, 0
        async with aclosing(self._lines(project, of, source)) as lines:
            async for line in lines:
                if found := _fault(schema, line["item"]):
                    raise Unusable(f"Item {number}: {found}.", "invalid_item")
                given = orjson.dumps(line).decode()
                number, size = number + 1, size + len(given)
                if number > self.most_items or size > MOST_BYTES:
                    raise Unusable(
                        f"A run has at most {self.most_items:,} items of {MOST_BYTES:,} bytes together.",
                        "too_many_items",
                    )
                yield NewItem(new_id("outputitem"), digest_of(line["item"]), given)
        if not number:
            raise Unusable("There are no items to evaluate.", "no_items")

    async def _lines(self, project: str, of: Eval, source: ItemSource) -> AsyncGenerator[Line, None]:
        match source:
            case FileContent():
                for given in source.content:
                    yield given.model_dump(mode="json", exclude_none=True)
            case StoredCompletions():
                for line in await self._stored(project, of, source):
                    yield line
            case StoredThreads():
                async for line in self._said(project, source):
                    yield line
            case _:
                file_id = source.id if isinstance(source, FileId) else await self._file_of(project, source)
                number = 0
                async for raw in self._raw_lines(file_id):
                    number += 1
                    if raw.strip():
                        yield _read(raw, number, whole=isinstance(source, DatasetVersion))

    async def _raw_lines(self, file_id: str) -> AsyncGenerator[bytes, None]:
        rest = b""
        try:
            async with aclosing(self.blobs.read(file_id)) as pieces:
                async for piece in pieces:
                    *lines, rest = (rest + piece).split(b"\n")
                    for line in lines:
                        yield line
                    if len(rest) > LONGEST_LINE:
                        raise Unusable(f"A line of the file is longer than {LONGEST_LINE:,} bytes.", "too_long_line")
        except KeyError:
            raise Unusable(f"The file {file_id} is gone.", "file_not_found") from None
        yield rest

    async def _said(self, project: str, source: StoredThreads) -> AsyncGenerator[Line, None]:
        """Threads oldest first, each read in a transaction of its own."""
        found = await self.database.run(
            eval_threads.chosen, project, ids=source.ids, metadata=source.metadata or {}, most=source.limit
        )
        for thread_id in found:
            said = await self.database.run(conversations.said, project, thread_id)
            for line in conversing.lines(thread_id, said, turns=source.turns, replayed=source.history == "replayed"):
                yield line

    async def _stored(self, project: str, of: Eval, source: StoredCompletions) -> list[Line]:
        """The newest that fit, oldest first."""
        metadata = {**(of.data_source_config.metadata or {}), **(source.metadata or {})}
        most, found, after = min(source.limit or self.most_items, self.most_items), list[Line](), None
        while len(found) < most:
            params = PageParams(limit=20, order="desc", after=after)
            lines, after = await self.database.run(_page, project, params, source, metadata)
            found += lines
            if after is None:
                break
        return found[:most][::-1]


def _page(
    connection: Any, project: str, params: PageParams, source: StoredCompletions, metadata: Mapping[str, str]
) -> tuple[list[Line], str | None]:
    """Lines of those on the page that fit, and where to go on."""
    places = chat_completions.places(connection, project, params, model=source.model, metadata=metadata)
    lines: list[Line] = []
    last = None
    for body in places.first:
        completion = orjson.loads(body)
        last = completion["id"]
        if (source.created_after or 0) <= completion["created"] <= (source.created_before or 2**62):
            lines.append(_logged(completion, chat_completions.messages(connection, project, last)))
    return lines, last if places.has_more else None


def _logged(completion: dict[str, Any], messages: list[dict[str, Any]]) -> Line:
    """A stored completion as an item with the answer that it had."""
    message = completion["choices"][0]["message"]
    item = {"id": completion["id"], "input": messages, "metadata": completion.get("metadata") or {}}
    sample = {
        "model": completion["model"],
        "output_text": message.get("content") or "",
        "output_tools": message.get("tool_calls") or [],
        "choices": completion["choices"],
        "finish_reason": completion["choices"][0]["finish_reason"],
    }
    return {"item": item, "sample": sample}


def _read(raw: bytes, number: int, *, whole: bool) -> Line:
    """A line of a file. whole: the line is the item itself, as in files of data sets."""
    if len(raw) > LONGEST_LINE:
        raise Unusable(f"Line {number} is longer than {LONGEST_LINE:,} bytes.", "too_long_line")
    try:
        line = json_limits.read(raw)
    except (orjson.JSONDecodeError, InvalidRequest) as error:
        raise Unusable(f"Line {number} is no JSON that can be read: {error}.") from None
    if isinstance(line, dict) and not whole and isinstance(line.get("item"), dict):
        sample = line.get("sample")
        return {"item": line["item"], **({"sample": sample} if isinstance(sample, dict) else {})}
    if isinstance(line, dict) and whole:
        return {"item": line}
    raise Unusable(f'Line {number} must be an object like {{"item": {{"question": "…"}}}}.', "invalid_item")


def _schema(of: Eval) -> Any:
    """What holds items against the schema; None where any will do."""
    if of.data_source_config.type != "custom":
        return None
    return item_schema.validator(of.data_source_config.schema_["properties"]["item"])


def _fault(schema: Any, item: dict[str, Any]) -> str | None:
    return None if schema is None else item_schema.fault(schema, item)


def digest_of(item: Mapping[str, Any]) -> str:
    """Equal for equal items, whatever the order of their members."""
    return hashlib.sha256(orjson.dumps(item, option=orjson.OPT_SORT_KEYS)).hexdigest()
