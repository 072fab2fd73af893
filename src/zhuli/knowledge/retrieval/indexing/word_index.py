"""Finds chunks by their words: BM25 over tantivy, an index per vector store, which follows the store's changes.

A copy of what the database has, like a vector index, with the same position/apply/search/drop. How far it got is a document
in the index itself, so that a commit has changes and position or neither. An index that can't be opened is made again.
Several processes may share a data directory: one writes at a time, and what the other has applied is skipped.
"""

import asyncio
import shutil
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from math import log
from pathlib import Path
from threading import Lock
from time import monotonic, sleep
from typing import Any, TypeVar, TypeVarTuple

from zhuli.core import full_disk
from zhuli.core.errors import Unavailable
from zhuli.knowledge.retrieval.indexing.segmentation import words
from zhuli.types.knowledge.vectors import Hit, IndexChange

A = TypeVarTuple("A")
R = TypeVar("R")

K1 = 1.2
"""BM25's saturation, as tantivy has it."""

FORMAT = "1"
"""Part of the path: another way of cutting words needs other indexes, which are then made from the database."""

MOST_OPEN = 256
WRITER_BYTES = 15_000_000
"""The least that tantivy takes for one writing thread."""

LOCK_SECONDS = 30.0

MOST_WORDS = 256
"""A query's different words beyond these are left out: nobody asks in so many."""


@dataclass(frozen=True, slots=True)
class Matches:
    """What was found by words, best first, and how rare each word of the query is in the store (BM25's idf)."""

    hits: list[Hit]
    idf: dict[str, float]

    @property
    def ceiling(self) -> float:
        """The BM25 score that no chunk can reach: every word of the query, each as often as one likes."""
        return (K1 + 1) * sum(self.idf.values())


class WordsIndex:
    """BM25 (k1 1.2, b 0.75) over a chunk's section and text. Works on threads of its own; made without touching the disk."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "words" / FORMAT
        self._open: OrderedDict[str, _StoreWords] = OrderedDict()
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="words")

    async def position(self, store: str) -> int:
        """The number of the last change that this store's index has; 0 for a store it does not know."""
        return await self._run(self._index(store).position)

    async def apply(self, store: str, changes: Sequence[IndexChange], position: int) -> None:
        """Take in changes, oldest first, in one commit; afterwards position() is at least `position`."""
        await self._run(self._index(store).apply, changes, position)

    async def search(self, store: str, query: str, *, most: int, files: Collection[int] | None = None) -> Matches:
        """The `most` chunks with the highest BM25 score, best first, of these files only (None: of all)."""
        return await self._run(self._index(store).search, query, most, files)

    async def drop(self, store: str) -> None:
        """Forget the store and delete its folder; unknown ones too."""
        await self._run(self._index(store).drop)
        self._open.pop(store, None)

    async def aclose(self) -> None:
        """Free everything; what was applied stays."""
        self._open.clear()
        await asyncio.to_thread(self._threads.shutdown)

    async def _run(self, function: Callable[[*A], R], *args: *A) -> R:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)
        except (OSError, ValueError) as error:  # tantivy's only error, whatever went wrong
            if full_disk.found_in(error):
                raise full_disk.full("The disk of the word index") from error
            raise

    def _index(self, store: str) -> "_StoreWords":
        found = self._open.setdefault(store, _StoreWords(self._folder / store))
        self._open.move_to_end(store)
        while len(self._open) > MOST_OPEN:
            self._open.popitem(last=False)
        return found


