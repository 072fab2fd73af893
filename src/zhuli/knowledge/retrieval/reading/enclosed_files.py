"""Files in files: an attachment or a member of an archive is read in its place, under its name, within limits.

One that can't be read costs nothing but itself: its name and the reason stand behind the rest. Nothing is written to disk.
"""

import os
import resource
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath

from zhuli.core.errors import Unreadable
from zhuli.types.knowledge.document import Block, Enclosed

MAX_DEPTH = 3
"""Of files in files in a file."""
MAX_FILES = 1_000
MAX_TOTAL = 512 * 1024 * 1024
"""Bytes of all together; as much as an uploaded file may have."""
SAID = 20
"""Files that are named with the reason why they were not read."""
LEVELS = 6

Parse = Callable[[Path, str], Iterator[Block | Enclosed]]


class Reading:
    """One file with all that is in it. most: bytes of a file in it that is read; 0 reads none. known: extensions with parsers."""

    def __init__(self, parse: Parse, most: int, known: Container[str] = ()) -> None:
        self._parse = parse
        self._most = most
        self._known = known
        self._files = 0
        self._bytes = 0

    def blocks(self, path: Path, filename: str, depth: int = 0) -> Iterator[Block]:
        """The blocks of the file, below a heading for each file in it; Unreadable where those alone are its text.

        What a parser raises behind files that were read only says that it had nothing to read itself.
        """
        refused: list[str] = []
        some = inner = False
        items = iter(self._parse(path, filename))
        while (item := _next(items, may_fail=inner)) is not None:
            if isinstance(item, Block):
                some = some or bool(item.text.strip())
                yield item
                continue
            try:
                for block in self._page(item, depth) if item.page else self._enclosed(item, depth + 1):
                    some = inner = True
                    yield block
            except Unreadable as error:
                if item.page:
                    yield Block(item.otherwise, page=item.page)
                else:
                    refused.append(f"{_shown(item.filename)} ({_first_sentence(error.message)})")
        if refused:
            why = ", ".join(refused[:SAID]) + (f" and {len(refused) - SAID:,} more" if len(refused) > SAID else "")
            if not some:
                raise Unreadable(f"None of the files in it could be read: {why}.", code="unsupported_file")
            yield Block(f"Not read: {why}.")

    def _page(self, item: Enclosed, depth: int) -> Iterator[Block]:
        """What a picture says that is a page; nothing is made of it where nobody reads pictures."""
        if PurePosixPath(item.filename).suffix not in self._known:
            raise Unreadable("Pictures are not read here.")
        some = False
        for block in self._enclosed(item, depth + 1):
            if block.kind != "heading":
                some = True
                yield replace(block, page=item.page)
        if not some:
            raise Unreadable("No characters were recognised.")

    def _enclosed(self, item: Enclosed, depth: int) -> Iterator[Block]:
        content = self._content(item, depth)
        heading: Block | None = Block(_shown(item.filename), "heading", min(depth, LEVELS))
        try:
            with _as_path(content) as path:
                for block in self.blocks(path, item.filename, depth):
                    if heading is not None and block.text.strip():
                        yield heading
                        heading = None
                    yield replace(block, level=min(block.level + 1, LEVELS)) if block.kind == "heading" else block
        except (Unreadable, MemoryError):
            raise
        except ImportError as error:
            raise Unreadable(f"This server can't read such files: {error.name} is not installed on it.") from error
        except Exception as error:  # as for the whole file: libraries raise anything over a broken one
            raise Unreadable("The file is broken.") from error

    def _content(self, item: Enclosed, depth: int) -> bytes:
        """All of it; Unreadable beyond the limits. A declared size is not believed."""
        if depth > MAX_DEPTH:
            raise Unreadable(f"It is more than {MAX_DEPTH} files deep.")
        if not self._most or not hasattr(os, "memfd_create"):
            raise Unreadable("Files in files are not read here.")
        self._files += 1
        if self._files > MAX_FILES or self._bytes > MAX_TOTAL:
            raise Unreadable(f"There are more than {MAX_FILES:,} files or {MAX_TOTAL >> 20} MiB in the file.")
        try:
            with item.open() as opened:
                content = opened.read(self._most + 1)
        except (OSError, ValueError, EOFError, RuntimeError, NotImplementedError) as error:
            raise Unreadable("It is damaged.") from error
        if len(content) > self._most:
            raise Unreadable(f"It has more than {self._most:,} bytes.")
        self._bytes += len(content)
        return content


def _next(items: Iterator[Block | Enclosed], *, may_fail: bool) -> Block | Enclosed | None:
    """The next one, None at the end."""
    try:
        return next(items, None)
    except Unreadable:
        if may_fail:
            return None
        raise


@contextmanager
def _as_path(content: bytes) -> Iterator[Path]:
    """A path under which parsers find the content: memory that looks like a file, since this process may write none."""
    file = os.memfd_create("enclosed")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before[1], before[1]))
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(file, view) :]
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        yield Path(f"/proc/self/fd/{file}")
    finally:
        os.close(file)


def _shown(filename: str) -> str:
    """The name for people, on one line and not too long."""
    name = " ".join(str(PurePosixPath(filename.replace("\\", "/"))).split())
    return name[:200] or "attachment"


def _first_sentence(message: str) -> str:
    return message.split(". ")[0].rstrip(".")