class _StoreWords:
    """The index of one store. Safe to use from several threads. Only apply() makes files: who reads leaves none behind."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()
        self._opened: Any = None

    def position(self) -> int:
        with self._lock:
            index = self._newest()
        return 0 if index is None else _position(index.searcher(), index.schema)

    def apply(self, changes: Sequence[IndexChange], position: int) -> None:
        from tantivy import Document, Query

        with self._lock:
            index = self._newest() or self._made()
            writer = _writer(index)
            index.reload()
            reached = _position(index.searcher(), index.schema)
            for change in changes:
                if change.number <= reached:
                    continue
                writer.delete_documents_by_query(Query.term_query(index.schema, "file", change.file))
                for chunk in change.chunks or ():
                    text = " ".join(words(f"{chunk.section}\n{chunk.text}"))
                    row = {"chunk": chunk.seq, "file": change.file, "text": text}
                    writer.add_document(Document.from_dict(row, index.schema))
            writer.delete_documents_by_query(Query.term_query(index.schema, "position_of", 0))
            mark = {"position_of": 0, "position": max(position, reached)}
            writer.add_document(Document.from_dict(mark, index.schema))
            writer.commit()
            writer.wait_merging_threads()
            index.reload()

    def search(self, query: str, most: int, files: Collection[int] | None) -> Matches:
        terms = list(dict.fromkeys(words(query)))[:MOST_WORDS]
        with self._lock:
            index = self._opened or self._newest()
        if not terms or index is None:
            return Matches([], {})
        searcher = index.searcher()
        idf = {term: _idf(searcher.num_docs, searcher.doc_freq("text", term)) for term in terms}
        hits = searcher.search(_query(index.schema, terms, files), most, count=False).hits
        chunks = searcher.fast_field_values("chunk", [address for _, address in hits])
        return Matches([Hit(chunk, score) for (score, _), chunk in zip(hits, chunks, strict=True)], idf)

    def drop(self) -> None:
        aside = self._folder.with_name(f"{self._folder.name}.dropped")  # gone at once, for other processes too
        with self._lock:
            self._opened = None
            shutil.rmtree(aside, ignore_errors=True)
            with suppress(OSError):
                self._folder.rename(aside)
            shutil.rmtree(aside, ignore_errors=True)

    def _newest(self) -> Any:
        """The index as it is on the disk, where another process may have written; None if it is gone or broken."""
        from tantivy import Index

        try:
            self._opened = self._opened or _readable(Index.open(str(self._folder)))
            self._opened.reload()
        except ValueError:  # tantivy's only error
            self._opened = None
        return self._opened

    def _made(self) -> Any:
        """An index where there is none that can be read; broken files go."""
        try:
            self._opened = _created(self._folder)
        except ValueError:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._opened = _created(self._folder)
        return self._opened


def _created(folder: Path) -> Any:
    from tantivy import Index, SchemaBuilder

    folder.mkdir(parents=True, exist_ok=True)
    schema = (
        SchemaBuilder()
        .add_unsigned_field("chunk", fast=True)
        .add_unsigned_field("file", indexed=True)
        .add_text_field("text", tokenizer_name="whitespace", index_option="freq")
        .add_unsigned_field("position_of", indexed=True)
        .add_unsigned_field("position", fast=True)
        .build()
    )
    return _readable(Index(schema, str(folder)))


def _readable(index: Any) -> Any:
    index.config_reader("manual")
    return index


def _writer(index: Any) -> Any:
    """The only writer of an index; waits while another process has it."""
    deadline = monotonic() + LOCK_SECONDS
    while True:
        try:
            return index.writer(WRITER_BYTES, num_threads=1)
        except ValueError as error:
            if "lock" not in str(error).lower():
                raise
            if monotonic() > deadline:
                raise Unavailable(
                    "Another process has been writing to the search index for long; try again."
                ) from error
        sleep(0.02)


def _position(searcher: Any, schema: Any) -> int:
    from tantivy import Query

    hits = searcher.search(Query.term_query(schema, "position_of", 0), 1, count=False).hits
    return searcher.fast_field_values("position", [address for _, address in hits])[0] if hits else 0


def _idf(documents: int, having: int) -> float:
    """How rare a word is: Robertson and Zaragoza 2009, with Lucene's 1 inside, which keeps it positive."""
    return log(1 + (documents - having + 0.5) / (having + 0.5))


def _query(schema: Any, terms: Collection[str], files: Collection[int] | None) -> Any:
    """Any of the words; with files, only in one of these. The filter takes no part in the score."""
    from tantivy import Occur, Query

    any_word = Query.boolean_query([(Occur.Should, Query.term_query(schema, "text", term, "freq")) for term in terms])
    if files is None:
        return any_word
    among = Query.const_score_query(Query.term_set_query(schema, "file", list(files)), 0.0)
    return Query.boolean_query([(Occur.Must, any_word), (Occur.Must, among)])
